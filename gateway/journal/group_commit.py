"""The journal's file. One thread judges what comes, and another may save what it has judged before.

Whatever the first asks of the file waits for all that was handed over: it never sees half of it.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from gateway.database import bulk_insert
from gateway.database.bulk_insert import Row
from gateway.errors import JournalError

Write = Callable[[sqlite3.Connection], object]
"""Writes what one part of the journal gathered; runs on the thread that saves."""


class Connection(bulk_insert.Connection, Protocol):
    """What the journal asks of a SQLite connection."""

    def executemany(self, sql: str, rows: Iterable[Row], /) -> sqlite3.Cursor:
        """One statement for each row."""
        ...


class GroupCommit:
    """One transaction at a time is judged (``begin`` to ``save``), those before it are saved."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._saver = ThreadPoolExecutor(1, "journal")
        self._saving: deque[Future[None]] = deque()
        self._broken = self._judging = self._begun = False

    def execute(self, sql: str, values: Row = ()) -> sqlite3.Cursor:
        """As a connection's, once all is saved. Raises JournalError where that fails."""
        return self._settled().execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Row]) -> sqlite3.Cursor:
        """As ``execute``."""
        return self._settled().executemany(sql, rows)

    def begin(self) -> None:
        """What is executed from here on belongs to the batch that ``save`` ends."""
        self._judging, self._begun = True, False

    def save(self, writes: Sequence[Write], committed: Callable[[], None]) -> None:
        """Write and commit the batch, then tell. Raises JournalError: nothing of it is kept."""
        self.wait()
        self._run(writes, committed, self._ended())

    def submit(self, writes: Sequence[Write], committed: Callable[[], None]) -> Future[None]:
        """As ``save``, on the other thread, after all that was submitted before.

        When one fails, so does all that was submitted after it, until ``roll_back``.
        """
        while self._saving and self._saving[0].done() and not self._saving[0].exception():
            self._saving.popleft()
        self._saving.append(self._saver.submit(self._run, writes, committed, self._ended()))
        return self._saving[-1]

    def wait(self) -> None:
        """Until all that was submitted is on disk. Raises JournalError."""
        while self._saving:
            self._saving[0].result()
            self._saving.popleft()

    def roll_back(self) -> None:
        """Forget the batch that is judged, and what failed; what was saved before stays."""
        wait(self._saving)
        self._saving.clear()
        self._broken = self._judging = self._begun = False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; what was submitted is saved first, or JournalError raised."""
        try:
            self.wait()
        finally:
            self._saver.shutdown()
            self._connection.close()

    def _settled(self) -> sqlite3.Connection:
        self.wait()
        if self._judging and not self._begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        return self._connection

    def _ended(self) -> bool:
        """The batch is judged; whether its transaction has begun."""
        begun, self._judging, self._begun = self._begun, False, False
        return begun

    def _run(self, writes: Sequence[Write], committed: Callable[[], None], begun: bool) -> None:
        if self._broken:
            raise JournalError("a batch before it could not be saved")
        try:
            if not begun:
                self._connection.execute("BEGIN IMMEDIATE")
            for write in writes:
                write(self._connection)
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._broken = True
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the journal cannot be written: {error}") from error
            raise
        committed()
