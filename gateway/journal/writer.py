"""The journal's only writer: one batch is one transaction and one fsync."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal import schema
from gateway.journal.counters import Counters
from gateway.journal.eras import Eras
from gateway.journal.group_commit import GroupCommit
from gateway.journal.integrity import startup_check
from gateway.journal.integrity.witness import LogMark
from gateway.journal.log import Log
from gateway.journal.messages import Arrival, Messages

QUARANTINE_ROWS = 1000
QUARANTINE_BYTES = 4096


class Journal:
    """Open for writing by one process, one thread at a time. Raises JournalError where damaged.

    ``noted`` is called with the log's state after each commit, and must not raise.
    """

    def __init__(
        self, path: Path, gateway: str, noted: Callable[[LogMark], None] = lambda _seen: None
    ) -> None:
        connection = schema.open_for_writing(path)
        self._noted = noted
        try:
            startup_check.check_at_start(connection)
        except sqlite3.DatabaseError as error:
            raise JournalError(f"{path} is damaged: {error}; restore it from a backup") from error
        self._database = GroupCommit(connection)
        self.log = Log(self._database, gateway)
        self.eras = Eras(self._database)
        self.counters = Counters(self._database)
        self.messages = Messages(self._database, self.log, self.eras, self.counters)
        self.saving: Future[None] | None = None
        """The last batch, while another thread saves it."""

    @contextmanager
    def transaction(self, then: Callable[[], None] | None = None) -> Generator[None]:
        """All that is appended inside is on disk when this ends, or nothing is.

        With ``then``, another thread saves: ``saving`` is the result, and ``then`` is called after
        it. Raises JournalError when the disk refuses this batch or one that was being saved:
        memory is then as committed, and the caller must retry all unsaved batches in order.
        """
        self.saving = None
        try:
            self._database.begin()
            yield
            parts = (self.messages, self.log, self.eras, self.counters)
            writes = [part.take_pending() for part in parts]
            if then is None:
                self._database.save(writes, self._note)
            else:
                self.saving = self._database.submit(writes, self._note)
                self.saving.add_done_callback(lambda _saved: then())
        except BaseException as error:
            self.roll_back()
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the journal cannot be written: {error}") from error
            raise

    def _note(self) -> None:
        self._noted(self.log.seen)

    def roll_back(self) -> None:
        """After a failure: reload the committed state."""
        self._database.roll_back()
        for part in (self.log, self.eras, self.counters, self.messages):
            part.reload()

    def refuse(self, arrival: Arrival, reason: str) -> None:
        """Count a refused message, and keep it, truncated, in the quarantine."""
        self.counters.add(reason)
        if reason != "unknown_device":
            self.counters.mark(reason, arrival.topic.split("/")[2], arrival.received)
        added = self._database.execute(
            "INSERT INTO quarantine (time_ms, reason, topic, payload) VALUES (?, ?, ?, ?)",
            (
                int(arrival.received * 1000),
                reason,
                arrival.topic[:200],
                arrival.payload[:QUARANTINE_BYTES],
            ),
        )
        self._database.execute(
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
        """Journal the fact ``key`` unless it is journaled; returns its entry.

        Raises ValueError where it cannot be a leaf.
        """
        found = self._database.execute(
            "SELECT entry FROM fact_key WHERE key = ?", (key,)
        ).fetchone()
        if found:
            return found[0]
        entry = self.log.append_fact(kind, received, body, subject, lines)
        self._database.execute("INSERT INTO fact_key VALUES (?, ?)", (key, entry))
        return entry

    @property
    def last_id(self) -> int:
        """The newest entry's id, 0 when there is none."""
        return self.log.last_id

    def close(self) -> None:
        """Save what is being saved, then close the file. Raises JournalError."""
        self._database.close()
