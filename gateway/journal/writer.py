"""The journal's one writer: everything of one batch in one transaction, one fsync."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal import schema, verifying
from gateway.journal.counters import Counters
from gateway.journal.eras import Eras
from gateway.journal.log import Log
from gateway.journal.messages import Arrival, Messages
from gateway.journal.witness import Seen

QUARANTINE_ROWS = 1000
QUARANTINE_BYTES = 4096


class Journal:
    """Open for writing by one process, one thread at a time. Raises JournalError where damaged.

    ``noted`` is told of the log after each commit, and must not raise.
    """

    def __init__(
        self, path: Path, gateway: str, noted: Callable[[Seen], None] = lambda _seen: None
    ) -> None:
        self._connection = schema.open_for_writing(path)
        self._noted = noted
        try:
            verifying.at_start(self._connection)
        except sqlite3.DatabaseError as error:
            raise JournalError(f"{path} is damaged: {error}; restore it from a backup") from error
        self.log = Log(self._connection, gateway)
        self.eras = Eras(self._connection)
        self.counters = Counters(self._connection)
        self.messages = Messages(self._connection, self.log, self.eras, self.counters)
        self._saver = ThreadPoolExecutor(1, "journal")
        self._saving: Future[None] | None = None

    @contextmanager
    def transaction(self, then: Callable[[], None] | None = None) -> Generator[None]:
        """All that is appended inside is on disk when this ends, or nothing of it is.

        With ``then``, that is so when ``saved`` returns: another thread saves meanwhile, and calls
        ``then`` when it has ended. Raises JournalError when the disk refuses; what is in memory is
        then as committed.
        """
        self.saved()
        with self._whole():
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            if then is None:
                self._save()
            else:
                self._saving = self._saver.submit(self._save)
                self._saving.add_done_callback(lambda _saved: then())

    def saved(self) -> None:
        """Wait for what another thread is saving. Raises JournalError: nothing of it is kept."""
        saving, self._saving = self._saving, None
        if saving is not None:
            with self._whole():
                saving.result()

    def _save(self) -> None:
        self.messages.save()
        self.log.save()
        self.eras.save()
        self.counters.save()
        self._connection.execute("COMMIT")
        self._noted(self.log.seen)

    @contextmanager
    def _whole(self) -> Generator[None]:
        try:
            yield
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the journal cannot be written: {error}") from error
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for part in (self.log, self.eras, self.counters, self.messages):
            part.reload()

    def refuse(self, arrival: Arrival, reason: str) -> None:
        """Count what is not let in, and keep the newest of it to look at, shortened."""
        self.counters.add(reason)
        if reason != "unknown_device":
            self.counters.mark(reason, arrival.topic.split("/")[2], arrival.received)
        added = self._connection.execute(
            "INSERT INTO quarantine (time_ms, reason, topic, payload) VALUES (?, ?, ?, ?)",
            (
                int(arrival.received * 1000),
                reason,
                arrival.topic[:200],
                arrival.payload[:QUARANTINE_BYTES],
            ),
        )
        self._connection.execute(
            "DELETE FROM quarantine WHERE id <= ?", ((added.lastrowid or 0) - QUARANTINE_ROWS,)
        )

    def append_fact_once(
        self,
        key: str,
        kind: str,
        received: float,
        body: Mapping[str, object],
        subject: str,
        lines: Mapping[str, str],
    ) -> int:
        """Journal the fact called ``key``, unless it is there already; returns its entry.

        Raises ValueError where it cannot be a leaf.
        """
        found = self._connection.execute(
            "SELECT entry FROM fact_key WHERE key = ?", (key,)
        ).fetchone()
        if found:
            return found[0]
        entry = self.log.append_fact(kind, received, body, subject, lines)
        self._connection.execute("INSERT INTO fact_key VALUES (?, ?)", (key, entry))
        return entry

    @property
    def last_id(self) -> int:
        """The newest entry's id, 0 when there is none."""
        return self.log.last_id

    def close(self) -> None:
        """Close the file; what is being saved is saved first, or JournalError raised."""
        try:
            self.saved()
        finally:
            self._saver.shutdown()
            self._connection.close()
