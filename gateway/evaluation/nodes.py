"""A node: measures, seals messages, sends them when it can, and wakes on tampering."""

import itertools
from dataclasses import dataclass, field
from random import Random

import msgspec

from gateway.domain.envelope import up_topic
from gateway.evaluation.sensing import LevelSensor, SensorValue
from gateway.evaluation.truth import DAY_S

_encode = msgspec.json.Encoder().encode

RECOVERY_FAST_S, RECOVERY_SLOW_S, RECOVERY_FAST_FOR_S = 30.0, 300.0, 1800.0
_STILL_S = 600.0
_RETRY_S, _RETRY_LONGEST_S = 60.0, 4 * 3600.0
_LOW_MV, _NO_RADIO_MV, _LONGEST_PROMISE_S = 3400.0, 3300.0, 604_800
_MOST_READINGS = 24  # of one message, about 2 KB

_DISCHARGE_MV = (
    (1.0, 4150.0), (0.8, 3960.0), (0.6, 3830.0), (0.4, 3730.0), (0.2, 3620.0), (0.08, 3500.0),
    (0.03, 3400.0), (0.0, 3280.0),
)  # fmt: skip
"""Part of the charge left, and the millivolts of a lithium-ion cell under a small load."""


@dataclass(slots=True)
class Battery:
    """A cell full at ``full_at`` that lasts ``life_s``; None for mains."""

    full_at: float
    life_s: float

    def left(self, at: float) -> float:
        """The part of the charge that is left."""
        return max(1.0 - (at - self.full_at) / self.life_s, 0.0)

    def millivolts(self, at: float) -> float:
        """The cell's voltage."""
        left = min(self.left(at), 1.0)
        for (high, upper), (low, lower) in itertools.pairwise(_DISCHARGE_MV):
            if left >= low:
                return lower + (upper - lower) * (left - low) / (high - low)
        return _DISCHARGE_MV[-1][1]


@dataclass(slots=True)
class Node:
    """One node's state. ``report_every``: readings in an ordinary message."""

    random: Random
    device: str
    tank: str
    sensor: LevelSensor
    interval_s: float
    report_every: int
    uplink: str | None
    battery: Battery | None
    rssi: float
    has_lid: bool = True
    has_clock: bool = True
    change_mm: int = 0  # reports at once after such a change; 0: never
    sends_air: bool = True
    era: str = "aaaaaaaa"
    alive: bool = True
    boot: int = 1
    booted_at: float = 0.0
    seq: int = 0
    readings: list[tuple[float, SensorValue]] = field(
        default_factory=list[tuple[float, SensorValue]]
    )
    events: list[tuple[float, dict[str, int | str | bool]]] = field(
        default_factory=list[tuple[float, dict[str, int | str | bool]]]
    )
    urgent: bool = False
    fails: int = 0
    retry_at: float = 0.0
    recovery_at: float | None = None
    moved_at: float = 0.0
    shaken_until: float = 0.0
    shaken_mg: int = 0
    sent_mm: int | None = None
    since_report: int = 0
    wake_number: int = 0  # of the wake that is scheduled; an earlier one is void

    @property
    def report_s(self) -> float:
        """Seconds between messages while all is quiet."""
        return self.interval_s * self.report_every

    def next_wake_s(self, now: float) -> float:
        """Seconds until it measures again. Asleep its clock runs +-2 %."""
        wait = self._recovery_s(now) if self.recovery_at is not None else self.interval_s
        wait *= self.random.uniform(0.985, 1.0)
        if self.retry_at > now and (self.urgent or self.recovery_at is not None):
            wait = min(wait, max(self.retry_at - now, 30.0))
        return wait

    def _recovery_s(self, now: float) -> float:
        is_fast = now - (self.recovery_at or now) < RECOVERY_FAST_FOR_S
        return RECOVERY_FAST_S if is_fast else RECOVERY_SLOW_S

    def _millivolts(self, now: float) -> float:
        return self.battery.millivolts(now) if self.battery is not None else 5000.0

    def promise_s(self, now: float) -> int:
        """``next`` of a message sealed now; a low battery allows events only."""
        if self._millivolts(now) < _LOW_MV and self.recovery_at is None:
            return _LONGEST_PROMISE_S
        return round(self._recovery_s(now) if self.recovery_at is not None else self.report_s)

    def measure(self, now: float, level_mm: float) -> None:
        """Take one reading; in recovery mode look for motion and stillness too."""
        self.readings.append((now, self.sensor.read(now, level_mm)))
        self.since_report += 1
        if self.recovery_at is None:
            return
        if now < self.shaken_until:
            self.moved_at = now
            self.add(now, "motion", ms=self.random.randint(600, 1000), mg=self.shaken_mg)
        elif now - self.moved_at >= _STILL_S:
            self.add(now, "still")
            self.recovery_at, self.urgent = None, True

    def add(self, now: float, kind: str, **fields: int | str | bool) -> None:
        """Append an event; it is sent with the next message."""
        self.events.append((now, {"k": kind, **fields}))

    def recover(self, now: float) -> None:
        """Begin recovery mode."""
        self.urgent, self.moved_at = True, now
        if self.recovery_at is None:
            self.recovery_at = now

    def wants_to_report(self, now: float) -> bool:
        """Whether this wake ends with a message, if the network is there."""
        if self._millivolts(now) < (_NO_RADIO_MV if self.urgent else _LOW_MV):
            return False
        if self.urgent and not self.fails:
            return True
        if now < self.retry_at:
            return False
        mm = self.readings[-1][1][0] if self.readings else None
        moved = (
            self.change_mm > 0 and mm is not None and self.sent_mm is not None
            and abs(mm - self.sent_mm) >= self.change_mm
        )  # fmt: skip
        is_due = self.since_report >= self.report_every
        return self.urgent or self.recovery_at is not None or moved or is_due

    @property
    def newest_at(self) -> float:
        """The time of the newest unsent reading or event."""
        times = [at for at, _ in self.readings[-1:]] + [at for at, _ in self.events]
        return max(times, default=0.0)

    def fail(self, now: float) -> None:
        """No network: back off."""
        longest = RECOVERY_SLOW_S if self.recovery_at is not None else _RETRY_LONGEST_S
        self.retry_at = now + min(_RETRY_S * 2 ** min(self.fails, 10), longest)
        self.fails += 1

    def seal(self, now: float) -> list[bytes]:
        """All unsent readings and events as messages, in the order in which it publishes them.

        The newest first, then the others, oldest first (WIRE.md).
        """
        parts = [
            self.readings[i : i + _MOST_READINGS]
            for i in range(0, len(self.readings), _MOST_READINGS)
        ] or [[]]
        sealed = [self._message(now, part, []) for part in parts[:-1]]
        sealed.insert(0, self._message(now, parts[-1], self.events))
        if self.readings and self.readings[-1][1][0] is not None:
            self.sent_mm = self.readings[-1][1][0]
        self.readings, self.events = [], []
        self.urgent, self.fails, self.retry_at, self.since_report = False, 0, 0.0, 0
        return sealed

    def _message(
        self, now: float, readings: list[tuple[float, SensorValue]],
        events: list[tuple[float, dict[str, int | str | bool]]],
    ) -> bytes:  # fmt: skip
        self.seq += 1
        sealed = int(now)
        message: dict[str, object] = {
            "v": 1, "fw": "0.2.0", "era": self.era, "boot": self.boot, "seq": self.seq, "prev": "",
            "up": max(sealed - int(self.booted_at), 1), "t": sealed if self.has_clock else 0,
            "ts": "ntp" if self.has_clock else "none", "next": self.promise_s(now),
        }  # fmt: skip
        if self.has_clock:
            message["ta"] = int((now - self.booted_at) % DAY_S)
        if self.battery is not None:
            message["mv"] = round(self.battery.millivolts(now) + self.random.gauss(0, 4))
        message["rssi"] = round(min(self.rssi + self.random.gauss(0, 2.5), -30))
        message["r"] = [self._reading(sealed, at, value) for at, value in readings]
        if events:
            message["e"] = [{"o": max(sealed - int(at), 0), **fields} for at, fields in events]
        return _encode(message)

    def _reading(self, sealed: int, at: float, value: SensorValue) -> dict[str, int | None]:
        mm, spread, valid, tried, tenths = value
        found: dict[str, int | None] = {"o": max(sealed - int(at), 0), "mm": mm}
        if mm is not None:
            found["sp"] = spread
        found |= {"n": valid, "of": tried}
        if self.sends_air:
            found["tc"] = tenths
        return found

    def line(self, received: float, payload: bytes) -> bytes:
        """The line of a recording for one of its messages."""
        topic = up_topic(self.device)
        return _encode(
            {"received": round(received, 3), "topic": topic, "payload": payload.decode()}
        )

    def reboot(self, now: float) -> None:
        """A cold start: a new boot, counted from 1."""
        self.boot, self.seq, self.booted_at = self.boot + 1, 0, now
        self.add(now, "boot", c="power")
