"""What was believed of one incident at each change, and what was measured around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.database.tables import judgement
from gateway.domain.inputs import Reading
from gateway.domain.outputs import THEFT_KINDS, Because, TankEvent
from gateway.domain.registry import Plan
from server.views import events as tank_events
from server.views import incident as incidents
from server.views.history import History
from server.views.incident import Incident
from server.views.snapshot import Snapshot

_HOUR_S = 3600.0
_BEFORE_S, _AFTER_S, _LONGEST_S = 6 * _HOUR_S, 2 * _HOUR_S, 30 * _HOUR_S
_NEAR_S = 1800.0
"""As the watch (``rules/evidence.py``): within this the fall of a neighbour counts."""
_FALLS = ("draw", "drain", "slash", "leak")
_READINGS_BEFORE, _READINGS = 4, 12
_LEAST_CHANGE, _LEAST_MOVE = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the watch believed at one change of an incident; ``time`` is when it decided, Unix s."""

    number: int
    time: float
    change: str
    kind: str
    probability: float
    causes: Mapping[str, float]
    because: tuple[Because, ...]
    figures: Mapping[str, Any]

    @property
    def leader(self) -> str:
        """The verdict that the weights of ``because`` are about (``tracks/cause.py``)."""
        theft = sum(self.causes.get(kind, 0.0) for kind in THEFT_KINDS)
        group = [v for v in self.causes if (v in THEFT_KINDS) == (theft >= 0.5)]
        return max(group, key=lambda verdict: self.causes[verdict], default="unknown")

    @property
    def is_weighed(self) -> bool:
        """Whether several causes were weighed, rather than one threshold passed."""
        return sum(1 for p in self.causes.values() if p >= 0.02) > 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A judgement that differs from the one before it, and by which terms.

    ``moved``: terms of both whose weight changed. Each list has the strongest first.
    """

    judgement: Judgement
    before: Judgement | None
    gained: tuple[Because, ...]
    lost: tuple[Because, ...]
    moved: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around an incident, from ``start`` to ``end`` (Unix s).

    ``readings`` is None while the store does not answer, and empty without a tank.
    """

    start: float
    end: float
    readings: list[Reading] | None
    events: list[TankEvent]
    falls: list[TankEvent]
    """Falls of other tanks of the site at the same time."""
    plans: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What explains one incident."""

    incident: Incident
    judgements: list[Judgement]
    around: Around


def judgements(connection: sa.Connection, incident_id: str) -> list[Judgement]:
    """The judgements of an incident, oldest first; of very many, the first and the newest."""
    query = (
        sa.select(judgement).where(judgement.c.incident == incident_id).order_by(judgement.c.number)
    )
    return [
        Judgement(
            row.number, row.time, row.change, row.kind, row.probability, row.causes or {},
            tuple(_because(one) for one in row.because or ()), row.figures or {},
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _because(value: Mapping[str, Any]) -> Because:
    return Because(
        str(value["term"]), float(value["weight"]), value["basis"], value.get("values") or {}
    )


def newest(found: Sequence[Judgement], incident: Incident) -> Judgement:
    """The judgement in force; from the incident itself where none was kept."""
    if found:
        return found[-1]
    return Judgement(
        1, incident.updated, "opened", incident.kind, incident.probability, incident.causes,
        incident.because, incident.figures,
    )  # fmt: skip


def turns(found: Sequence[Judgement]) -> list[Turn]:
    """Every change of mind, oldest first; updates that only renew figures are left out."""
    kept: list[Turn] = []
    before: Judgement | None = None
    for one in found:
        turn = _turn(before, one)
        if before is None or one.change == "closed" or _differs(before, turn):
            kept.append(turn)
            before = one
    return kept


def _differs(before: Judgement, turn: Turn) -> bool:
    now = turn.judgement
    if now.kind != before.kind or turn.gained or turn.lost:
        return True
    return abs(now.probability - before.probability) >= _LEAST_CHANGE


def _turn(before: Judgement | None, now: Judgement) -> Turn:
    old = {b.term: b for b in before.because} if before is not None else {}
    new = {b.term: b for b in now.because}
    gained = [b for name, b in new.items() if name not in old]
    lost = [b for name, b in old.items() if name not in new]
    both = [(old[name], b) for name, b in new.items() if name in old]
    if before is not None and before.leader != now.leader:
        both = []  # the weights are about another verdict and cannot be compared
    moved = [b for a, b in both if abs(b.weight - a.weight) >= _LEAST_MOVE]
    return Turn(now, before, by_weight(gained), by_weight(lost), by_weight(moved))


def by_weight(because: Sequence[Because]) -> tuple[Because, ...]:
    """The strongest first, for or against."""
    return tuple(sorted(because, key=lambda b: -abs(b.weight)))


def span(incident: Incident, now: float) -> tuple[float, float]:
    """From some hours before an incident to some after its last change, at most 30 hours."""
    start = incident.at - _BEFORE_S
    last = max(incident.at, incident.updated, incident.closed or 0.0)
    end = min(last + _AFTER_S, start + _LONGEST_S, max(now, incident.at + 60.0))
    return start, end


def around(
    connection: sa.Connection, snapshot: Snapshot, incident: Incident,
    readings: list[Reading] | None,
) -> Around:  # fmt: skip
    """Events, falls of neighbours and plans around an incident; ``readings`` as they were read."""
    start, end = span(incident, snapshot.now)
    view = snapshot.tank(incident.tank or "")
    if view is None:
        return Around(start, end, [], [], [], ())
    own = tank_events.within(connection, [view.tank.id], start, end)
    until = max((e.until for e in own if e.kind in _FALLS and e.at >= incident.at - 60.0),
                default=incident.at)  # fmt: skip
    others = [v.tank.id for v in snapshot.at_site(view.tank.site) if v.tank.id != view.tank.id]
    near = tank_events.within(connection, others, incident.at - _NEAR_S, until + _NEAR_S)
    falls = [e for e in near if e.kind in _FALLS]
    plans = snapshot.registry.plans_during(view.tank.id, start, end)
    return Around(start, end, readings, own, falls, plans)


def of_incident(
    engine: sa.Engine, history: History, snapshot: Snapshot, incident_id: str
) -> Why | None:
    """Everything that explains one incident, or None when there is no such incident."""
    with engine.connect() as connection:
        incident = incidents.one(connection, incident_id)
        if incident is None:
            return None
        found = judgements(connection, incident_id)
        start, end = span(incident, snapshot.now)
        readings = history.series(incident.tank, start, end) if incident.tank else []
        return Why(incident, found, around(connection, snapshot, incident, readings))


def used(readings: Sequence[Reading], at: float) -> list[Reading]:
    """The readings to show beside what began ``at``: some before it, more after, at most 12."""
    before = [r for r in readings if r.at < at]
    after = [r for r in readings if r.at >= at]
    shown = before[-_READINGS_BEFORE:]
    return shown + after[: _READINGS - len(shown)]
