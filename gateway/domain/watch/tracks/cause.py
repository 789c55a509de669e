"""Probabilities of verdicts from named log-odds terms, in two stages.

First: was it a theft or not. A term moves the log-odds of that, and the probability told for any
kind of theft is this one: whether water was let out by a valve or by a knife does not make the
theft less sure. Then: which kind, among thefts and among harmless causes apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Literal, get_args

from gateway.domain.outputs import THEFT_KINDS, Basis, Because, Figure, Figures, Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_HARMLESS: tuple[Verdict, ...] = tuple(v for v in VERDICTS if v not in THEFT_KINDS)
Side = Verdict | Literal["theft"]

PRIOR: Mapping[Side, float] = {
    "theft": -3.6, "seized": 0.0, "drained": 0.0, "slashed": 0.0, "lid_open": 0.0,
    "moved_by_us": -1.6, "battery": -2.0, "network_out": -2.0, "sensor_fault": -2.2,
    "clone": -6.0, "unknown": 0.0,
}  # fmt: skip
"""Log-odds before any evidence: of theft against not; of each kind within its group."""


@dataclass(frozen=True, slots=True)
class Term:
    """One piece of evidence: its name, its source, and by how much it moves which verdicts.

    ``towards["theft"]`` moves theft against all else, the others within their group.
    """

    name: str
    basis: Basis
    towards: Mapping[str, float]
    values: Figures = field(default_factory=dict[str, Figure])


@dataclass(frozen=True, slots=True)
class Judgement:
    """``causes``: probabilities of all verdicts (sum 1); ``theft``: of all theft kinds together;
    ``leader``: the most probable one, of the more probable group.
    """

    causes: dict[str, float]
    theft: float
    leader: Verdict
    because: tuple[Because, ...]


def judge(terms: Iterable[Term]) -> Judgement:
    """The probabilities that follow from ``terms``, and each term's weight for the leader."""
    terms = tuple(terms)
    sums: dict[Side, float] = {
        v: prior + sum(t.towards.get(v, 0.0) for t in terms) for v, prior in PRIOR.items()
    }
    theft = 1 / (1 + exp(-max(min(sums["theft"], 30.0), -30.0)))
    causes = _shares(sums, THEFT_KINDS, theft) | _shares(sums, _HARMLESS, 1 - theft)
    group = THEFT_KINDS if theft >= 0.5 else _HARMLESS
    leader: Verdict = max(group, key=lambda verdict: causes[verdict])
    because = (Because(t.name, _weight(t, leader, causes), t.basis, t.values) for t in terms)
    ordered = {v: causes[v] for v in VERDICTS}
    return Judgement(ordered, theft, leader, tuple(because))


def weigh(terms: Iterable[Term]) -> tuple[dict[str, float], Verdict, tuple[Because, ...]]:
    """Probabilities of all verdicts (sum 1), the most probable one, and each term's weight."""
    judgement = judge(terms)
    return judgement.causes, judgement.leader, judgement.because


def certain(verdict: Verdict = "unknown") -> dict[str, float]:
    """Probabilities with one verdict certain, for incidents whose kind is measured."""
    return {v: 1.0 if v == verdict else 0.0 for v in VERDICTS}


def _shares(
    sums: Mapping[Side, float], group: Iterable[Verdict], whole: float
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
