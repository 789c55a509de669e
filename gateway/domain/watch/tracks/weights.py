"""How much each piece of evidence weighs, and which probability follows from the sum.

Only the types: the numbers that the watch uses are in ``fitted``, which a command writes.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

_MOST = 30.0  # log-odds; more would be rounded to certainty


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights in natural log-odds, by side: ``theft`` against all else, or a verdict within its
    group. Raises ValueError when they could not be used.

    ``rates``: episodes per tank-year, of ``theft`` and ``harmless`` ones. ``prior``: of theft, from
    the rates, and of each kind within its group. ``ratios``: by named level of a term, how much
    likelier the level is on each side. ``counts``: in how many episodes the level was seen,
    thefts and others; none where it is assumed. ``calibration``: for a kind or
    ``theft``, steps of log-odds and the probability from each on; both rise.
    """

    origin: str
    rates: Mapping[str, float]
    prior: Mapping[str, float]
    ratios: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, tuple[int, int]]
    calibration: Mapping[str, Sequence[tuple[float, float]]]

    def __post_init__(self) -> None:
        if not self.origin:
            raise ValueError("weights: the origin is empty")
        for name in ("theft", "harmless"):
            if self.rates.get(name, 0.0) <= 0:
                raise ValueError(f"weights: the rate of {name} must be above 0")
        for level in self.counts.keys() - self.ratios.keys():
            raise ValueError(f"weights: {level} is counted and has no ratio")
        for name, steps in self.calibration.items():
            if any(not 0 < probability < 1 for _, probability in steps):
                raise ValueError(f"weights: a probability of {name} is not between 0 and 1")
            if any(a[0] >= b[0] or a[1] >= b[1] for a, b in pairwise(steps)):
                raise ValueError(f"weights: the calibration of {name} does not rise step by step")

    def towards(self, *levels: str) -> dict[str, float]:
        """The sum of the ratios of some levels, by side; raises KeyError for an unknown level."""
        found: dict[str, float] = {}
        for level in levels:
            for side, ratio in self.ratios[level].items():
                found[side] = round(found.get(side, 0.0) + ratio, 3)
        return found

    def probability(self, name: str, odds: float) -> float:
        """The calibrated probability of log-odds by the steps of ``name``; without any, as weighed.

        It never falls when the odds rise.
        """
        steps = self.calibration.get(name)
        if not steps:
            return probability_of(odds)
        step = bisect_right(steps, odds, key=lambda s: s[0]) - 1
        return steps[max(step, 0)][1]


def probability_of(odds: float) -> float:
    """The probability that natural log-odds make, at most 30 of them either way."""
    return 1 / (1 + exp(-max(min(odds, _MOST), -_MOST)))


def log_odds(probability: float) -> float:
    """Natural log-odds, at most 30 either way."""
    if not 0 < probability < 1:
        return _MOST if probability >= 1 else -_MOST
    return max(min(log(probability / (1 - probability)), _MOST), -_MOST)
