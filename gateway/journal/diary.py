"""The gateway's entries about itself: origin, starts, heartbeats, clock, refusals."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.journal import rollback
from gateway.journal.integrity.witness import LogMark
from gateway.journal.writer import Journal

HEARTBEAT_S = 600.0
HOUR_S = 3600.0
STEP_S = 2.0
"""A larger gap between the wall clock and the steady one is a step (NTP slews smaller ones)."""


@dataclass
class Diary:
    """Writes these entries. ``now`` is Unix s; ``steady`` has its rate and is never stepped."""

    journal: Journal
    _heartbeat: float = 0.0
    _hour: float = 0.0
    _offset: float | None = field(default=None)

    def open(
        self, now: float, public_key: Callable[[], bytes], build: str, lost: LogMark | None = None
    ) -> None:
        """Write the first leaf of a new log, its origin, with its key (WIRE.md, section 4).

        A log that has begun needs none, unless the journal lost leaves that others saw (``lost``).
        """
        if self.journal.last_id and lost is None:
            return
        origin = secrets.token_hex(8)  # random: a checkpoint's origin names nobody
        key = public_key()
        with self.journal.transaction():
            previous = rollback.close_log(self.journal, lost) if lost else None
            body = {"origin": origin, "key": key.hex(), "build": build, "previous": previous}
            self.journal.log.append_fact("open", now, body)
            self.journal.log.origin = origin

    def start(self, now: float, steady: float) -> None:
        """The gateway begins to listen."""
        self._heartbeat = self._hour = steady
        self._offset = now - steady
        self._run("start", now)

    def stop(self, now: float) -> None:
        """The gateway stops listening, cleanly."""
        self._run("stop", now)

    def write_due(self, now: float, steady: float) -> bool:
        """Write the entries that are due; returns whether there were any."""
        stepped = self.note_step(now, steady)
        beat, hour = steady - self._heartbeat >= HEARTBEAT_S, steady - self._hour >= HOUR_S
        if not (beat or hour):
            return stepped
        with self.journal.transaction():
            if hour:
                self.journal.log.append_fact("clock", now, {"source": "system", "step_s": 0})
            if beat:
                self.journal.log.append_fact("run", now, {"run": "heartbeat"})
            if hour:
                refused = self.journal.counters.take_refused()
                if refused:
                    self.journal.log.append_fact("bad", now, refused)
        self._heartbeat = steady if beat else self._heartbeat
        self._hour = steady if hour else self._hour
        return True

    def note_step(self, now: float, steady: float) -> bool:
        """Journal a step of the clock before all later entries; returns whether there was one.

        The leaf of a step ahead has the time before the step, so that a reader of the journal
        learns of the step before the time jumps.
        """
        offset = now - steady
        step = 0.0 if self._offset is None else offset - self._offset
        if abs(step) > STEP_S:
            with self.journal.transaction():
                body = {"source": "system", "step_s": round(step, 3)}
                self.journal.log.append_fact("clock", min(now, now - step), body)
        self._offset = offset  # not a sum of small differences: NTP slews
        return abs(step) > STEP_S

    def _run(self, what: str, now: float) -> None:
        with self.journal.transaction():
            self.journal.log.append_fact("run", now, {"run": what})
