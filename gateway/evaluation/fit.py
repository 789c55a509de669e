"""Fits tables to decisions: a monotone one for the probability of theft, and counts of each term.

The same decisions give the same tables. Seeds of the set ``fit`` are for this, those of the set
``report`` never.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

from gateway.evaluation.decisions import Decision

_ROUND = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Decisions with one fitted probability: from ``low`` to ``high`` as reported, and how many."""

    low: float
    high: float
    probability: float
    count: int


_Block = tuple[float, float, int, int]
"""Lowest and highest reported probability, thefts, decisions."""


def monotone_table(pairs: Sequence[tuple[float, bool]]) -> list[Step]:
    """Steps that rise with the reported probability and fit best (pool adjacent violators).

    Each step counts one theft and one other decision in addition (Laplace's rule), so that no
    step is certain; steps that fall by that are pooled too. Ayer et al. 1955, *An empirical
    distribution function for sampling with incomplete information*.
    """
    alike: dict[float, list[bool]] = {}
    for reported, is_theft in sorted(pairs):
        alike.setdefault(reported, []).append(is_theft)
    single = [(at, at, sum(thefts), len(thefts)) for at, thefts in alike.items()]
    blocks = _pooled(_pooled(single, _part), _smooth)
    return [
        Step(round(low, _ROUND), round(high, _ROUND), round(_smooth(block), _ROUND), block[3])
        for block in blocks
        for low, high in (block[:2],)
    ]


def _part(block: _Block) -> float:
    return block[2] / block[3]


def _smooth(block: _Block) -> float:
    return (block[2] + 1) / (block[3] + 2)


def _pooled(blocks: Sequence[_Block], value: Callable[[_Block], float]) -> list[_Block]:
    """Neighbours pooled until ``value`` rises."""
    found: list[_Block] = []
    for block in blocks:
        found.append(block)
        while len(found) > 1 and value(found[-1]) <= value(found[-2]):
            low, _, thefts, count = found.pop(-2)
            _, high, more, others = found.pop()
            found.append((low, high, thefts + more, count + others))
    return found


@dataclass(frozen=True, slots=True)
class TermCount:
    """How many decisions about thefts and about others had a term.

    ``log_ratio``: natural log of the ratio of both parts, with half a decision added to each.
    """

    term: str
    thefts: int
    others: int
    log_ratio: float


def term_counts(decisions: Sequence[Decision]) -> list[TermCount]:
    """Each term that occurs, by name."""
    with_term: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    total = Counter(d.is_theft for d in decisions)
    for decision in decisions:
        with_term[decision.is_theft].update({name for name, _ in decision.terms})
    return [
        TermCount(name, with_term[True][name], with_term[False][name], _log_ratio(
            (with_term[True][name], total[True]), (with_term[False][name], total[False])
        ))
        for name in sorted({*with_term[True], *with_term[False]})
    ]  # fmt: skip


def _log_ratio(thefts: tuple[int, int], others: tuple[int, int]) -> float:
    part_of_thefts = (thefts[0] + 0.5) / (thefts[1] + 1)
    part_of_others = (others[0] + 0.5) / (others[1] + 1)
    return round(log(part_of_thefts / part_of_others), 3)


def tables(decisions: Sequence[Decision], origin: str) -> dict[str, object]:
    """All tables as JSON values, with their origin. ``opening``: only decisions that opened."""
    opening = [d for d in decisions if d.change == "opened"]
    return {
        "origin": origin,
        "decisions": len(decisions),
        "thefts": sum(d.is_theft for d in decisions),
        "probability_of_theft": _steps(decisions),
        "probability_of_theft_at_opening": _steps(opening),
        "terms": [
            {"term": t.term, "thefts": t.thefts, "others": t.others, "log_ratio": t.log_ratio}
            for t in term_counts(decisions)
        ],
    }


def _steps(decisions: Sequence[Decision]) -> list[dict[str, float]]:
    return [
        {"from": s.low, "to": s.high, "probability": s.probability, "decisions": s.count}
        for s in monotone_table([(d.theft, d.is_theft) for d in decisions])
    ]
