"""Up to when several gateways together have told everything, and when none of them listened.

The watch may believe a silence up to the horizon only: what any gateway received before it has
come in. A gateway that stands still is waited for a few seconds, then not any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HOLD_S = 5.0
"""Real seconds: so long a gateway that says nothing new holds up the watch."""
SKEW_S = 60.0
"""A gateway whose clock is further behind ours than this is not waited for."""
STEP_S = 5.0
"""Our clock went ahead by more than this beside the steady one: that time nobody heard."""


@dataclass(frozen=True, slots=True)
class GatewayMark:
    """What a gateway says: all that it received before ``until`` (Unix s) is in.

    ``since``: it has listened without a break since then; None: it does not listen. ``waiting``:
    it has more to say than it has said.
    """

    until: float
    since: float | None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class HorizonStep:
    """The horizon moved to ``at``; ``turns`` are (Unix s, whether somebody listens from then)."""

    at: float
    turns: tuple[tuple[float, bool], ...] = ()
    back_s: float = 0.0
    """So far back our clock was stepped (negative), else 0."""


@dataclass
class Horizon:
    """``at`` and ``hears`` are saved by the caller and given again to the next holder."""

    at: float | None
    hears: bool
    speed: float = 1.0
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    _looked: tuple[float, float] | None = None
    _skipped: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def look(
        self, members: Mapping[str, GatewayMark], now: float, steady: float
    ) -> HorizonStep | None:
        """Move on as far as the members allow; None where nothing moves.

        ``now`` is our clock (Unix s), ``steady`` real seconds that are never stepped.
        """
        awaited = self._awaited(members, now, steady)
        self._mind_step(now, steady)
        reach = min((m.until for m in awaited), default=None)
        if reach is None:
            return None
        if self.at is None:
            heard = any(m.since is not None and m.since <= reach for m in awaited)
            return self._moved(reach, ((reach, True),) if heard else ())
        if now < self.at - SKEW_S * self.speed:
            return self._moved(now, (), now - self.at)
        if reach <= self.at:
            return None
        return self._moved(reach, self._turns(self._spells(members, self.at, reach), reach))

    def _moved(
        self, at: float, turns: tuple[tuple[float, bool], ...], back_s: float = 0.0
    ) -> HorizonStep:
        self.at = at
        self.hears = turns[-1][1] if turns else self.hears
        self._skipped = [spell for spell in self._skipped if spell[1] > at]
        return HorizonStep(at, turns, back_s)

    def _awaited(
        self, members: Mapping[str, GatewayMark], now: float, steady: float
    ) -> list[GatewayMark]:
        """Those that moved within HOLD_S, as we saw it; none may drag us by a wrong clock."""
        found: list[GatewayMark] = []
        if self._looked is None or steady - self._looked[1] > HOLD_S:
            self._seen.clear()  # we were away, and saw nobody standing still
        for name, member in members.items():
            until, when = self._seen.get(name, (None, steady))
            when = when if until == member.until else steady
            self._seen[name] = (member.until, when)
            is_behind = not member.waiting and member.until < now - SKEW_S * self.speed
            if steady - when < HOLD_S and not is_behind and member.until < float("inf"):
                found.append(member)
        return found

    def _mind_step(self, now: float, steady: float) -> None:
        if self._looked is not None:
            was, then = self._looked
            if now - was > (steady - then + STEP_S) * self.speed:
                self._skipped.append((was, now))
        self._looked = (now, steady)

    def _spells(
        self, members: Mapping[str, GatewayMark], start: float, end: float
    ) -> list[tuple[float, float]]:
        """When at least one member listened between ``start`` and ``end``, in order, apart."""
        joined: list[tuple[float, float]] = []
        told = sorted((m.since, m.until) for m in members.values() if m.since is not None)
        clipped = [(max(since, start), min(until, end)) for since, until in told]
        for a, b in clipped:
            if a >= b:
                continue
            if joined and a <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
            else:
                joined.append((a, b))
        for gap in self._skipped:
            joined = [piece for spell in joined for piece in _without(spell, gap)]
        return joined

    def _turns(
        self, spells: Sequence[tuple[float, float]], reach: float
    ) -> tuple[tuple[float, bool], ...]:
        """Where listening began and ended after the old horizon."""
        assert self.at is not None
        hears, end = self.hears, self.at
        turns: list[tuple[float, bool]] = []
        for start, stop in spells:
            if hears and start > end:
                turns.append((end, False))
            if not hears or start > end:
                turns.append((start, True))
            hears, end = True, stop
        if hears and end < reach:
            turns.append((end, False))
        return tuple(turns)


def _without(spell: tuple[float, float], gap: tuple[float, float]) -> list[tuple[float, float]]:
    pieces = ((spell[0], min(spell[1], gap[0])), (max(spell[0], gap[1]), spell[1]))
    return [(a, b) for a, b in pieces if a < b]
