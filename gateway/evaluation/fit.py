"""Fits the weights of evidence to samples: ratios of theft, ratios of its kinds, calibration.

The same samples give the same weights. Seeds of the set ``fit`` are for this, those of the set
``report`` never.

The terms of an episode depend on each other: a tank that is drained loses much, fast and beyond
its use. Ratios counted term by term would count that three times, so each is fitted given the
others, with the assumed one as a prior (a logistic regression with a Gaussian prior, by Newton's
steps on one ratio at a time); a level that no story has keeps its assumption.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from gateway.domain.outputs import THEFT_KINDS
from gateway.domain.watch.rules.removal import ENOUGH
from gateway.domain.watch.tracks.cause import BASE
from gateway.domain.watch.tracks.weights import Weights
from gateway.errors import NoriaError
from gateway.evaluation.assumed import ASSUMED, FIXED, KEPT, LADDERS, THEFTS_PER_TANK_YEAR
from gateway.evaluation.catalog import KINDS
from gateway.evaluation.monotone import monotone_table
from gateway.evaluation.samples import EpisodeSample, Evidence, Samples

_DIGITS = 2
_SWEEPS = 40
_SURE = 2.0
"""Standard deviation of an assumed ratio: it may be wrong by a factor of e². Fitted to one half of
the fitting seeds and judged on the other, 1.0 found fewer thefts with more mistakes.
"""
_LONGEST_STEP, _LEAST_CURVATURE, _MOST = 1.0, 1e-6, 30.0
_LEAST_THEFTS = 20


def fit(samples: Samples, origin: str) -> Weights:
    """The fitted weights; raises NoriaError when there are too few samples of any group."""
    thefts = [e for e in samples.episodes if e.theft]
    others = [e for e in samples.episodes if not e.theft]
    ordinary = [e for e in others if e.group == "ordinary"]
    if len(thefts) < _LEAST_THEFTS or not ordinary:
        raise NoriaError(
            f"{len(thefts)} episodes of theft and {len(ordinary)} of ordinary life are too few to"
            f" fit: run more --seeds (at least {_LEAST_THEFTS} thefts) and more --years"
        )
    kinds = [name for name in samples.stories if KINDS[name].group == "theft"]
    rates = {
        "theft": round(THEFTS_PER_TANK_YEAR * len(kinds), 3),
        "harmless": round(len(ordinary) / samples.tank_years, 3),
    }
    theft_ratios, constant = _theft_ratios(samples.episodes)
    base = constant - log(len(thefts) / len(others))
    prior = {**ASSUMED.prior, "theft": round(log(rates["theft"] / rates["harmless"]), _DIGITS)}
    ratios = _kind_ratios(thefts)
    for level, ratio in theft_ratios.items():
        ratios[level] = {"theft": ratio, **ratios.get(level, {})}
    ratios[BASE] = {"theft": round(base, _DIGITS)}
    weights = Weights(origin, rates, prior, ratios, _counts(samples.episodes), {})
    calibration = {"theft": _theft_calibration(samples, weights)}
    for kind in sorted({t.kind for t in samples.calibration}):
        pairs = [
            (round(t.odds, _DIGITS), t.is_right, _weight(samples, t.group))
            for t in samples.calibration
            if t.kind == kind
        ]
        calibration[kind] = _steps(pairs, _weight(samples, "theft"))
    return Weights(origin, rates, prior, ratios, weights.counts, calibration)


def _weight(samples: Samples, group: str) -> float:
    """How much one story counts: ordinary life as often as it was run, others by their rate."""
    if group == "ordinary":
        return 1.0
    each = max(samples.stories.values())
    return round(THEFTS_PER_TANK_YEAR * samples.tank_years / each, 4)


def _counts(episodes: Sequence[EpisodeSample]) -> dict[str, tuple[int, int]]:
    """In how many episodes each level was seen: of theft, and of others."""
    found: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for episode in episodes:
        found[bool(episode.theft)].update({x for levels, _ in episode.reviews for x in levels})
    levels = sorted({*found[True], *found[False]} - FIXED)
    return {level: (found[True][level], found[False][level]) for level in levels}


@dataclass(slots=True)
class _Row:
    """Reviews that are alike: how much of them is of thefts, how much of others."""

    levels: tuple[str, ...]
    theft: float
    other: float
    odds: float


def _rows(episodes: Sequence[EpisodeSample]) -> list[_Row]:
    """Every episode counts one in all, whatever the number of its reviews."""
    known: dict[Evidence, list[float]] = {}
    for episode in episodes:
        for evidence in episode.reviews:
            known.setdefault(evidence, [0.0, 0.0])[not episode.theft] += 1 / len(episode.reviews)
    return [_Row(levels, t, o, other) for (levels, other), (t, o) in sorted(known.items())]


def _theft_ratios(episodes: Sequence[EpisodeSample]) -> tuple[dict[str, float], float]:
    """The ratio of each level towards theft, and the constant of the regression."""
    rows = _rows(episodes)
    ratios = {level: sides.get("theft", 0.0) for level, sides in ASSUMED.ratios.items()}
    start, constant = dict(ratios), -3.0
    users: dict[str, list[_Row]] = {level: [] for level in sorted(ratios)}
    for row in rows:
        row.odds += constant + sum(ratios[level] for level in row.levels)
        for level in row.levels:
            users[level].append(row)
    for _ in range(_SWEEPS):
        slope, curvature = _gradient(rows)
        step = _step(slope, curvature)
        constant += step
        for row in rows:
            row.odds += step
        for level in sorted(users.keys() - KEPT):
            mine = users[level]
            slope, curvature = _gradient(mine)
            slope -= (ratios[level] - start[level]) / _SURE**2
            step = _step(slope, curvature + 1 / _SURE**2)
            ratios[level] += step
            for row in mine:
                row.odds += step
    return _rising({level: round(r, _DIGITS) for level, r in ratios.items()}), constant


def _gradient(rows: Sequence[_Row]) -> tuple[float, float]:
    """The slope of the log-likelihood along a ratio that all ``rows`` have, and its curvature."""
    slope = curvature = 0.0
    for row in rows:
        p = 1 / (1 + exp(-max(min(row.odds, _MOST), -_MOST)))
        slope += row.theft * (1 - p) - row.other * p
        curvature += (row.theft + row.other) * p * (1 - p)
    return slope, curvature


def _step(slope: float, curvature: float) -> float:
    return max(min(slope / max(curvature, _LEAST_CURVATURE), _LONGEST_STEP), -_LONGEST_STEP)


def _rising(ratios: dict[str, float]) -> dict[str, float]:
    """The ratios with each ladder made to rise: neighbours that fall get their mean."""
    for ladder in LADDERS:
        blocks: list[list[float]] = []
        for level in ladder:
            blocks.append([ratios[level]])
            while len(blocks) > 1 and _mean(blocks[-1]) < _mean(blocks[-2]):
                last = blocks.pop()
                blocks[-1] += last
        means = [round(_mean(block), _DIGITS) for block in blocks for _ in block]
        ratios.update(zip(ladder, means, strict=True))
    return ratios


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _kind_ratios(thefts: Sequence[EpisodeSample]) -> dict[str, dict[str, float]]:
    """The ratios of each level towards the kinds of theft, fitted; of other causes, assumed.

    Only kinds for which a ratio is assumed, be it 0. An episode's first review counts as much as
    all later ones: what is guessed first is acted upon.
    """
    ratios = {level: {s: r for s, r in sides.items() if s != "theft"} for level, sides in
              ASSUMED.ratios.items()}  # fmt: skip
    start = {level: dict(sides) for level, sides in ratios.items()}
    rows = [
        (levels, episode.theft, weight)
        for episode in thefts
        for (levels, _), weight in zip(
            episode.reviews, _first_half(len(episode.reviews)), strict=True
        )
    ]
    users = {level: [r for r in rows if level in r[0]] for level in sorted(ratios.keys() - FIXED)}
    for _ in range(_SWEEPS):
        for level, mine in users.items():
            for kind in THEFT_KINDS:
                if not mine or kind not in ratios[level]:
                    continue
                slope = -(ratios[level][kind] - start[level][kind]) / _SURE**2
                curvature = 1 / _SURE**2
                for levels, true, weight in mine:
                    p = _share(ratios, levels, kind)
                    slope += weight * ((true == kind) - p)
                    curvature += weight * p * (1 - p)
                ratios[level][kind] += _step(slope, curvature)
    return {level: {s: round(r, _DIGITS) for s, r in sides.items()}
            for level, sides in ratios.items()}  # fmt: skip


def _first_half(count: int) -> list[float]:
    """The weights of ``count`` reviews, 1 in all, of which the first one has half."""
    return [0.5, *([0.5 / (count - 1)] * (count - 1))] if count > 1 else [1.0]


def _share(
    ratios: Mapping[str, Mapping[str, float]], levels: Sequence[str], kind: str
) -> float:  # fmt: skip
    kinds: tuple[str, ...] = THEFT_KINDS
    sums = {k: sum(ratios[level].get(k, 0.0) for level in levels) for k in kinds}
    top = max(sums.values())
    return exp(sums[kind] - top) / sum(exp(s - top) for s in sums.values())


def theft_odds(weights: Weights, evidence: Evidence) -> float:
    """The log-odds of theft of one review."""
    levels, other = evidence
    ratios = (weights.ratios[level].get("theft", 0.0) for level in (BASE, *levels))
    return weights.prior["theft"] + sum(ratios) + other


def _theft_calibration(samples: Samples, weights: Weights) -> list[tuple[float, float]]:
    """The calibration of theft, of what an incident is opened with: each episode counts once.

    It counts with its first review that opens an incident, or with its highest where none does.
    Which log-odds open one follows from the calibration itself: the least ones for which it
    reaches the probability that does.
    """
    each = [
        (
            [round(theft_odds(weights, evidence), _DIGITS) for evidence in episode.reviews],
            bool(episode.theft),
            _weight(samples, episode.group),
        )
        for episode in samples.episodes
    ]
    smooth, steps = _weight(samples, "theft"), list[tuple[float, float]]()
    for least in sorted({odds for reviews, _, _ in each for odds in reviews}):
        pairs = [(_deciding(reviews, least), true, weight) for reviews, true, weight in each]
        steps = _steps(pairs, smooth)
        if _reaches(steps, least):
            break
    return steps


def _deciding(reviews: Sequence[float], least: float) -> float:
    """The first of an episode's log-odds that is at least ``least``, else the highest."""
    return next((odds for odds in reviews if odds >= least), max(reviews))


def _reaches(steps: Sequence[tuple[float, float]], odds: float) -> bool:
    """Whether the step with these log-odds has a probability that opens an incident."""
    return any(p >= ENOUGH for low, p in steps if low <= odds)


def _steps(
    pairs: Sequence[tuple[float, bool, float]], smooth: float
) -> list[tuple[float, float]]:  # fmt: skip
    return [(step.low, step.probability) for step in monotone_table(pairs, smooth)]
