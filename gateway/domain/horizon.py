"""The horizon of several gateways: the time up to which all of their entries are registered.

The watch may believe a silence only up to the horizon. A gateway that makes no progress delays it
for a few seconds. The horizon also records when no gateway listened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HOLD_S = 5.0
"""Real seconds for which a gateway without progress delays the watch."""
SKEW_S = 60.0
"""A gateway whose clock is further behind ours delays nothing."""
STEP_S = 5.0
"""Where our clock gains more than this on the steady one, nobody listened in that time."""


@dataclass(frozen=True, slots=True)
class GatewayMark:
    """A gateway's state: all that it received before ``until`` (Unix s) is registered.

    ``since``: it has listened without a break since then; None: it does not listen. ``waiting``:
    its journal has entries that are not registered.
    """

    until: float
    since: float | None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class HorizonStep:
    """The horizon moved to ``at``; ``switches`` are (Unix s, whether any gateway listens)."""

    at: float
    switches: tuple[tuple[float, bool], ...] = ()
    back_s: float = 0.0
    """By how much our clock was stepped back (negative), else 0."""


@dataclass
class Horizon:
    """The caller saves ``at`` and ``listening``, and passes them to the next leader's horizon."""

    at: float | None
    listening: bool
    speed: float = 1.0
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    _looked: tuple[float, float] | None = None
    _skipped: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def look(
        self, members: Mapping[str, GatewayMark], now: float, steady: float
    ) -> HorizonStep | None:
        """Move as far as the members allow; None where nothing moves.

        ``now`` is our clock (Unix s), ``steady`` real seconds that are never stepped.
        """
        awaited = self._awaited(members, now, steady)
        self._note_step(now, steady)
        reach = min((m.until for m in awaited), default=None)
        if reach is None:
            return None
        if self.at is None:
            listened = any(m.since is not None and m.since <= reach for m in awaited)
            return self._moved(reach, ((reach, True),) if listened else ())
        if now < self.at - SKEW_S * self.speed:
            return self._moved(now, (), now - self.at)
        if reach <= self.at:
            return None
        return self._moved(reach, self._switches(self._spells(members, self.at, reach), reach))

    def _moved(
        self, at: float, switches: tuple[tuple[float, bool], ...], back_s: float = 0.0
    ) -> HorizonStep:
        self.at = at
        self.listening = switches[-1][1] if switches else self.listening
        self._skipped = [spell for spell in self._skipped if spell[1] > at]
        return HorizonStep(at, switches, back_s)

    def _awaited(
        self, members: Mapping[str, GatewayMark], now: float, steady: float
    ) -> list[GatewayMark]:
        """The members that moved within HOLD_S; a wrong clock must not delay the horizon."""
        found: list[GatewayMark] = []
        if self._looked is None or steady - self._looked[1] > HOLD_S:
            self._seen.clear()  # we were away, and saw no progress
        for name, member in members.items():
            until, when = self._seen.get(name, (None, steady))
            when = when if until == member.until else steady
            self._seen[name] = (member.until, when)
            is_behind = not member.waiting and member.until < now - SKEW_S * self.speed
            if steady - when < HOLD_S and not is_behind and member.until < float("inf"):
                found.append(member)
        return found

    def _note_step(self, now: float, steady: float) -> None:
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
        spans = sorted((m.since, m.until) for m in members.values() if m.since is not None)
        clipped = [(max(since, start), min(until, end)) for since, until in spans]
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

    def _switches(
        self, spells: Sequence[tuple[float, float]], reach: float
    ) -> tuple[tuple[float, bool], ...]:
        """When listening began and ended after the old horizon."""
        assert self.at is not None
        listening, end = self.listening, self.at
        switches: list[tuple[float, bool]] = []
        for start, stop in spells:
            if listening and start > end:
                switches.append((end, False))
            if not listening or start > end:
                switches.append((start, True))
            listening, end = True, stop
        if listening and end < reach:
            switches.append((end, False))
        return tuple(switches)


def _without(spell: tuple[float, float], gap: tuple[float, float]) -> list[tuple[float, float]]:
    pieces = ((spell[0], min(spell[1], gap[0])), (max(spell[0], gap[1]), spell[1]))
    return [(a, b) for a, b in pieces if a < b]
