"""The relational database that tests open: a SQLite file, or a database of a real PostgreSQL.

A test asks for the fixture ``each_database`` and opens by folder; the same folder is the same
database until the test ends.
"""

import contextlib
from collections.abc import Generator
from pathlib import Path

import sqlalchemy as sa

from gateway.database.engine import connect
from tests.parts.postgresql_service import PostgreSQL, settings_lines

_cluster: list[PostgreSQL] = []
_made: dict[Path, sa.URL] = {}
_templates: dict[PostgreSQL, str] = {}
"""A database of each cluster with all tables: a copy takes a fifth of the time to make them."""


@contextlib.contextmanager
def on(cluster: PostgreSQL | None) -> Generator[None]:
    """Inside, databases are made in ``cluster``, or are files where it is None."""
    _cluster[:] = [cluster] if cluster else []
    try:
        yield
    finally:
        _cluster.clear()
        _made.clear()


def opened(folder: Path) -> sa.Engine:
    """The database of ``folder``: its ``noria.db`` or its place in PostgreSQL."""
    return connect(_url(folder) if _cluster else folder / "noria.db")


def lines(folder: Path) -> str:
    """Lines of ``noria.toml`` with which a program with ``data = folder`` opens the same."""
    return settings_lines(_url(folder)) if _cluster else ""


def _url(folder: Path) -> sa.URL:
    if folder not in _made:
        _made[folder] = _cluster[0].fresh(_template(_cluster[0]))
    return _made[folder]


def _template(cluster: PostgreSQL) -> str:
    if cluster not in _templates:
        url = cluster.fresh()
        connect(url).dispose()  # a database that somebody uses cannot be copied
        _templates[cluster] = str(url.database)
    return _templates[cluster]
