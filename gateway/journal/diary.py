"""What the gateway notes of itself: origin, heartbeats, clock, and what it refused."""

import secrets
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
    """Writes what is due. ``now`` is Unix s; ``steady`` runs at its rate and is never stepped."""

    journal: Journal
    _heartbeat: float = 0.0
    _hour: float = 0.0
    _offset: float | None = field(default=None)

    def open(self, now: float, log_key: bytes, build: str, lost: LogMark | None = None) -> None:
        """The first leaf of a new log: where it comes from (WIRE.md, section 4).

        Nothing where the log goes on: it is begun, and nothing that was seen of it is ``lost``.
        """
        if self.journal.last_id and lost is None:
            return
        origin = secrets.token_hex(8)  # random: a checkpoint's origin names nobody
        with self.journal.transaction():
            previous = rollback.close_log(self.journal, lost) if lost else None
            body = {"origin": origin, "key": log_key.hex(), "build": build, "previous": previous}
            self.journal.log.append_fact("open", now, body)
            self.journal.log.origin = origin

    def start(self, now: float, steady: float) -> None:
        """The gateway listens from here on."""
        self._heartbeat = self._hour = steady
        self._offset = now - steady
        self._run("start", now)

    def stop(self, now: float) -> None:
        """The gateway stops listening, cleanly."""
        self._run("stop", now)

    def write_due(self, now: float, steady: float) -> bool:
        """Write a step of the clock at once, heartbeats and hourly leaves in time."""
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
                self._tell_refused(now)
        self._heartbeat = steady if beat else self._heartbeat
        self._hour = steady if hour else self._hour
        return True

    def note_step(self, now: float, steady: float) -> bool:
        """Journal a step of the clock, before anything that came after it; returns whether.

        The leaf of a step ahead bears the time that it would have been without it: whoever reads
        the journal in order knows of the step before any time passes by it.
        """
        offset = now - steady
        step = 0.0 if self._offset is None else offset - self._offset
        if abs(step) > STEP_S:
            with self.journal.transaction():
                said = {"source": "system", "step_s": round(step, 3)}
                self.journal.log.append_fact("clock", min(now, now - step), said)
        self._offset = offset  # small steps add up to nothing: NTP slews
        return abs(step) > STEP_S

    def _tell_refused(self, now: float) -> None:
        refused = self.journal.counters.refused_since_told()
        if refused:
            self.journal.log.append_fact("bad", now, refused)

    def _run(self, what: str, now: float) -> None:
        with self.journal.transaction():
            self.journal.log.append_fact("run", now, {"run": what})
