"""Forecasts over simulated weeks: the error against simple rivals, the coverage of the range."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import median

from tests.unit.demand import FIRST_HOUR, HOUR_S, ROW, Watched, Weeks, weeks

SEEDS = range(20, 32)
WARM_UP_H = 72


@dataclass
class Score:
    """Relative errors of the time to empty, by forecaster; how often the range held the truth."""

    errors: dict[str, list[float]] = field(default_factory=dict)
    early: list[float] = field(default_factory=list)  # errors before three days were known
    held: int = 0
    sooner: int = 0  # empty before the range
    later: int = 0

    @property
    def coverage(self) -> float:
        return self.held / (self.held + self.sooner + self.later)

    def add(self, name: str, hours: float, truth: float) -> None:
        self.errors.setdefault(name, []).append(abs(hours - truth) / truth)


@cache
def measured(seeds: range = SEEDS, every: int = 3) -> Score:
    """All forecasts whose tank was empty 18 to 30 hours later (errors), or 2 to 96 (coverage)."""
    score = Score()
    for seed in seeds:
        lived = weeks(seed)
        for hour, ahead in Watched(seed).live(lived):
            truth = lived.hours_to_empty(hour) if hour % every == 0 else None
            if truth is None or not 2 <= truth <= 90:
                continue
            now = (FIRST_HOUR + hour + 1) * HOUR_S
            at, lo, hi = ahead.empty or (now + 96 * HOUR_S,) * 3
            hours = (at - now) / HOUR_S
            if hour < WARM_UP_H:
                if 18 <= truth <= 30:
                    score.early.append(abs(hours - truth) / truth)
                continue
            due = now + truth * HOUR_S
            score.held += lo <= due <= hi
            score.sooner += due < lo
            score.later += due > hi
            if 18 <= truth <= 30:
                score.add("ours", hours, truth)
                for name, rates in rivals(lived, hour).items():
                    score.add(name, emptied(rates, lived.level[hour] - ROW.empty_l), truth)
    return score


def rivals(lived: Weeks, hour: int) -> dict[str, Sequence[float]]:
    """Litres in each hour ahead, as simple forecasters see them."""
    drawn = lived.drawn[: hour + 1]
    day = drawn[-24:]
    days = [drawn[k::24] for k in range(24)]
    means = [sum(days[(hour + 1 + k) % 24][-14:]) / len(days[(hour + 1 + k) % 24][-14:])
             for k in range(24)]  # fmt: skip
    return {"last day's rate": [sum(day) / 24] * 24, "as yesterday": day, "mean of days": means}


def emptied(rates: Sequence[float], litres: float) -> float:
    """Hours until ``litres`` are drawn at these rates, which repeat; at most 96."""
    for ahead in range(96):
        rate = rates[ahead % 24]
        if rate >= litres:
            return ahead + litres / rate
        litres -= rate
    return 96.0


def test_the_time_to_empty_has_a_smaller_error_than_any_simple_forecaster() -> None:
    errors = {name: median(values) for name, values in measured().errors.items()}
    ours = errors.pop("ours")
    assert len(measured().errors["ours"]) > 200
    assert ours < min(errors.values()), (ours, errors)
    assert ours < 0.20


def test_before_three_days_are_known_the_prior_gives_a_usable_forecast() -> None:
    assert len(measured().early) > 20
    assert median(measured().early) < 0.3


def test_the_range_holds_four_of_five_and_misses_on_both_sides() -> None:
    score = measured()
    assert 0.72 <= score.coverage <= 0.86
    total = score.held + score.sooner + score.later
    assert 0.04 < score.sooner / total < 0.17
    assert 0.04 < score.later / total < 0.17
