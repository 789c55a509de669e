"""The usual refill rounds of one tank: at which local time, every how many days.

Learned from past refills alone. Refills at about the same time of day, a steady number of days
apart, make a round; a tank may have several, or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from gateway.domain.local_time import HOUR_S, offset_s

_DAY_S = 24 * HOUR_S
_KEPT = 21
_SAME_S = 3 * HOUR_S  # refills closer together are one round
_LEAST_PART = 0.1  # of the capacity: less is no round
_LEAST_REFILLS = 5
_MOST_SPREAD_S = 2 * HOUR_S
_MOST_DAYS = 7
_REGULAR_PART = 0.7  # of all pauses have the same number of days
_WIDE_S, _WIDE_SPREADS = 5 * HOUR_S, 4.0
_MOST_MISSED = 3  # rounds in a row, after which they are usual no more


@dataclass(slots=True)
class Rounds:
    """``refills``: when the last rounds ended (Unix s). ``usual``: one ``UsualRound`` each.

    ``asked``: the usual time of the last missed round that people were asked about.
    """

    refills: list[float] = field(default_factory=list[float])
    usual: list[list[float]] = field(default_factory=list[list[float]])
    noted_at: float = 0.0
    asked: float = 0.0


class UsualRound(NamedTuple):
    """A round at ``second`` of the local day, give or take ``spread_s``, every ``days`` days.

    ``last_day``: the local day of the newest one, since 1970; ``known``: how many are kept;
    ``missed``: how many were missed between them.
    """

    second: float
    spread_s: float
    days: float
    last_day: float
    known: float
    missed: float

    @property
    def wide_s(self) -> float:
        """The margin by which a round is missed rather than late."""
        return max(_WIDE_S, _WIDE_SPREADS * self.spread_s)


class MissedRound(NamedTuple):
    """A round whose usual time ``due`` (Unix s) has passed by more than its margin."""

    due: float
    known: int
    missed: int


def note(
    rounds: Rounds, at: float | None, litres: float | None, capacity_l: float, timezone: str
) -> None:
    """Add the tank's newest refill, which ended at ``at``, unless it was added before."""
    if at is None or litres is None or at <= rounds.noted_at:
        return
    is_same = at - rounds.noted_at < _SAME_S
    rounds.noted_at = at
    if is_same or litres < _LEAST_PART * capacity_l:
        return
    rounds.refills.append(at)
    del rounds.refills[:-_KEPT]
    rounds.usual = [list(one) for one in _usual(rounds.refills, timezone)]


def next_round(rounds: Rounds, timezone: str, now: float) -> float | None:
    """When the next usual round is due, ``now`` when it is late; None without a usual round."""
    found: list[float] = []
    for usual in (UsualRound(*one) for one in rounds.usual):
        found += [due for due in _dues(usual, timezone) if due + usual.wide_s >= now][:1]
    return max(min(found), now) if found else None


def missed(rounds: Rounds, timezone: str, now: float) -> MissedRound | None:
    """The newest round that was missed by a wide margin, with no refill since; or None."""
    found = [
        MissedRound(due, int(usual.known), int(usual.missed))
        for usual in (UsualRound(*one) for one in rounds.usual)
        for due in _dues(usual, timezone)
        if rounds.noted_at + usual.wide_s < due < now - usual.wide_s
    ]
    return max(found, default=None)


def _usual(refills: Sequence[float], timezone: str) -> list[UsualRound]:
    """The usual rounds among these refills."""
    local = [at + offset_s(timezone, int(at // HOUR_S)) for at in refills]
    groups = _groups(sorted((at % _DAY_S, at // _DAY_S) for at in local))
    return [found for group in groups if (found := _round_of(group)) is not None]


def _groups(times: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Times of day with their days, in groups with more than ``_SAME_S`` between them.

    A group around midnight has all its times after the midnight before it.
    """
    pauses = [after[0] - before[0] for before, after in pairwise(times)]
    longest = max(range(len(pauses)), key=pauses.__getitem__, default=None)
    if longest is not None and pauses[longest] > times[0][0] + _DAY_S - times[-1][0]:
        early = [(second + _DAY_S, day - 1) for second, day in times[: longest + 1]]
        times = times[longest + 1 :] + early
    groups = [[times[0]]]
    for before, after in pairwise(times):
        if after[0] - before[0] > _SAME_S:
            groups.append([])
        groups[-1].append(after)
    return groups


def _round_of(group: Sequence[tuple[float, float]]) -> UsualRound | None:
    """The round that these times of day and days make; None when they are irregular."""
    if len(group) < _LEAST_REFILLS:
        return None
    second = median(second for second, _ in group)
    spread_s = sorted(abs(at - second) for at, _ in group)[int(0.8 * len(group))]
    dates = sorted(day for _, day in group)
    pauses = [after - before for before, after in pairwise(dates) if after > before]
    if spread_s > _MOST_SPREAD_S or not pauses:
        return None
    days = median(pauses)
    regular = sum(pause == days for pause in pauses)
    if days > _MOST_DAYS or regular < _REGULAR_PART * len(pauses):
        return None
    passed = sum(round(pause / days) - 1 for pause in pauses if pause > days)
    return UsualRound(second, spread_s, days, dates[-1], len(group), passed)


def _dues(usual: UsualRound, timezone: str) -> list[float]:
    """When the next rounds are due, Unix s, as far as they are usual."""
    first = usual.last_day * _DAY_S + usual.second
    local = [first + k * usual.days * _DAY_S for k in range(1, _MOST_MISSED + 1)]
    return [at - offset_s(timezone, int(at // HOUR_S)) for at in local]
