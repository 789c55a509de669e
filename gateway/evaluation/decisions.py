"""Decisions of the watch with the truth beside them: what tables are fitted to.

A decision is a change of an incident that weighs causes against each other. Evidence that opened
no incident leaves no decision, so a fit is about what was reported, not about all evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.outputs import THEFT_KINDS, IncidentChange
from gateway.evaluation.catalog import SimulatedStory
from gateway.evaluation.matching import MatchedIncident, is_theft
from gateway.evaluation.truth import NOTHING

_CERTAIN = 0.9999


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. ``theft``: the probability of all theft kinds together.

    ``terms``: name and weight of each term, in the watch's order; ``true_kind`` is ``none`` where
    nothing explains the incident.
    """

    story: str
    received: float
    change: str
    kind: str
    probability: float
    theft: float
    terms: tuple[tuple[str, float], ...]
    true_kind: str
    is_theft: bool


def decisions_of(story: SimulatedStory, matched: Sequence[MatchedIncident]) -> list[Decision]:
    """The decisions of one story, in order of receipt."""
    found = [d for one in matched for d in _decisions(story.name, one)]
    return sorted(found, key=lambda d: d.received)


def _decisions(story: str, one: MatchedIncident) -> Iterator[Decision]:
    kind = one.cause.kind if one.cause is not None else NOTHING
    for change in one.changes:
        if change.change != "closed" and _weighs(change):
            yield Decision(
                story, change.received, change.change, change.kind, change.probability,
                sum(change.causes.get(k, 0.0) for k in THEFT_KINDS),
                tuple((b.term, b.weight) for b in change.because), kind, is_theft(one.cause),
            )  # fmt: skip


def _weighs(change: IncidentChange) -> bool:
    """Whether it has several possible causes, a theft among them."""
    could_be = any(change.causes.get(kind, 0.0) > 1 - _CERTAIN for kind in THEFT_KINDS)
    return could_be and max(change.causes.values(), default=1.0) < _CERTAIN
