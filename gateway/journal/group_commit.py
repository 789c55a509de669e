"""The journal's file, with one thread that judges a batch while another saves the batches before.

A query of the first thread waits for all submitted batches, so it never sees a part of one.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from gateway.database.bulk_insert import Row
from gateway.errors import JournalError

Write = Callable[[sqlite3.Connection], object]
"""Writes the pending rows of one part of the journal; runs on the thread that saves."""


class GroupCommit:
    """One transaction at a time is judged (``begin`` to ``save``); earlier ones are being saved."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._saver = ThreadPoolExecutor(1, "journal")
        self._saving: deque[Future[None]] = deque()
        self._broken = self._judging = self._begun = False

    def execute(self, sql: str, values: Row = ()) -> sqlite3.Cursor:
        """As ``sqlite3.Connection``, once all is saved. Raises JournalError where that fails."""
        return self._saved().execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Row]) -> sqlite3.Cursor:
        """As ``execute``."""
        return self._saved().executemany(sql, rows)

    def begin(self) -> None:
        """Begin the batch that ``save`` ends."""
        self._judging, self._begun = True, False

    def save(self, writes: Sequence[Write], committed: Callable[[], None]) -> None:
        """Write and commit the batch, then call ``committed``. Keeps nothing on JournalError."""
        self.wait()
        self._run(writes, committed, self._end())

    def submit(self, writes: Sequence[Write], committed: Callable[[], None]) -> Future[None]:
        """As ``save``, on the other thread, after all batches submitted before.

        When one fails, all later ones fail too, until ``roll_back``.
        """
        while self._saving and self._saving[0].done() and not self._saving[0].exception():
            self._saving.popleft()
        self._saving.append(self._saver.submit(self._run, writes, committed, self._end()))
        return self._saving[-1]

    def wait(self) -> None:
        """Wait until all submitted batches are on disk. Raises JournalError."""
        while self._saving:
            self._saving[0].result()
            self._saving.popleft()

    def roll_back(self) -> None:
        """Drop the batch that is judged, and those that failed; saved ones stay."""
        wait(self._saving)
        self._saving.clear()
        self._broken = self._judging = self._begun = False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Save what was submitted, then close the file. Raises JournalError."""
        try:
            self.wait()
        finally:
            self._saver.shutdown()
            self._connection.close()

    def _saved(self) -> sqlite3.Connection:
        self.wait()
        if self._judging and not self._begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        return self._connection

    def _end(self) -> bool:
        """End the judging of the batch; returns whether its transaction has begun."""
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
