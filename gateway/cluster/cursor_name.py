"""Under which name the store's projection keeps its cursor."""

from gateway.settings import Settings
from gateway.stores.port import STORE


def readings_cursor(settings: Settings) -> str:
    """One for all gateways with InfluxDB; one for each with a SQLite file of its own."""
    own = settings.shared and settings.store == "sqlite"
    return f"{STORE} {settings.gateway_id}" if own else STORE
