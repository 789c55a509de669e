"""The journal's only writer: one batch is one transaction and one fsync."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal import schema
from gateway.journal.counters import Counters
from gateway.journal.eras import Eras
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
        self._database = connection
        self.log = Log(self._database, gateway)
        self.eras = Eras(self._database)
        self.counters = Counters(self._database)
        self.messages = Messages(self._database, self.log, self.eras, self.counters)
        self._is_current = True

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All that is appended inside is on disk when this ends, or nothing is.

        Raises JournalError when the disk refuses it: memory is then as committed.
        """
        try:
            if not self._is_current:
                self._roll_back()
            self._database.execute("BEGIN IMMEDIATE")
            yield
            for part in (self.messages, self.log, self.eras, self.counters):
                part.save()
            self._database.execute("COMMIT")
        except BaseException as error:
            self._is_current = False
            try:
                self._roll_back()
            except sqlite3.Error as failed:  # the next transaction tries it first
                raise JournalError(f"the journal cannot be read: {failed}") from error
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the journal cannot be written: {error}") from error
            raise
        self.messages.settle()
        self._noted(self.log.seen)

    def _roll_back(self) -> None:
        """Return to the committed state, in the file and in memory."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        for part in (self.log, self.eras, self.counters, self.messages):
            part.reload()
        self._is_current = True

    def refuse(self, arrival: Arrival, reason: str, device: str | None = None) -> None:
        """Count a refused message, and keep it, truncated, in the quarantine.

        It is counted for ``device`` too, which must be known.
        """
        self.counters.add(reason)
        if device is not None:
            self.counters.mark(reason, device, arrival.received)
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
        """Close the file."""
        self._database.close()
