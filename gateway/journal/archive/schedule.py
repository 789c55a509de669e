"""Archives old months while the gateway runs: at night, in small steps."""

import contextlib
import logging
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.journal.archive.writer import ArchiveStep, ArchiveWriter
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings

_log = logging.getLogger(__name__)

NAME = "archive"
QUIET_HOUR = 3
"""Local hour of the day. Work that is left after it continues in the next night."""
OVERDUE_S = 7 * 86_400.0
"""A machine that is switched off at night archives by day, this much later."""
LOOK_S = 60.0
_REST_FACTOR = 4.0
"""Rest after a step, in times of its duration: a fifth of a core, and the disk is for ingest."""
_LEAST_REST_S = 0.05
_BUSY_REST_S = 1.0
_LONGEST_BACKOFF_S = 3600.0
_DAY_S = 86_400.0


class ArchiveSchedule:
    """A ``Worker`` calls ``turn``; nothing is archived while ``is_ingest_busy()``."""

    def __init__(
        self, settings: Settings, clock: Clock, is_ingest_busy: Callable[[], bool]
    ) -> None:
        self._path = settings.journal_path
        self._after_s = settings.archive_after_days * _DAY_S
        self._zone = ZoneInfo(settings.timezone)
        self._clock = clock
        self._is_ingest_busy = is_ingest_busy
        self._writer: ArchiveWriter | None = None
        self._steps: Iterator[ArchiveStep] | None = None

    def turn(self) -> float:
        """Run one step where one is due; returns the rest until the next turn, in real s."""
        if self._is_ingest_busy():
            return _BUSY_REST_S
        start = time.monotonic()
        try:
            stepped = self._step()
        except BaseException:
            self.end()
            raise
        rest_s = _REST_FACTOR * (time.monotonic() - start)
        return max(_LEAST_REST_S, rest_s) if stepped else LOOK_S

    def end(self) -> None:
        """Stop in the middle; the next run continues from there."""
        self._steps = None
        if self._writer:
            self._writer.close()
        self._writer = None

    def _step(self) -> bool:
        """Whether there was a step to run."""
        if self._steps is None:
            now = self._clock.now()
            self._writer = self._writer or ArchiveWriter(self._path)
            before = now - self._after_s - (0.0 if self._is_quiet(now) else OVERDUE_S)
            if not self._writer.is_due(before):
                return False
            self._steps = self._run(self._writer, before)
        if next(self._steps, None) is not None:
            return True
        self._steps = None
        return False

    def _run(self, writer: ArchiveWriter, before: float) -> Iterator[ArchiveStep]:
        began_at_night = self._is_quiet(self._clock.now())
        with contextlib.closing(writer.steps(before)) as steps:
            for step in steps:
                yield step
                if began_at_night and not self._is_quiet(self._clock.now()):
                    break
        yield from writer.release_pages()
        moved = writer.moved
        _log.info(
            "archived %d entries: %.1f MB of messages in %.1f MB",
            moved.entries,
            moved.body_bytes / 1e6,
            moved.file_bytes / 1e6,
        )

    def _is_quiet(self, now: float) -> bool:
        return datetime.fromtimestamp(now, self._zone).hour == QUIET_HOUR


@contextlib.contextmanager
def running(settings: Settings, clock: Clock, wake: Wakeup) -> Generator[None]:
    """Archive inside the block, on a thread, unless the settings turn it off.

    ``wake.busy`` is true while ingest is busy.
    """
    if not settings.archive_after_days:
        yield
        return
    schedule = ArchiveSchedule(settings, clock, lambda: wake.busy)
    backoff_s = _LONGEST_BACKOFF_S
    worker = Worker(NAME, schedule.turn, Wakeup(), schedule.end, longest_wait_s=backoff_s)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
