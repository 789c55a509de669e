"""Who is told of an incident at first, and who next while nobody goes.

Those on shift hear first. When nobody claims it in time, everybody of the site hears, then the
coordinators; a theft reaches the coordinators at once. A claim without an end of the incident by
its arrival and half an hour lapses, and the next circle hears.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from gateway.domain.dispatch.people import Group, Recipient, hears
from gateway.domain.outputs import IncidentKind

Circle = Literal["shift", "site", "coordinators"]
CIRCLES: tuple[Circle, ...] = get_args(Circle)
OVERDUE_S = 30 * 60.0
_NO_ETA_S = 2 * 3600.0
"""How long a claim without a time of arrival holds: assumed, twice a long way with a van."""
_WAIT_S: dict[Group, float] = {"water": 20 * 60.0, "theft": 10 * 60.0, "sensor": 6 * 3600.0}
_EMPTY_S = 10 * 60.0
"""Assumed: how long a circle has to answer; an exercise with volunteers has to show it."""


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
    """``circle``: an index of CIRCLES, the last that was told, -1 before the first.

    ``due``: when the next one is (Unix s); None while somebody goes, or after the last.
    """

    circle: int = -1
    due: float | None = None
    told: frozenset[str] = frozenset()


class Telling(NamedTuple):
    """What follows: who is told now, and whether the claim lapsed."""

    progress: Progress
    tell: frozenset[str]
    lapsed: bool = False


class Listeners(NamedTuple):
    """Everybody who can be told, and of them who is on shift for the case's site."""

    recipients: Sequence[Recipient]
    on_shift: frozenset[str]


def wait_s(case: Case) -> float:
    """How long a circle has until the next one is told, in seconds."""
    return _EMPTY_S if case.kind == "empty" else _WAIT_S[case.group]


def overdue_at(case: Case) -> float:
    """When the claim lapses (Unix s); only of a claimed case."""
    return case.eta + OVERDUE_S if case.eta is not None else case.claim_at + _NO_ETA_S


def opened(case: Case, listeners: Listeners, now: float) -> Telling:
    """The first step: the first circle in which anybody hears, and coordinators of a theft."""
    step = _next_circle(Progress(), case, listeners, now)
    if case.group != "theft":
        return step
    told = _circle("coordinators", case, listeners) - step.progress.told
    progress = replace(step.progress, told=step.progress.told | told)
    return Telling(progress, step.tell | told)


def changed(
    progress: Progress, case: Case, before: Group, listeners: Listeners, now: float
) -> Telling:
    """The incident became another or a worse one: all who were told hear, and who is on shift now.

    While nobody goes, the circle has its time again. Another group than ``before`` begins anew.
    """
    here = frozenset(r.person for r in listeners.recipients if hears(r, case.group, case.site))
    known = progress.told & here
    if case.group != before:
        step = opened(case, listeners, now)
    else:
        tell = _circle("shift", case, listeners)
        if case.group == "theft":
            tell |= _circle("coordinators", case, listeners)
        is_last = progress.circle == len(CIRCLES) - 1
        step = Telling(Progress(progress.circle, None if is_last else now + wait_s(case)), tell)
    if case.claimed_by is not None:
        known |= {case.claimed_by} & here
        step = Telling(claimed(step.progress, case), step.tell)
    told = progress.told | step.progress.told | step.tell | known
    return Telling(replace(step.progress, told=told), step.tell | known)


def claimed(progress: Progress, case: Case) -> Progress:
    """Somebody goes, or changed when they arrive: nobody else is told before they are late."""
    return replace(progress, due=overdue_at(case))


def released(progress: Progress, case: Case, listeners: Listeners, now: float) -> Telling:
    """Nobody goes any more: those who know hear that, and the next circle at once."""
    case = replace(case, claimed_by=None)
    step = _next_circle(progress, case, listeners, now)
    here = frozenset(r.person for r in listeners.recipients if hears(r, case.group, case.site))
    return Telling(step.progress, step.tell | (progress.told & here))


def due(progress: Progress, case: Case, listeners: Listeners, now: float) -> Telling:
    """What was due is done: a claim lapses, or the next circle hears.

    One circle at a time, each with its own time from now on: after an outage of our own, no storm.
    """
    if case.claimed_by is None:
        return _next_circle(progress, case, listeners, now)
    if now < overdue_at(case):
        return Telling(replace(progress, due=overdue_at(case)), frozenset())
    step = released(progress, case, listeners, now)
    late = frozenset(r.person for r in listeners.recipients if r.person == case.claimed_by)
    return Telling(step.progress, step.tell | late, lapsed=True)


def _next_circle(progress: Progress, case: Case, listeners: Listeners, now: float) -> Telling:
    """Tell the next circle in which there is anybody who was not told before."""
    for index in range(progress.circle + 1, len(CIRCLES)):
        tell = _circle(CIRCLES[index], case, listeners) - progress.told
        if tell:
            last = index == len(CIRCLES) - 1
            told = progress.told | tell
            return Telling(Progress(index, None if last else now + wait_s(case), told), tell)
    return Telling(replace(progress, circle=len(CIRCLES) - 1, due=None), frozenset())


def _circle(circle: Circle, case: Case, listeners: Listeners) -> frozenset[str]:
    people = [r for r in listeners.recipients if hears(r, case.group, case.site)]
    if circle == "shift":
        return frozenset(r.person for r in people if r.person in listeners.on_shift)
    if circle == "site":
        return frozenset(r.person for r in people)
    return frozenset(r.person for r in people if r.coordinates)
