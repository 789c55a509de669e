"""Opens the store that the settings name."""

import logging
import time
from collections.abc import Callable

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.domain.registry import Registry
from gateway.registry import rows
from gateway.settings import Settings
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.port import STORE
from gateway.stores.sqlite import SqliteStore

_log = logging.getLogger(__name__)


def open_store(settings: Settings, engine: sa.Engine) -> SqliteStore | InfluxStore:
    """The store of the settings: a ``ReadingStore``. Does not need the server to be up."""
    if settings.store == "sqlite":
        return SqliteStore(settings.store_path)
    return open_influxdb(settings, engine)


def open_influxdb(settings: Settings, engine: sa.Engine) -> InfluxStore:
    """The InfluxDB of the settings, whatever ``store`` says."""
    access = Access(
        url=settings.influxdb_url.rstrip("/"),
        org=settings.influxdb_org,
        bucket=settings.influxdb_bucket,
        token=settings.influxdb_token,
    )

    def keep(line: str, reason: str) -> None:
        _log.error("InfluxDB will never take one line: %s; see table set_aside", reason)
        with engine.begin() as connection:
            dead_letters.put(connection, STORE, line, reason, time.time())

    return InfluxStore(access, newest_registry(engine), keep)


def newest_registry(engine: sa.Engine) -> Callable[[], Registry]:
    """The registry of the database, read again only when it has changed."""
    held: list[tuple[int, Registry]] = []

    def newest() -> Registry:
        version = rows.version(engine)
        if not held or held[0][0] != version:
            held[:] = [(version, rows.load(engine))]
        return held[0][1]

    return newest
