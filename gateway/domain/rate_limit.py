"""Limits each device to a rate that no honest node reaches, or four times that of the others.

Withholding PUBACK would stop every device, so a flood is acknowledged to the broker, dropped and
counted. A dropped message gets no ``ack``, so its node keeps it. Only *new authentic* messages
count: duplicates and forgeries are cheap, and a forger must not silence the real node.
"""

from dataclasses import dataclass, field

BURST = 30_000
"""Messages that a device may send at once. The largest honest backlog is a full ring of 9,072
readings, 63 days of one in ten minutes; with one reading a message, a third of this.
"""

PER_S = 10.0
"""Messages that a device regains each second; a node in recovery sends one every 30 s."""

FAIR = 4.0
"""Or this multiple of the other devices' average rate: when all are busy, none floods."""

WINDOW_S = 10.0

DAY_BYTES = 64_000_000
"""Bytes of messages that a device may send at once, and regains in a day. Five hundred bytes every
second of a day are two thirds; one key once filled 273 MB of disk in 79 s."""
_DAY_S = 86_400.0


@dataclass(slots=True)
class RateLimiter:
    """Token buckets by device. Times are receive times, Unix s; a step of the clock is harmless.

    A bucket is refilled, for all the time that passed, only when it is found empty, which is rare.
    ``undo`` returns what ``spend`` took since the last ``settle``: a batch that the disk refuses is
    retried.
    """

    _left: dict[str, float] = field(default_factory=dict[str, float])
    _filled: dict[str, float] = field(default_factory=dict[str, float])
    _bytes: dict[str, float] = field(default_factory=dict[str, float])
    _bytes_filled: dict[str, float] = field(default_factory=dict[str, float])
    _spent: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    _began: float = 0.0
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _counts_before: dict[str, int] = field(default_factory=dict[str, int])
    _total_before: int = 0

    def floods(self, device: str, now: float) -> bool:
        """Whether a message of ``device`` must be dropped."""
        left = self._left.get(device, BURST)
        if self._bytes.get(device, 1.0) <= 0.0 and self._lacks_bytes(device, now):
            return True
        if left >= 1.0:
            return False
        left += max(0.0, now - self._filled[device]) * self._per_s(device)
        self._left[device], self._filled[device] = min(BURST, left), now
        return left < 1.0

    def _lacks_bytes(self, device: str, now: float) -> bool:
        passed_s = max(0.0, now - self._bytes_filled[device])
        left = self._bytes[device] + passed_s * DAY_BYTES / _DAY_S
        self._bytes[device], self._bytes_filled[device] = min(DAY_BYTES, left), now
        return left <= 0.0

    def spend(self, device: str, now: float, size: int = 0) -> None:
        """Take one message of ``size`` bytes from the buckets of ``device``."""
        left = self._left.get(device)
        if left is None:
            left, self._filled[device] = BURST, now
            self._bytes[device], self._bytes_filled[device] = DAY_BYTES, now
        self._left[device] = left - 1.0
        self._bytes[device] -= size
        self._spent.append((device, size))
        if not 0.0 <= now - self._began < WINDOW_S:
            self._begin_window(now)
        self._counts[device] = self._counts.get(device, 0) + 1

    def settle(self) -> None:
        """What was spent so far is saved."""
        self._spent.clear()

    def undo(self) -> None:
        """Return what was spent and not settled."""
        for device, size in self._spent:
            self._left[device] += 1.0
            self._bytes[device] += size
        self._spent.clear()

    def _per_s(self, device: str) -> float:
        others = len(self._counts_before) - (device in self._counts_before)
        if others < 1:
            return PER_S
        theirs = self._total_before - self._counts_before.get(device, 0)
        return max(PER_S, FAIR * theirs / others / WINDOW_S)

    def _begin_window(self, now: float) -> None:
        adjoining = now - self._began < 2 * WINDOW_S
        self._counts_before = self._counts if adjoining else {}
        self._total_before = sum(self._counts_before.values())
        self._counts, self._began = {}, now
