"""When a boot began: the anchor that places its readings in time (WIRE.md, "Event time").

Most messages know the time themselves. Those that do not, or cannot be believed, are placed by
their boot: event time = anchor + up - o.
"""

from dataclasses import dataclass

EARLIEST_UNIX = 1_767_225_600  # 2026-01-01T00:00:00Z: no device of ours spoke before
LATEST_AHEAD_S = 300
_KEPT_BOOTS = 512  # in each era: a year of a node that browns out every night


def is_plausible(t: int, received: float) -> bool:
    """Whether a device's own time ``t`` (Unix s) may be used for a message received then."""
    return EARLIEST_UNIX <= t <= received + LATEST_AHEAD_S


@dataclass(slots=True)
class Boot:
    """What is known of one boot; ``estimated`` counts messages that needed the anchor."""

    longest_up: int = 0
    estimated: int = 0
    told_anchor: float | None = None  # t - up of the valid message with the smallest ta
    told_ta: int | None = None
    told_seq: int = 0
    heard_anchor: float | None = None  # the smallest received - up

    def learn(self, *, t: int, up: int, ta: int | None, seq: int, received: float) -> None:
        """Take one message of this boot into account."""
        self.longest_up = max(self.longest_up, up)
        heard = received - up
        self.heard_anchor = heard if self.heard_anchor is None else min(self.heard_anchor, heard)
        if not is_plausible(t, received):
            self.estimated += 1
        elif self.told_anchor is None or _rank(ta, seq) < _rank(self.told_ta, self.told_seq):
            self.told_anchor, self.told_ta, self.told_seq = float(t - up), ta, seq


def _rank(ta: int | None, seq: int) -> tuple[bool, int, int]:
    return (ta is None, ta or 0, seq)


class EraBoots:
    """The boots of one era of one device, by number."""

    __slots__ = ("_boots", "_guessed")

    def __init__(self, boots: dict[int, Boot] | None = None) -> None:
        self._boots: dict[int, Boot] = boots or {}
        self._guessed = {number for number, boot in self._boots.items() if boot.estimated}
        """Boots with estimated messages: most devices always know the time, and have none."""

    def learn(
        self, boot: int, *, t: int, up: int, ta: int | None, seq: int, received: float
    ) -> tuple[int, ...]:
        """Take one message into account; returns the boots whose event times moved by it.

        Only boots that hold estimated messages heard before this one can move: this boot, and
        earlier ones that may not outlast it.
        """
        before = {b: self.anchor(b) for b in self._guessed if b <= boot}
        own = self._boots.get(boot)
        if own is None:
            own = self._boots[boot] = Boot()
        own.learn(t=t, up=up, ta=ta, seq=seq, received=received)
        if own.estimated:
            self._guessed.add(boot)
        self._forget()
        if not before:
            return ()
        return tuple(b for b, at in before.items() if b in self._boots and self.anchor(b) != at)

    def anchor(self, boot: int) -> float | None:
        """Unix time at which ``boot`` began, as now known; None when nothing is known of it."""
        own = self._boots.get(boot)
        if own is None:
            return None
        if own.told_anchor is not None:
            return own.told_anchor
        begin: float | None = None
        for number in reversed(self._up_to_told(boot)):
            begin = self._heard(self._boots[number], begin)
        return begin

    def _up_to_told(self, boot: int) -> list[int]:
        """``boot`` and the boots after it, up to the first that knows its own time."""
        chain: list[int] = []
        for number in sorted(b for b in self._boots if b >= boot):
            chain.append(number)
            if self._boots[number].told_anchor is not None:
                break
        return chain

    @staticmethod
    def _heard(boot: Boot, next_begin: float | None) -> float | None:
        if boot.told_anchor is not None:
            return boot.told_anchor
        if next_begin is None or boot.heard_anchor is None:
            return boot.heard_anchor
        return min(boot.heard_anchor, next_begin - boot.longest_up)

    def _forget(self) -> None:
        while len(self._boots) > _KEPT_BOOTS:
            oldest = min(self._boots)
            del self._boots[oldest]
            self._guessed.discard(oldest)

    def state(self) -> dict[str, list[float | int | None]]:
        """JSON-able, for ``restored``."""
        return {
            str(number): [b.longest_up, b.estimated, b.told_anchor, b.told_ta, b.told_seq,
                          b.heard_anchor]
            for number, b in self._boots.items()
        }  # fmt: skip

    @classmethod
    def restored(cls, state: dict[str, list[float | int | None]]) -> "EraBoots":
        """From what ``state`` gave."""
        return cls({int(number): _boot(values) for number, values in state.items()})


def _boot(values: list[float | int | None]) -> Boot:
    longest, estimated, told, ta, seq, heard = values
    return Boot(
        int(longest or 0), int(estimated or 0), told, None if ta is None else int(ta),
        int(seq or 0), heard,
    )  # fmt: skip
