"""Commits one batch after the other; one that the disk refuses is tried again until it passes."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from gateway.errors import JournalError
from gateway.ingest.batch import Admission, Ingest, Item
from gateway.journal.eras import Era
from gateway.journal.failure_file import FailureFile

_log = logging.getLogger(__name__)

RETRY_S = 1.0

Prepare = Callable[[Sequence[Item], Sequence[Admission]], Sequence[Admission]]
"""Gets ready to judge a batch; returns its admissions. Raises OperationalError, JournalError."""


@dataclass
class Commits:
    """Used by the one thread that writes the journal, until ``stopping``."""

    ingest: Ingest
    failure_file: FailureFile
    prepare: Prepare
    stopping: threading.Event
    _failure: str = ""

    def commit(self, batch: Sequence[Item]) -> list[Era] | None:
        """Admit and journal a batch; returns the eras that need an ack.

        None when ``stopping`` and the disk still refuses it: it was never acknowledged, so its
        senders send it again.
        """
        admitted = self.ingest.admit(batch)
        while True:
            try:
                eras = self.ingest.journal(batch, self.prepare(batch, admitted))
            except (JournalError, OperationalError) as error:
                self._report(error)
                if self.stopping.is_set():
                    return None
                time.sleep(RETRY_S)
            else:
                self._clear_failure()
                return eras

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
