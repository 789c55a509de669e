"""Batches between arrival and disk: judged in order, saved in order, then acknowledged."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError

from gateway.errors import JournalError
from gateway.ingest.batch import Admission, Ingest, Item
from gateway.journal.eras import Era
from gateway.journal.failure_file import FailureFile
from gateway.journal.writer import Journal
from gateway.mqtt.bulk_reader import Receipts

_log = logging.getLogger(__name__)

RETRY_S = 1.0
_FAILURES = (JournalError, OperationalError)


@dataclass
class PendingBatch:
    """A batch, and what is to be acknowledged once it is saved."""

    items: Sequence[Item]
    admitted: list[Admission]
    receipts: Receipts
    since: float
    """When ingest took it (Unix s)."""
    fed: bool = False
    """Whether it contains messages of third-party sensors."""
    eras: list[Era] = field(default_factory=list[Era])
    """The eras of its messages, once it is judged."""
    last_id: int = 0
    """The journal's last entry then."""
    judged: bool = False
    saving: Future[None] | None = None
    """Where another thread saves it; None where the judging thread did."""

    @property
    def is_saved(self) -> bool:
        """Whether it is on disk."""
        return self.judged and (
            self.saving is None or (self.saving.done() and self.saving.exception() is None)
        )


@dataclass
class CommitQueue:
    """Used by the one thread that writes the journal.

    ``prepare`` is called before each batch is judged. A batch that the disk refuses is tried again
    until ``stopping``, and no other is taken before it. What is unsaved then was never
    acknowledged, so its senders send it again.
    """

    ingest: Ingest
    journal: Journal
    failure_file: FailureFile
    prepare: Callable[[PendingBatch], None]
    stopping: threading.Event
    _batches: deque[PendingBatch] = field(default_factory=deque[PendingBatch])
    _failure: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every batch is saved and was returned by ``saved``."""
        return not self._batches

    @property
    def since(self) -> float | None:
        """``since`` of the oldest batch; None when the queue is empty."""
        return self._batches[0].since if self._batches else None

    def submit(self, batch: PendingBatch, then: Callable[[], None] | None = None) -> None:
        """Judge and save a batch; with ``then``, another thread saves it and calls that after."""
        self._batches.append(batch)
        try:
            self._judge(batch, then)
        except _FAILURES as error:
            self._retry(error)

    def saved(self, unsaved: int = 0) -> Iterator[PendingBatch]:
        """Yield batches as they are saved, in order; waits for all but the last ``unsaved``."""
        while self._batches:
            batch = self._batches[0]
            if batch.saving is not None and not batch.is_saved:
                if len(self._batches) <= unsaved and not batch.saving.done():
                    return
                try:
                    batch.saving.result()
                except _FAILURES as error:
                    self._retry(error)
                    continue
            self._batches.popleft()
            self._clear_failure()
            yield batch

    def _judge(self, batch: PendingBatch, then: Callable[[], None] | None = None) -> None:
        batch.judged = False
        self.prepare(batch)
        batch.eras = self.ingest.journal(batch.items, batch.admitted, then)
        batch.saving, batch.last_id = self.journal.saving, self.journal.last_id
        batch.judged = True

    def _retry(self, error: Exception) -> None:
        """Journal every unsaved batch again, in order, until it works."""
        while True:
            self._report(error)
            if self.stopping.is_set():
                self._batches.clear()
                return
            time.sleep(RETRY_S)
            try:
                self.journal.roll_back()
                for batch in self._batches:
                    if not batch.is_saved:
                        self._judge(batch)
            except _FAILURES as refused:
                error = refused
            else:
                return

    def _report(self, error: Exception) -> None:
        """Log a failure once, and keep it where ``noria status`` reads it on a full disk too."""
        text = f"nothing is acknowledged until this passes: {error}"
        if text != self._failure:
            _log.error("%s", text)
        self._failure = text
        self.failure_file.set(text)

    def _clear_failure(self) -> None:
        if self._failure:
            _log.warning("journaling continues; nothing was lost")
            self._failure = ""
            self.failure_file.clear()
