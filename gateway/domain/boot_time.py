"""The anchor of a boot: the time at which it began (WIRE.md, "Event time").

Most messages carry a plausible time. For the others, event time = anchor + up - o.
"""

from dataclasses import dataclass
from typing import cast

from gateway.domain.entry import JSON

EARLIEST_UNIX = 1_767_225_600  # 2026-01-01T00:00:00Z: before any device of this project
LATEST_AHEAD_S = 300
_KEPT_BOOTS = 512  # in an era: more than a year of a brown-out every night


def is_plausible(t: int, received: float) -> bool:
    """Whether a device's time ``t`` (Unix s) may be used for a message received at ``received``."""
    return EARLIEST_UNIX <= t <= received + LATEST_AHEAD_S


@dataclass(slots=True)
class Boot:
    """The state of one boot; ``estimated`` counts the messages that need its anchor.

    ``longest_up`` and ``receipt_anchor`` are of the messages before ``device_anchor`` was known.
    """

    longest_up: int = 0
    estimated: int = 0
    device_anchor: float | None = None  # t - up of the valid message with the smallest ta
    device_ta: int | None = None
    device_seq: int = 0
    receipt_anchor: float | None = None  # the smallest received - up

    def learn(self, *, t: int, up: int, ta: int | None, seq: int, received: float) -> bool:
        """Update it by one of its messages; returns whether that changed it."""
        if not is_plausible(t, received):
            self.estimated += 1
        elif self.device_anchor is None or _is_better(ta, seq, self.device_ta, self.device_seq):
            self.device_anchor, self.device_ta, self.device_seq = float(t - up), ta, seq
        else:
            return False
        if self.device_anchor is None:
            begin = received - up
            known = self.receipt_anchor
            self.receipt_anchor = begin if known is None else min(known, begin)
            self.longest_up = max(self.longest_up, up)
        return True


def _is_better(ta: int | None, seq: int, than_ta: int | None, than_seq: int) -> bool:
    """Whether one message's clock was set more recently than another's, or else is older."""
    if ta is None or than_ta is None:
        return (ta is None, seq) < (than_ta is None, than_seq)
    return ta < than_ta or (ta == than_ta and seq < than_seq)


class EraBoots:
    """The boots of one era of one device, by number."""

    __slots__ = ("_boots", "_guessed")

    def __init__(self, boots: dict[int, Boot] | None = None) -> None:
        self._boots: dict[int, Boot] = boots or {}
        self._guessed = tuple(number for number, boot in self._boots.items() if boot.estimated)
        """Boots with estimated messages: most devices always have the time, and no such boot.

        An empty set would take 216 bytes for each device, in both projections.
        """

    def learn(
        self, boot: int, *, t: int, up: int, ta: int | None, seq: int, received: float
    ) -> tuple[int, ...] | None:
        """Update the boots by one message; returns those whose event times changed.

        None when it changed nothing, as most do: then there is nothing to save. Event times can
        change in boots with earlier estimated messages: this boot, and earlier ones, which must
        end before it begins.
        """
        guessed = sorted([b for b in self._guessed if b <= boot]) if self._guessed else []
        before = self._begins(guessed[0]) if guessed else {}
        own = self._boots.get(boot)
        if own is None:
            own = self._boots[boot] = Boot()
        if not own.learn(t=t, up=up, ta=ta, seq=seq, received=received):
            return None
        if own.estimated and boot not in self._guessed:
            self._guessed += (boot,)
        self._forget()
        if not guessed:
            return ()
        after = self._begins(guessed[0])
        return tuple([b for b in guessed if b in after and after[b] != before[b]])

    def anchor(self, boot: int) -> float | None:
        """Unix time at which ``boot`` began, by what is known now; None for an unknown boot."""
        return self._begins(boot).get(boot)

    def _begins(self, first: int) -> dict[int, float | None]:
        """When each boot from ``first`` on began; from the last back, since the next limits it."""
        begins: dict[int, float | None] = {}
        begin: float | None = None
        for number in sorted((b for b in self._boots if b >= first), reverse=True):
            begin = begins[number] = self._begin(self._boots[number], begin)
        return begins

    @staticmethod
    def _begin(boot: Boot, next_begin: float | None) -> float | None:
        if boot.device_anchor is not None:
            return boot.device_anchor
        if next_begin is None or boot.receipt_anchor is None:
            return boot.receipt_anchor
        return min(boot.receipt_anchor, next_begin - boot.longest_up)

    def _forget(self) -> None:
        while len(self._boots) > _KEPT_BOOTS:
            oldest = min(self._boots)
            del self._boots[oldest]
            self._guessed = tuple(number for number in self._guessed if number != oldest)

    def state(self) -> JSON:
        """The state, for ``restored``."""
        return {
            str(number): [b.longest_up, b.estimated, b.device_anchor, b.device_ta, b.device_seq,
                          b.receipt_anchor]
            for number, b in self._boots.items()
        }  # fmt: skip

    @classmethod
    def restored(cls, state: JSON) -> "EraBoots":
        """Inverse of ``state``."""
        boots = cast("dict[str, list[float | int | None]]", state)
        return cls({int(number): _boot(values) for number, values in boots.items()})


def _boot(values: list[float | int | None]) -> Boot:
    longest, estimated, device, ta, seq, receipt = values
    return Boot(
        int(longest or 0), int(estimated or 0), device, None if ta is None else int(ta),
        int(seq or 0), receipt,
    )  # fmt: skip
