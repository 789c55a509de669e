"""Moves old months out of the journal while the gateway runs: at night, a little at a time."""

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
"""Local time. What is not done in that hour goes on in the next night."""
OVERDUE_S = 7 * 86_400.0
"""A machine that is never up at night does it by day, so much later."""
LOOK_S = 60.0
_REST = 4.0
"""Times as long as it worked: a fifth of a core, and the disk is ingest's."""
_LEAST_REST_S = 0.05
_PRESSED_S = 1.0
_LONGEST_WAIT_S = 3600.0
_DAY_S = 86_400.0


class ArchiveSchedule:
    """Its ``turn`` does one bounded step, run by a ``Worker``; ``pressed``: ingest has no time."""

    def __init__(self, settings: Settings, clock: Clock, pressed: Callable[[], bool]) -> None:
        self._path = settings.journal_path
        self._after_s = settings.archive_after_days * _DAY_S
        self._zone = ZoneInfo(settings.timezone)
        self._clock = clock
        self._pressed = pressed
        self._archiving: ArchiveWriter | None = None
        self._steps: Iterator[ArchiveStep] | None = None

    def turn(self) -> float:
        """One step of what is due; returns how long to rest (real s)."""
        if self._pressed():
            return _PRESSED_S
        begun = time.monotonic()
        try:
            done = self._step()
        except BaseException:
            self.end()
            raise
        return max(_LEAST_REST_S, _REST * (time.monotonic() - begun)) if done else LOOK_S

    def end(self) -> None:
        """Leave what is under way as it is: the next run goes on there."""
        self._steps = None
        if self._archiving:
            self._archiving.close()
        self._archiving = None

    def _step(self) -> bool:
        """Whether there was anything to do."""
        now = self._clock.now()
        if self._steps is None:
            self._archiving = self._archiving or ArchiveWriter(self._path)
            before = now - self._after_s - (0.0 if self._is_quiet(now) else OVERDUE_S)
            if not self._archiving.is_due(before):
                return False
            self._steps = self._all(self._archiving, before)
        if next(self._steps, None) is not None:
            return True
        self._steps = None
        return False

    def _all(self, archiving: ArchiveWriter, before: float) -> Iterator[ArchiveStep]:
        night = self._is_quiet(self._clock.now())
        with contextlib.closing(_steps(archiving, before)) as steps:
            for step in steps:
                yield step
                if night and not self._is_quiet(self._clock.now()):
                    break
        yield from archiving.give_back()
        moved = archiving.moved
        _log.info(
            "archived %d entries: %.1f MB of messages in %.1f MB",
            moved.entries,
            moved.body_bytes / 1e6,
            moved.file_bytes / 1e6,
        )

    def _is_quiet(self, now: float) -> bool:
        return datetime.fromtimestamp(now, self._zone).hour == QUIET_HOUR


def _steps(archiving: ArchiveWriter, before: float) -> Generator[ArchiveStep]:
    yield from archiving.steps(before)


@contextlib.contextmanager
def running(settings: Settings, clock: Clock, wake: Wakeup) -> Generator[None]:
    """Keep an archivist for as long as the block lasts, unless the settings want none.

    ``wake`` tells whether ingest is pressed.
    """
    if not settings.archive_after_days:
        yield
        return
    archivist = ArchiveSchedule(settings, clock, lambda: wake.busy)
    loop = Worker(NAME, archivist.turn, Wakeup(), archivist.end, longest_wait_s=_LONGEST_WAIT_S)
    loop.start()
    try:
        yield
    finally:
        loop.stop()
