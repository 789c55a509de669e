"""Incidents and their steps, as stored in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.alerts import closing
from gateway.database.tables import incident, incident_step
from gateway.domain.outputs import Because, Span

Figure = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; times in Unix s. ``claimed_by`` is a person's random id."""

    id: str
    kind: str
    tank: str | None
    uplink: str | None
    at: float
    opened: float
    updated: float
    closed: float | None
    closed_why: str | None
    probability: float
    causes: Mapping[str, float]
    because: tuple[Because, ...]
    figures: Mapping[str, Figure]
    auth: str
    learned_late: bool
    claimed_by: str | None
    claimed_at: float | None
    claim_eta: float | None
    claim_version: int
    request: closing.Request | None = None
    """A request to close it; it counts while it ``waits``."""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.closed is None

    def number(self, name: str) -> float | None:
        """A figure as a number, or None when it is not known."""
        value = self.figures.get(name)
        return float(value) if isinstance(value, int | float) else None

    def span(self, name: str) -> Span | None:
        """A forecast stored as ``<name>_at``, ``_lo``, ``_hi``."""
        at, lo, hi = (self.number(f"{name}_{end}") for end in ("at", "lo", "hi"))
        return None if at is None or lo is None or hi is None else Span(at, lo, hi)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an incident's history."""

    time: float
    what: str
    person: str | None
    data: Mapping[str, Any]


def open_ones(connection: sa.Connection) -> list[Incident]:
    """All open incidents, oldest evidence first."""
    query = sa.select(incident).where(incident.c.closed.is_(None)).order_by(incident.c.at)
    return [_incident(row) for row in connection.execute(query)]


def past_ones(connection: sa.Connection, limit: int) -> list[Incident]:
    """The newest closed incidents, the last closed first."""
    query = (
        sa.select(incident)
        .where(incident.c.closed.is_not(None))
        .order_by(incident.c.closed.desc())
        .limit(limit)
    )
    return [_incident(row) for row in connection.execute(query)]


def of_tank(connection: sa.Connection, tank: str, since: float) -> list[Incident]:
    """A tank's incidents that were open after ``since`` (Unix s), newest first."""
    query = (
        sa.select(incident)
        .where(incident.c.tank == tank)
        .where(incident.c.closed.is_(None) | (incident.c.closed >= since))
        .order_by(incident.c.at.desc())
        .limit(60)
    )
    return [_incident(row) for row in connection.execute(query)]


def one(connection: sa.Connection, incident_id: str) -> Incident | None:
    """The incident with this id, or None."""
    row = connection.execute(sa.select(incident).where(incident.c.id == incident_id)).first()
    return None if row is None else _incident(row)


def steps(connection: sa.Connection, incident_id: str) -> list[Step]:
    """The history of an incident, oldest first."""
    query = (
        sa.select(incident_step)
        .where(incident_step.c.incident == incident_id)
        .order_by(incident_step.c.time, incident_step.c.id)
    )
    return [Step(r.time, r.what, r.person, r.data or {}) for r in connection.execute(query)]


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(
        id=row.id, kind=row.kind, tank=row.tank, uplink=row.uplink, at=row.at, opened=row.opened,
        updated=row.updated, closed=row.closed, closed_why=row.closed_why,
        probability=row.probability, causes=row.causes or {},
        because=tuple(_because(b) for b in row.because or ()), figures=row.figures or {},
        auth=row.auth, learned_late=row.learned_late, claimed_by=row.claimed_by,
        claimed_at=row.claimed_at, claim_eta=row.claim_eta, claim_version=row.claim_version,
        request=closing.request_of(row),
    )  # fmt: skip


def _because(value: Mapping[str, Any]) -> Because:
    return Because(
        str(value["term"]), float(value["weight"]), value["basis"], value.get("values") or {}
    )
