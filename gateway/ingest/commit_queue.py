"""Batches on their way to disk: judged in order, saved in order, and only then acknowledged."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
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
_REFUSALS = (JournalError, OperationalError)


@dataclass
class PendingBatch:
    """A batch, and what is due once it is saved."""

    items: Sequence[Item]
    admitted: list[Admission]
    receipts: Receipts
    fed: bool = False
    """Whether third parties' messages are among it."""
    due: list[Era] = field(default_factory=list[Era])
    last_id: int = 0
    judged: bool = False
    saved: Future[None] | None = None
    """Where another thread saves it; None when whoever judged it did."""

    @property
    def is_kept(self) -> bool:
        """Whether it is on disk."""
        return self.judged and (
            self.saved is None or (self.saved.done() and self.saved.exception() is None)
        )


@dataclass
class CommitQueue:
    """Used by the one thread that writes the journal; ``acknowledge`` is told of each batch saved.

    ``prepare`` is called before each batch is judged. What the disk refuses is tried again until
    ``stopping``, and nothing more is taken meanwhile: what is then not kept was never
    acknowledged, and comes again.
    """

    ingest: Ingest
    journal: Journal
    trouble: FailureFile
    prepare: Callable[[PendingBatch], None]
    acknowledge: Callable[[PendingBatch], None]
    stopping: Callable[[], bool]
    _savings: deque[PendingBatch] = field(default_factory=deque[PendingBatch])
    _told: str = ""

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._savings

    def commit(self, saving: PendingBatch, then: Callable[[], None] | None = None) -> None:
        """Journal a batch; with ``then``, another thread saves it and calls that at the end."""
        self._savings.append(saving)
        try:
            self._judge(saving, then)
        except _REFUSALS as error:
            self._try_again(error)
        if then is None:
            self.settle()

    def settle(self, leave: int = 0) -> None:
        """Acknowledge what is saved. Waits for all but the last ``leave`` batches."""
        while self._savings:
            saving = self._savings[0]
            if saving.saved is not None and not saving.is_kept:
                if len(self._savings) <= leave and not saving.saved.done():
                    return
                try:
                    saving.saved.result()
                except _REFUSALS as error:
                    self._try_again(error)
                    continue
            self._savings.popleft()
            self._goes_on()
            self.acknowledge(saving)

    def _judge(self, saving: PendingBatch, then: Callable[[], None] | None = None) -> None:
        saving.judged = False
        self.prepare(saving)
        saving.due = self.ingest.take(saving.items, saving.admitted, then)
        saving.saved, saving.last_id = self.journal.saving, self.journal.last_id
        saving.judged = True

    def _try_again(self, error: Exception) -> None:
        """Journal what is not kept, in order, as often as it takes."""
        while True:
            self._say(error)
            if self.stopping():
                self._savings.clear()
                return
            time.sleep(RETRY_S)
            try:
                self.journal.roll_back()
                for saving in self._savings:
                    if not saving.is_kept:
                        self._judge(saving)
            except _REFUSALS as refused:
                error = refused
            else:
                return

    def _say(self, error: Exception) -> None:
        """Told once, and where ``noria status`` finds it though the disk be full."""
        text = f"nothing is acknowledged until this passes: {error}"
        if text != self._told:
            _log.error("%s", text)
        self._told = text
        self.trouble.say(text)

    def _goes_on(self) -> None:
        if self._told:
            _log.warning("journaling goes on; nothing was lost")
            self._told = ""
            self.trouble.over()
