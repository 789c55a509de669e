"""The rows of the table ``message`` that wait, in ``unfiled``, to be inserted together.

Both indexes of ``message`` are sorted by device, so each row reads and writes its own index pages.
At 1,000 devices in batches of 20, inserting 8192 rows at once saves 40 % of the CPU of judging a
message (42 to 68 us without it), and most of the bytes that a commit writes.
"""

import sqlite3

MessageRow = tuple[int, str, str | None, int | None, int | None, bytes, str | None, bool]
"""The columns of ``message``."""

FILED_AT = 8192
"""Rows that are filed together, in less than 0.1 s: eight for each of 1,000 devices."""

_ADD = "INSERT INTO unfiled VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FILE = "INSERT INTO message SELECT * FROM unfiled ORDER BY device, era, boot, seq"


class PendingIndex:
    """Collects rows inside the caller's transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._waiting: list[MessageRow] = []
        self.reload()

    def add(self, row: MessageRow) -> None:
        """Add a row of ``message``; it is filed later."""
        self._waiting.append(row)

    def file(self) -> None:
        """Insert all rows into ``message``, so that a query finds them."""
        self._write()
        if self._unfiled:
            self._database.execute(_FILE)
            self._database.execute("DELETE FROM unfiled")
            self._unfiled = 0

    def save(self) -> None:
        """Write the rows added since the last call; files all once they are many."""
        self._write()
        if self._unfiled >= FILED_AT:
            self.file()

    def reload(self) -> None:
        """Load the committed state: at the start, and after a rollback."""
        self._waiting.clear()
        self._unfiled: int = self._database.execute("SELECT count(*) FROM unfiled").fetchone()[0]

    def _write(self) -> None:
        self._database.executemany(_ADD, self._waiting)
        self._unfiled += len(self._waiting)
        self._waiting.clear()
