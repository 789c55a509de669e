"""Probabilities of verdicts from named log-odds terms, in two stages.

First: was it a theft or not. A term moves the log-odds of that, and the probability of any kind
of theft is this one: whether water was let out by a valve or by a knife does not make the
theft less sure. Then: which kind, among thefts and among harmless causes apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import NamedTuple, get_args

from gateway.domain.outputs import THEFT_KINDS, Basis, Because, Figure, Figures, Verdict
from gateway.domain.watch.tracks.weights import Weights, log_odds, probability_of

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_HARMLESS: tuple[Verdict, ...] = tuple(v for v in VERDICTS if v not in THEFT_KINDS)
PRIOR: Mapping[str, float] = {
    "theft": -3.6, "seized": 0.0, "drained": 0.0, "slashed": 0.0, "lid_open": 0.0,
    "moved_by_us": -1.6, "battery": -2.0, "network_out": -2.0, "sensor_fault": -2.2,
    "clone": -6.0, "unknown": 0.0,
}  # fmt: skip
"""Log-odds before any evidence where nobody handled the tank: a silence, a sick sensor."""
BASE = "episode"
"""The level of every episode of handling, whatever else it has."""


@dataclass(frozen=True, slots=True)
class Term:
    """One piece of evidence: its name, its source, and by how much it moves which verdicts.

    ``towards["theft"]`` moves theft against all else, the others within their group. ``levels``:
    the names under which its weights are fitted; none where they are assumed.
    """

    name: str
    basis: Basis
    towards: Mapping[str, float]
    values: Figures = field(default_factory=dict[str, Figure])
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """``causes``: probabilities of all verdicts (sum 1); ``theft``: of all theft kinds together;
    ``leader``: the most probable one, of the more probable group.
    """

    causes: dict[str, float]
    theft: float
    leader: Verdict
    because: tuple[Because, ...]


class Review(NamedTuple):
    """What an episode was judged by at one time: what weights are fitted to.

    ``at`` to ``until``: the episode so far; ``levels``: of its terms; ``other``: log-odds of theft
    from terms that have no level.
    """

    tank: str
    at: float
    until: float
    levels: tuple[str, ...]
    other: float


def review_of(tank: str, at: float, until: float, terms: Iterable[Term]) -> Review:
    """The review with these terms."""
    terms = tuple(terms)
    other = sum(t.towards.get("theft", 0.0) for t in terms if not t.levels)
    return Review(tank, at, until, tuple(sorted({x for t in terms for x in t.levels})), other)


def judge_episode(terms: Iterable[Term], weights: Weights) -> Judgement:
    """The probabilities of an episode of handling that follow from ``terms``."""
    base = weights.ratios.get(BASE, {})
    prior = {side: weights.prior[side] + base.get(side, 0.0) for side in weights.prior}
    return _judged(tuple(terms), prior, weights)


def weigh(terms: Iterable[Term]) -> tuple[dict[str, float], Verdict, tuple[Because, ...]]:
    """Probabilities of all verdicts (sum 1), the most probable one, and each term's weight.

    Where nobody handled the tank.
    """
    judgement = _judged(tuple(terms), PRIOR, None)
    return judgement.causes, judgement.leader, judgement.because


def _judged(
    terms: tuple[Term, ...], prior: Mapping[str, float], weights: Weights | None
) -> Judgement:
    sums: dict[str, float] = {
        side: start + sum(t.towards.get(side, 0.0) for t in terms) for side, start in prior.items()
    }
    odds = sums["theft"]
    theft = weights.probability("theft", odds) if weights else probability_of(odds)
    causes = _shares(sums, THEFT_KINDS, theft) | _shares(sums, _HARMLESS, 1 - theft)
    group = THEFT_KINDS if theft >= 0.5 else _HARMLESS
    leader: Verdict = max(group, key=lambda verdict: causes[verdict])
    because = (Because(t.name, _weight(t, leader, causes), t.basis, t.values) for t in terms)
    ordered = {v: causes[v] for v in VERDICTS}
    return Judgement(ordered, theft, leader, tuple(because))


def calibrated(
    weights: Weights, kind: str, probability: float, causes: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """The calibrated probability of a kind that is not theft, and the causes in accordance.

    A silence is about the node and not its network, so its probability is that of all causes but
    the network; that of another kind is its own.
    """
    if kind not in weights.calibration:
        return probability, dict(causes)
    right = round(weights.probability(kind, log_odds(probability)), 4)
    is_mine = {v: v == kind if kind in causes else v != "network_out" for v in causes}
    whole = sum(p for v, p in causes.items() if is_mine[v])
    if not 0 < whole < 1 or kind == "access_blocked":
        return right, dict(causes)
    scale = {True: right / whole, False: (1 - right) / (1 - whole)}
    return right, {v: p * scale[is_mine[v]] for v, p in causes.items()}


def certain(verdict: Verdict = "unknown") -> dict[str, float]:
    """Probabilities with one verdict certain, for incidents whose kind is measured."""
    return {v: 1.0 if v == verdict else 0.0 for v in VERDICTS}


def _shares(
    sums: Mapping[str, float], group: Iterable[Verdict], whole: float
) -> dict[Verdict, float]:
    """The probability ``whole`` divided among a group by its log-odds."""
    group = tuple(group)
    top = max(sums[verdict] for verdict in group)
    parts: dict[Verdict, float] = {verdict: exp(sums[verdict] - top) for verdict in group}
    total = sum(parts.values())
    return {verdict: whole * part / total for verdict, part in parts.items()}


def _weight(term: Term, leader: Verdict, causes: Mapping[Verdict, float]) -> float:
    """By how much a term moves the leader's log-odds: against the other group, and in its own."""
    is_theft = leader in THEFT_KINDS
    whole = term.towards.get("theft", 0.0)
    group = THEFT_KINDS if is_theft else _HARMLESS
    rest = sum(causes[v] for v in group if v != leader)
    own = term.towards.get(leader, 0.0)
    if rest > 0:
        own -= sum(causes[v] * term.towards.get(v, 0.0) for v in group if v != leader) / rest
    return round(own + (whole if is_theft else -whole), 3)
