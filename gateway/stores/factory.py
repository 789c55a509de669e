"""Opens the reading store that the settings name."""

import importlib.util
import logging
import time
from collections.abc import Callable

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.domain.registry import Registry
from gateway.errors import StoreError
from gateway.registry import rows
from gateway.settings import Settings
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.port import STORE
from gateway.stores.sqlite import SqliteStore

_log = logging.getLogger(__name__)


def open_store(
    settings: Settings, engine: sa.Engine, *, renew: bool = False
) -> SqliteStore | InfluxStore:
    """The ``ReadingStore`` of the settings. InfluxDB need not be up.

    ``renew``, for the one that fills it: a damaged file is set aside for an empty one. Raises
    StoreError where the client of InfluxDB is not installed.
    """
    if settings.store == "sqlite":
        return SqliteStore(settings.store_path, renew=renew)
    if importlib.util.find_spec("influxdb_client") is None:
        raise StoreError(
            "store = \"influxdb\" needs the package influxdb-client: pip install 'noria[influxdb]'"
        )
    access = Access(
        url=settings.influxdb_url.rstrip("/"),
        org=settings.influxdb_org,
        bucket=settings.influxdb_bucket,
        token=settings.influxdb_token,
    )

    def set_aside(line: str, reason: str) -> None:
        _log.error("InfluxDB will never take one line: %s", reason)
        with engine.begin() as connection:
            dead_letters.put(connection, STORE, line, reason, time.time())

    return InfluxStore(access, newest_registry(engine), set_aside)


def newest_registry(engine: sa.Engine) -> Callable[[], Registry]:
    """Returns the current registry; the database is read again only when it has changed."""
    cached: tuple[int, Registry] | None = None

    def newest() -> Registry:
        nonlocal cached
        version = rows.version(engine)
        if cached is None or cached[0] != version:
            cached = version, rows.load(engine)
        return cached[1]

    return newest
