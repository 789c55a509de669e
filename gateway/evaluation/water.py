"""Compares refills, draws and forecasts with the true water. Litres, seconds."""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from gateway.domain.outputs import TankEvent
from gateway.evaluation.trial import Trial
from gateway.evaluation.truth import TrueRefill, Truth

_SLACK_S = 900.0
_JOIN_S = 1200.0  # true deliveries closer than that are one
_NOTICEABLE_PART, _NOTICEABLE_SD = 0.03, 5.0
_OBSERVED_SD, _OBSERVED_READINGS = 2.0, 2

Levels = Sequence[tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class RefillCount:
    """Refills of one tank: found, of those that exist, and reported without one."""

    found: int
    missed: int
    false: int
    litres_errors: tuple[float, ...]  # relative, of those found
    mistakes: tuple[tuple[float, str], ...] = ()


def joined(refills: Sequence[TrueRefill], gap_s: float = _JOIN_S) -> list[TrueRefill]:
    """The true refills of one tank in order, those less than ``gap_s`` apart joined."""
    found: list[TrueRefill] = []
    for refill in sorted(refills, key=lambda r: r.at):
        last = found[-1] if found else None
        if last is not None and refill.at - last.until < gap_s:
            found[-1] = TrueRefill(
                last.tank, last.at, max(last.until, refill.until), last.litres + refill.litres,
                last.hidden or refill.hidden,
            )  # fmt: skip
        else:
            found.append(refill)
    return found


def count_refills(
    refills: Sequence[tuple[TrueRefill, bool]], events: Sequence[TankEvent], slack_s: float
) -> RefillCount:
    """Match by overlap, one event for each refill.

    Each refill comes with whether it can be noticed; one that cannot counts for nothing, and so
    does its event.
    """
    left = [e for e in events if e.kind == "refill"]
    errors: list[float] = []
    mistakes: list[tuple[float, str]] = []
    missed = 0
    for refill, is_noticeable in sorted(refills, key=lambda r: -r[0].litres):
        near = [
            e for e in left if e.at - slack_s <= refill.until and refill.at <= e.until + slack_s
        ]
        if near:
            best = min(near, key=lambda e: abs((e.litres or 0.0) - refill.litres))
            left.remove(best)
            if is_noticeable:
                errors.append(((best.litres or 0.0) - refill.litres) / refill.litres)
        elif is_noticeable:
            missed += 1
            mistakes.append((refill.at, f"missed refill of {refill.litres:.0f} L"))
    mistakes += [(e.at, f"false refill of {e.litres} L") for e in left]
    return RefillCount(len(errors), missed, len(left), tuple(errors), tuple(mistakes))


def refills_of(
    tank: str, truth: Truth, trial: Trial, capacity_l: float, *, observable: bool = False
) -> RefillCount:
    """The refills of one tank of a story: all that can be noticed, or the ``observable`` ones.

    A delivery can be noticed when the level rose from the reading before it to any reading by 3 %
    of the capacity and by 5 stated sd: it may be drawn off again before the next reading, or come
    after the last. It is observable when, besides, at least two received readings show it.
    """
    levels = truth.levels[tank]
    sds = [level.sd_l for level in trial.levels.get(tank, ()) if level.sd_l is not None]
    least = max(_NOTICEABLE_PART * capacity_l, _NOTICEABLE_SD * (median(sds) if sds else 0.0))
    every_s = interval_s(levels)
    own = [r for r in truth.refills if r.tank == tank]
    every = joined(own, max(_JOIN_S, 1.5 * every_s))
    true = [(r, rise_l(r, levels) >= least) for r in every]
    if observable:
        received = received_of(tank, truth)
        margin_l = _OBSERVED_SD * (median(sds) if sds else 0.0)
        ends = [*(r.at for r in every[1:]), truth.end]
        true = [
            (
                refill,
                is_noticeable and shown_by(refill, end, received, margin_l) >= _OBSERVED_READINGS,
            )
            for (refill, is_noticeable), end in zip(true, ends, strict=True)
        ]
    events = [e for e in trial.events if e.tank == tank]
    return count_refills(true, events, max(_SLACK_S, every_s))


def rise_l(refill: TrueRefill, levels: Levels) -> float:
    """By how much the level rose from the reading before a refill to the highest one after it.

    Less than was delivered, since people draw meanwhile.
    """
    times = [level[0] for level in levels]
    before, after = bisect_right(times, refill.at) - 1, bisect_left(times, refill.until)
    if before < 0 or after >= len(levels):
        return 0.0
    return max(level[1] for level in levels[before : after + 1]) - levels[before][1]


def received_of(tank: str, truth: Truth) -> Levels:
    """The true levels at the readings that reached the gateway before the story's end: a node
    keeps readings until it has sent them.
    """
    receipts = truth.receipts.get(tank, ())
    newest = max((sent for received, sent in receipts if received <= truth.end), default=0.0)
    return [level for level in truth.levels[tank] if level[0] <= newest]


def shown_by(refill: TrueRefill, end: float, received: Levels, margin_l: float) -> int:
    """How many received readings show a delivery, from its beginning until ``end``, when the next
    one begins: those at which the true level is more than ``margin_l`` above that of the last
    received reading before it.
    """
    times = [level[0] for level in received]
    first = bisect_right(times, refill.at)
    if first == 0:
        return 0
    least = received[first - 1][1] + margin_l
    return sum(level[1] > least for level in received[first : bisect_left(times, end)])


def interval_s(levels: Levels) -> float:
    """The usual time between two readings."""
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(levels)]
    return median(gaps) if gaps else 600.0


@dataclass(frozen=True, slots=True)
class Balance:
    """What is missing in one tank's sums, litres and in sd, and the true and reported totals."""

    residual_l: float
    residual_sd: float
    delivered_l: float
    reported_delivered_l: float
    drawn_l: float
    reported_drawn_l: float


def balance(tank: str, truth: Truth, trial: Trial) -> Balance | None:
    """start + refills - draws - losses - end, from what the watch reported; None without levels.

    The span ends with the last reported event: a draw in progress is reported when it ends.
    """
    good = [level for level in trial.levels.get(tank, ()) if level.volume_l is not None]
    events = [e for e in trial.events if e.tank == tank and e.kind in _SIGNS]
    if len(good) < 20 or not events:
        return None
    end_at = max(event.until for event in events)
    end = min(good, key=lambda level: abs(level.at - end_at))  # neighbours may be in a refill
    sums = {kind: sum(e.litres or 0.0 for e in events if e.kind == kind) for kind in _SIGNS}
    residual = (good[0].volume_l or 0.0) - (end.volume_l or 0.0)
    residual += sum(_SIGNS[kind] * litres for kind, litres in sums.items())
    sd = max(sqrt(2) * (end.sd_l or 1.0), 1.0)
    levels = [level for level in truth.levels.get(tank, ()) if level[0] <= end_at + 1.0]
    own = [r.litres for r in truth.refills if r.tank == tank and r.at <= end_at]
    return Balance(
        residual, residual / sd, sum(own), sums["refill"],
        levels[-1][2] - levels[0][2] if levels else 0.0, sums["draw"],
    )  # fmt: skip


_SIGNS = {"refill": 1, "draw": -1, "drain": -1, "slash": -1}
