"""Probabilities of verdicts from named log-odds terms.

A term moves some verdicts up or down; probabilities are the softmax of the sums, so they add up
to 1 and ``unknown`` keeps its share. The weights are judgements, calibrated by the stories in
tests/unit/test_watch_removal.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import get_args

from gateway.domain.outputs import Basis, Because, Figure, Figures, Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

PRIOR: Mapping[str, float] = {
    "seized": -2.6, "drained": -2.8, "slashed": -3.0, "lid_open": -3.0, "moved_by_us": -1.6,
    "battery": -2.0, "network_out": -2.0, "sensor_fault": -2.2, "clone": -6.0, "unknown": 0.0,
}  # fmt: skip
"""Log-odds against *unknown* before any evidence."""


@dataclass(frozen=True, slots=True)
class Term:
    """One piece of evidence: its name, its source, and by how much it moves which verdicts."""

    name: str
    basis: Basis
    towards: Mapping[str, float]
    values: Figures = field(default_factory=dict[str, Figure])


def weigh(terms: Iterable[Term]) -> tuple[dict[str, float], Verdict, tuple[Because, ...]]:
    """Probabilities of all verdicts (sum 1), the most probable one, and each term's weight.

    A term's weight is its share of the leader's log-odds against all other verdicts.
    """
    terms = tuple(terms)
    causes = _softmax({v: PRIOR[v] + sum(t.towards.get(v, 0.0) for t in terms) for v in VERDICTS})
    leader = max(VERDICTS, key=lambda verdict: causes[verdict])
    because = (Because(t.name, _weight(t, leader, causes), t.basis, t.values) for t in terms)
    return causes, leader, tuple(because)


def certain(verdict: Verdict = "unknown") -> dict[str, float]:
    """Probabilities with one verdict certain, for incidents whose kind is measured."""
    return {v: 1.0 if v == verdict else 0.0 for v in VERDICTS}


def _softmax(scores: Mapping[str, float]) -> dict[str, float]:
    top = max(scores.values())
    parts = {verdict: exp(score - top) for verdict, score in scores.items()}
    total = sum(parts.values())
    return {verdict: part / total for verdict, part in parts.items()}


def _weight(term: Term, leader: str, causes: Mapping[str, float]) -> float:
    rest = 1.0 - causes[leader]
    if rest <= 0:
        return round(term.towards.get(leader, 0.0), 3)
    others = sum(p * term.towards.get(v, 0.0) for v, p in causes.items() if v != leader) / rest
    return round(term.towards.get(leader, 0.0) - others, 3)
