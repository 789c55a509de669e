"""Who is notified of an incident first, and to whom it escalates while nobody claims it.

People on shift are notified first. When nobody claims it in time, everybody of the site is, then
the coordinators; a theft reaches the coordinators at once. A claim lapses when the incident is open
half an hour after the arrival, and the next tier is notified.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from gateway.domain.dispatch.people import Group, Recipient, accepts
from gateway.domain.outputs import IncidentKind

Tier = Literal["shift", "site", "coordinators"]
TIERS: tuple[Tier, ...] = get_args(Tier)
OVERDUE_S = 30 * 60.0
_NO_ETA_S = 2 * 3600.0
"""How long a claim without a time of arrival holds: assumed, twice a long way with a van."""
_WAIT_S: dict[Group, float] = {"water": 20 * 60.0, "theft": 10 * 60.0, "sensor": 6 * 3600.0}
_EMPTY_S = 10 * 60.0
"""Assumed: how long a tier has to answer; an exercise with volunteers has to show it."""


@dataclass(frozen=True, slots=True)
class Case:
    """An open incident as far as it matters here. ``claim_at``, ``eta``: Unix s."""

    kind: IncidentKind
    group: Group
    site: str | None
    claimed_by: str | None = None
    claim_at: float = 0.0
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """``tier``: an index of TIERS, the last that was notified, -1 before the first.

    ``due``: when the next one is (Unix s); None while it is claimed, or after the last.
    """

    tier: int = -1
    due: float | None = None
    notified: frozenset[str] = frozenset()


class Escalation(NamedTuple):
    """What follows: who is notified now, and whether the claim lapsed."""

    progress: Progress
    notify: frozenset[str]
    lapsed: bool = False


class Listeners(NamedTuple):
    """Everybody who can be notified, and of them who is on shift for the case's site."""

    recipients: Sequence[Recipient]
    on_shift: frozenset[str]


def wait_s(case: Case) -> float:
    """How long a tier has until the next one is notified, in seconds."""
    return _EMPTY_S if case.kind == "empty" else _WAIT_S[case.group]


def overdue_at(case: Case) -> float:
    """When the claim lapses (Unix s); only of a claimed case."""
    return case.eta + OVERDUE_S if case.eta is not None else case.claim_at + _NO_ETA_S


def opened(case: Case, listeners: Listeners, now: float) -> Escalation:
    """The first step: the first tier in which anybody accepts, and coordinators of a theft."""
    step = _next_tier(Progress(), case, listeners, now)
    if case.group != "theft":
        return step
    notified = _tier("coordinators", case, listeners) - step.progress.notified
    progress = replace(step.progress, notified=step.progress.notified | notified)
    return Escalation(progress, step.notify | notified)


def changed(
    progress: Progress, case: Case, before: Group, listeners: Listeners, now: float
) -> Escalation:
    """The incident became another or a worse one: it is sent again, and to who is on shift now.

    Unclaimed, the tier has its time again. Another group than ``before`` starts from the first.
    """
    here = frozenset(r.person for r in listeners.recipients if accepts(r, case.group, case.site))
    known = progress.notified & here
    if case.group != before:
        step = opened(case, listeners, now)
    else:
        notify = _tier("shift", case, listeners)
        if case.group == "theft":
            notify |= _tier("coordinators", case, listeners)
        is_last = progress.tier == len(TIERS) - 1
        step = Escalation(Progress(progress.tier, None if is_last else now + wait_s(case)), notify)
    if case.claimed_by is not None:
        known |= {case.claimed_by} & here
        step = Escalation(claimed(step.progress, case), step.notify)
    notified = progress.notified | step.progress.notified | step.notify | known
    return Escalation(replace(step.progress, notified=notified), step.notify | known)


def claimed(progress: Progress, case: Case) -> Progress:
    """Claimed, or with another arrival: nobody else is notified before that is overdue."""
    return replace(progress, due=overdue_at(case))


def released(progress: Progress, case: Case, listeners: Listeners, now: float) -> Escalation:
    """The claim was withdrawn: who was notified before is again, and the next tier at once."""
    case = replace(case, claimed_by=None)
    step = _next_tier(progress, case, listeners, now)
    here = frozenset(r.person for r in listeners.recipients if accepts(r, case.group, case.site))
    return Escalation(step.progress, step.notify | (progress.notified & here))


def due(progress: Progress, case: Case, listeners: Listeners, now: float) -> Escalation:
    """What was due is done: a claim lapses, or the next tier is notified.

    One tier at a time, each with its own time from now on: after an outage of our own, no storm.
    """
    if case.claimed_by is None:
        return _next_tier(progress, case, listeners, now)
    if now < overdue_at(case):
        return Escalation(replace(progress, due=overdue_at(case)), frozenset())
    step = released(progress, case, listeners, now)
    late = frozenset(r.person for r in listeners.recipients if r.person == case.claimed_by)
    return Escalation(step.progress, step.notify | late, lapsed=True)


def _next_tier(progress: Progress, case: Case, listeners: Listeners, now: float) -> Escalation:
    """Tell the next tier in which there is anybody who was not notified before."""
    for index in range(progress.tier + 1, len(TIERS)):
        notify = _tier(TIERS[index], case, listeners) - progress.notified
        if notify:
            last = index == len(TIERS) - 1
            notified = progress.notified | notify
            return Escalation(
                Progress(index, None if last else now + wait_s(case), notified), notify
            )
    return Escalation(replace(progress, tier=len(TIERS) - 1, due=None), frozenset())


def _tier(tier: Tier, case: Case, listeners: Listeners) -> frozenset[str]:
    people = [r for r in listeners.recipients if accepts(r, case.group, case.site)]
    if tier == "shift":
        return frozenset(r.person for r in people if r.person in listeners.on_shift)
    if tier == "site":
        return frozenset(r.person for r in people)
    return frozenset(r.person for r in people if r.coordinates)
