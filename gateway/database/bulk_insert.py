"""Many rows in one statement: SQLite runs it without Python's lock, and once for all of them."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Protocol

Row = Sequence[str | int | float | bytes | None]

_SIZES = tuple(1 << power for power in range(8, -1, -1))
"""Few sizes, so that their statements stay prepared; but few statements for any number of rows:
behind each, Python's lock has to be waited for. A statement keeps its last values: one for 1,024
rows of a dozen columns holds two megabytes, and is no faster."""


class Connection(Protocol):
    """What this asks of a SQLite connection."""

    def execute(self, sql: str, values: Row = ..., /) -> sqlite3.Cursor:
        """One statement."""
        ...


def insert(connection: Connection, into: str, rows: Sequence[Row], then: str = "") -> None:
    """``INSERT INTO table`` or ``INSERT OR REPLACE INTO table`` all rows; raises sqlite3.Error.

    ``then``: an ``ON CONFLICT`` clause.
    """
    for chunk in chunks(rows):
        values = list(chain.from_iterable(chunk))
        connection.execute(_statement(into, len(chunk), len(chunk[0]), then), values)


def chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """``rows`` in pieces for which a statement is kept prepared; the last ones are small."""
    pieces: list[Sequence[Row]] = []
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            pieces.append(rows[at : at + size])
            at += size
    return pieces


@cache
def _statement(into: str, rows: int, width: int, then: str) -> str:
    return f"{into} VALUES {marks(rows, width)}{then}"


@cache
def marks(rows: int, width: int) -> str:
    """``(?,?),(?,?)`` for so many rows of so many values."""
    row = f"({','.join('?' * width)})"
    return ",".join([row] * rows)
