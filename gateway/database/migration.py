"""Brings the tables of a database to this version of Noria.

Alembic takes 11 MB of memory: it is loaded only where a migration is due.
"""

import logging
from pathlib import Path

import sqlalchemy as sa

from gateway.errors import DatabaseError

_log = logging.getLogger(__name__)

ADVISORY_LOCK = 0x6E6F7269
"""PostgreSQL's lock for migrations and for drawing a version; "nori" in ASCII."""
_FOLDER = Path(__file__).with_name("migrations")
HEAD = max(path.name[1:5] for path in (_FOLDER / "versions").glob("r[0-9]*.py"))
"""The newest revision in ``migrations/versions``."""


def migrate(engine: sa.Engine) -> None:
    """Run the migrations that are due, all in one transaction.

    A database of version 0.1.0 has no revision: the first migration creates what it lacks.
    Raises DatabaseError where a newer version of Noria migrated the database.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = _revision(connection)
        if found != HEAD:  # another process may have migrated while this one waited for the lock
            _upgrade(connection, found)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _upgrade(connection: sa.Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(
            f"the database is at revision {found}, this version of Noria knows revisions up to "
            f"{HEAD}: install the newer version, or restore a backup from before its start"
        ) from error
    _log.info("database migrated to revision %s", HEAD)
