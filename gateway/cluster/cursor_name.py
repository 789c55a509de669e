"""The name under which the store's projection saves its cursor."""

from gateway.settings import Settings
from gateway.stores.port import STORE


def readings_cursor(settings: Settings) -> str:
    """One name for all gateways with InfluxDB; one for each gateway with its own SQLite file."""
    own = settings.shared and settings.store == "sqlite"
    return f"{STORE} {settings.gateway_id}" if own else STORE
