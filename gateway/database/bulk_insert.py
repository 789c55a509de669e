"""Inserts many rows with few SQLite statements: every statement re-acquires the GIL."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Protocol

Row = Sequence[str | int | float | bytes | None]

_SIZES = tuple(1 << power for power in range(8, -1, -1))
"""Rows in one statement. With few sizes the statements stay prepared. A prepared statement keeps
its last values: for 1,024 rows of a dozen columns 2 MB, and it is no faster than 256 rows."""


class Connection(Protocol):
    """The part of a SQLite connection that the journal and this module use."""

    def execute(self, sql: str, values: Row = ..., /) -> sqlite3.Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Row], /) -> sqlite3.Cursor:
        """Run one statement for each row."""
        ...


def insert(connection: Connection, into: str, rows: Sequence[Row]) -> None:
    """Insert all rows; raises sqlite3.Error.

    ``into`` is ``INSERT INTO table`` or ``INSERT OR REPLACE INTO table``.
    """
    for chunk in chunks(rows):
        values = list(chain.from_iterable(chunk))
        connection.execute(f"{into} VALUES {marks(len(chunk), len(chunk[0]))}", values)


def chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """``rows`` in pieces of the sizes whose statements stay prepared, the largest first."""
    pieces: list[Sequence[Row]] = []
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            pieces.append(rows[at : at + size])
            at += size
    return pieces


@cache
def marks(rows: int, width: int) -> str:
    """Placeholders for ``rows`` rows of ``width`` values: ``(?,?),(?,?)``."""
    row = f"({','.join('?' * width)})"
    return ",".join([row] * rows)
