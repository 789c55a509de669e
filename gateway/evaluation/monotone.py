"""A monotone table of probabilities: steps that rise with a value and fit best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What has one fitted probability: from ``low`` to ``high``, and how much of it there is."""

    low: float
    high: float
    probability: float
    weight: float


_Block = tuple[float, float, float, float]
"""Lowest and highest value, weight of what is true, weight of all."""


def monotone_table(pairs: Sequence[tuple[float, bool, float]], smooth: float = 1.0) -> list[Step]:
    """Steps that rise with a value and fit best; each pair is a value, whether true, its weight.

    Pools adjacent violators (Ayer et al. 1955, *An empirical distribution function for sampling
    with incomplete information*). Each step counts ``smooth`` true and false ones in addition
    (Laplace's rule), so that no step is certain; steps that fall by that are pooled too.
    """

    def part(block: _Block) -> float:
        return block[2] / block[3]

    def smoothed(block: _Block) -> float:
        return (block[2] + smooth) / (block[3] + 2 * smooth)

    alike: dict[float, list[float]] = {}
    for value, is_true, weight in sorted(pairs):
        known = alike.setdefault(value, [0.0, 0.0])
        known[0] += weight * is_true
        known[1] += weight
    single = [(at, at, true, all_of_it) for at, (true, all_of_it) in alike.items()]
    blocks = _pooled(_pooled(single, part), lambda block: round(smoothed(block), 4))
    return [Step(b[0], b[1], round(smoothed(b), 4), round(b[3], 3)) for b in blocks]


def _pooled(blocks: Sequence[_Block], value: Callable[[_Block], float]) -> list[_Block]:
    """Neighbours pooled until ``value`` rises."""
    found: list[_Block] = []
    for block in blocks:
        found.append(block)
        while len(found) > 1 and value(found[-1]) <= value(found[-2]):
            low, _, true, all_of_it = found.pop(-2)
            _, high, more, others = found.pop()
            found.append((low, high, true + more, all_of_it + others))
    return found
