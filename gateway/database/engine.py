"""Relational state: registry, people, incidents, outbox, projections' cursors.

SQLite or PostgreSQL, through SQLAlchemy Core. Every package defines its tables on ``metadata``;
``connect`` creates what is missing.
"""

import logging
import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import NoSuchModuleError, OperationalError

from gateway.database import migration
from gateway.errors import DatabaseError
from gateway.settings import Settings

_log = logging.getLogger(__name__)

_CACHE_BYTES = 8_000_000
"""Pages that all connections of this process keep together: of 15, each would keep 2 MB."""


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA soft_heap_limit={_CACHE_BYTES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")  # ms: one writer waits for another
    cursor.close()


def _json(value: Any) -> str:
    """Several times faster than ``json``."""
    return msgspec.json.encode(value).decode("utf-8")


_COMMON: Any = {"json_serializer": _json, "json_deserializer": msgspec.json.decode}
_COMMON["hide_parameters"] = True  # or errors would tell values: keys, contacts and payloads
_POSTGRESQL_S = {
    "connect_timeout": "5",
    # A database that vanished without a word is noticed in seconds, not in the system's hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # A process that was stopped in the middle of a transaction may not hold up the others.
    "options": "-c idle_in_transaction_session_timeout=5000",
    "application_name": "noria",
}
_ROWS_AT_ONCE = 50
# In every transaction of the watch; as text, nothing of them is built or looked up anew.
_TAKE_THE_LOCK = "DELETE FROM fact WHERE 0 = 1"  # changes nothing
_NEWEST = (
    "SELECT (SELECT coalesce(max(version), 0) FROM tank_now), "
    "(SELECT coalesce(max(version), 0) FROM incident)"
)


def open_database(settings: Settings) -> sa.Engine:
    """The database of the settings: PostgreSQL where ``database`` names one, else the file.

    Raises DatabaseError, which never holds the password.
    """
    if not settings.shared:
        return connect(settings.database_path)
    url = sa.make_url(settings.database).set(drivername="postgresql+psycopg")
    if settings.database_password:
        url = url.set(password=settings.database_password)
    return connect(url)


def connect(where: Path | sa.URL) -> sa.Engine:
    """An engine on a SQLite file (a path) or a PostgreSQL URL, its tables migrated.

    Only its owner can read the file: it contains device keys. Raises DatabaseError.
    """
    if isinstance(where, Path):
        os.close(os.open(where, os.O_CREAT | os.O_RDWR, 0o600))
        engine = sqlite(sa.URL.create("sqlite", database=str(where)))
        try:
            migration.migrate(engine)
        except OperationalError as error:
            if "full" not in str(error.orig):
                raise
            # What is in the file can still be read.
            _log.warning("the migration of the database waits for disk space: %s", error.orig)
        return engine
    engine = _postgresql(where)
    try:
        migration.migrate(engine)
    except OperationalError as error:
        name = where.render_as_string(hide_password=True)
        raise DatabaseError(
            f"database {name}: {str(error.orig).strip()}; start it, or correct database and "
            "database_password_file"
        ) from None
    return engine


def sqlite(url: sa.URL) -> sa.Engine:
    """An engine on a SQLite file whose tables are there."""
    engine = sa.create_engine(url, **_COMMON)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def separate_engine(engine: sa.Engine) -> sa.Engine:
    """Another engine on the same PostgreSQL, with connections of its own.

    For loops that try again: after a restart of PostgreSQL its first transaction fails.
    """
    return _postgresql(engine.url, pre_ping=False)


def _postgresql(url: sa.URL, *, pre_ping: bool = True) -> sa.Engine:
    try:
        return sa.create_engine(
            url.update_query_dict({k: v for k, v in _POSTGRESQL_S.items() if k not in url.query}),
            pool_pre_ping=pre_ping,  # after a restart of PostgreSQL the pool's are dead
            **_COMMON,
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise DatabaseError(
            "database: PostgreSQL needs the package psycopg: pip install 'noria[postgresql]'"
        ) from error


def is_postgresql(of: sa.Engine | sa.Connection) -> bool:
    """Whether this is PostgreSQL rather than SQLite."""
    return of.dialect.name == "postgresql"


def serialise(connection: sa.Connection) -> None:
    """Until this transaction ends nobody else's passes here; what it reads from now on holds.

    First of all in a transaction that draws a version or decides by what it reads: SQLite has one
    writer anyway, once something was written; PostgreSQL is given one.
    """
    if is_postgresql(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(migration.ADVISORY_LOCK)))
    else:
        connection.exec_driver_sql(_TAKE_THE_LOCK)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write whole rows, each in place of the one with its primary key; of a key there is one.

    Values in the order of the table's columns; those of JSON columns are JSON text. Every batch
    writes hundreds: this spares SQLAlchemy's work on each value, and one statement for many rows
    spares waiting for the interpreter after each.
    """
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        text = _upserting(table, len(some), is_postgresql(connection))
        connection.exec_driver_sql(text, tuple(chain.from_iterable(some)))


@cache
def _upserting(table: sa.Table, rows: int, postgresql: bool) -> str:
    names, keys = table.columns.keys(), table.primary_key.columns.keys()
    marks = ", ".join(["%s" if postgresql else "?"] * len(names))
    new = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    values = ", ".join([f"({marks})"] * rows)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values} "  # noqa: S608 - our names
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {new}"
    )


def newest_version(connection: sa.Connection) -> int:
    """The newest version of ``tank_now`` or ``incident``: all up to it are committed."""
    a, b = connection.exec_driver_sql(_NEWEST).one()
    return max(a, b)


def next_version(connection: sa.Connection) -> int:
    """One more than any version, for pages that follow changes; ``serialise`` came before."""
    return newest_version(connection) + 1
