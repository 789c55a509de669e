"""Opens the relational database: SQLite or PostgreSQL, through SQLAlchemy Core.

It contains the registry, people, incidents, the outbox and the projections' cursors. Every room
defines its tables on ``metadata``; migrations create them.
"""

import logging
import os
import sqlite3
from collections.abc import Iterable
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.exc import NoSuchModuleError, OperationalError

from gateway.database import damaged, migration
from gateway.errors import DatabaseError
from gateway.settings import Settings

_log = logging.getLogger(__name__)

_CACHE_BYTES = 4_000_000
"""Page cache of all connections of this process together: 15 connections would take 2 MB each.

In ``test_memory`` on a busy machine, the gateway took 4.3 to 4.7 s of CPU with 8 MB, 4.5 to 5.0 s
with 4 MB, and 5.0 to 5.2 s with 3 MB.
"""


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA soft_heap_limit={_CACHE_BYTES}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=30000")  # ms; writers wait for each other


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8")


_COMMON: Any = {  # msgspec is several times faster than json
    "json_serializer": _json,
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,  # errors must not contain keys, contacts and payloads
}
_POSTGRESQL_S = {
    "connect_timeout": "5",
    # A lost connection is noticed in seconds; the system's default is hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # A process that is suspended inside a transaction must not block the others.
    "options": "-c idle_in_transaction_session_timeout=5000",
    "application_name": "noria",
}
_ROWS_AT_ONCE = 50
# Both are in every transaction of the watch: as text they cost SQLAlchemy no compilation.
_WRITE_LOCK = "DELETE FROM fact WHERE 0 = 1"  # deletes nothing
_NEWEST = (
    "SELECT (SELECT coalesce(max(version), 0) FROM tank_now), "
    "(SELECT coalesce(max(version), 0) FROM incident)"
)


def open_database(settings: Settings) -> sa.Engine:
    """An engine on the PostgreSQL of the setting ``database``, else on the SQLite file.

    Raises DatabaseError, whose message never contains the password.
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
        except DriverError as error:
            if error.orig is None or not damaged.is_damage(error.orig):
                raise
            raise DatabaseError(_damage(where, str(error.orig))) from None
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


def _damage(path: Path, detail: str) -> str:
    """What is wrong with the database, and how to go on with a backup and without one."""
    return (
        f"{path} is damaged ({detail}). The journal beside it is another file and keeps all "
        f"messages. Put back {path.name} from a backup, then run 'noria rebuild watch'. Without a "
        f"backup: rename {path.name}, import the registry file again with 'noria registry import', "
        "add people with 'noria user add', then 'noria rebuild store' and 'noria rebuild watch'; "
        "what people have claimed and closed is lost"
    )


def sqlite(url: sa.URL) -> sa.Engine:
    """An engine on a SQLite file that was migrated."""
    engine = sa.create_engine(url, **_COMMON)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def separate_engine(engine: sa.Engine) -> sa.Engine:
    """Another engine on the same PostgreSQL, with its own connections.

    For loops that retry: their first transaction after a restart of PostgreSQL fails.
    """
    return _postgresql(engine.url, pre_ping=False)


def _postgresql(url: sa.URL, *, pre_ping: bool = True) -> sa.Engine:
    try:
        return sa.create_engine(
            url.update_query_dict({k: v for k, v in _POSTGRESQL_S.items() if k not in url.query}),
            pool_pre_ping=pre_ping,  # a restart of PostgreSQL closes the pool's connections
            **_COMMON,
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise DatabaseError(
            "database: PostgreSQL needs the package psycopg: pip install 'noria[postgresql]'"
        ) from error


def is_postgresql(of: sa.Engine | sa.Connection) -> bool:
    """Whether the database is PostgreSQL, not SQLite."""
    return of.dialect.name == "postgresql"


def serialise(connection: sa.Connection) -> None:
    """Lock out other calls of this function until the transaction ends.

    For transactions that draw a version or decide by what they read; call it first. SQLite has one
    writer after the first statement that writes; on PostgreSQL it is an advisory lock.
    """
    if is_postgresql(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(migration.ADVISORY_LOCK)))
    else:
        connection.exec_driver_sql(_WRITE_LOCK)


def upsert(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows, or replace those with the same primary key; a key occurs in ``rows`` once.

    A row has the values of all columns in order, those of JSON columns as text. Rows are taken as
    they are written, since those of a whole fleet take dozens of megabytes. Every batch writes
    hundreds: a row costs 2 us, by SQLAlchemy 5. Each statement re-acquires the GIL, so one has many
    rows.
    """
    waiting = iter(rows)
    while chunk := tuple(islice(waiting, _ROWS_AT_ONCE)):
        text = _upsert_text(table, len(chunk), is_postgresql(connection))
        connection.exec_driver_sql(text, tuple(chain.from_iterable(chunk)))


@cache
def _upsert_text(table: sa.Table, rows: int, postgresql: bool) -> str:
    names, keys = table.columns.keys(), table.primary_key.columns.keys()
    marks = ", ".join(["%s" if postgresql else "?"] * len(names))
    new = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    values = ", ".join([f"({marks})"] * rows)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values} "  # noqa: S608 - our names
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {new}"
    )


def newest_version(connection: sa.Connection) -> int:
    """The highest version in ``tank_now`` and ``incident``; all lower ones are committed."""
    return max(connection.exec_driver_sql(_NEWEST).one())


def next_version(connection: sa.Connection) -> int:
    """The next version, for pages that follow changes. Call ``serialise`` before."""
    return newest_version(connection) + 1
