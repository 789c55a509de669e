"""Closing an incident by people. A theft is closed by two: one stolen phone must not end a search.

A volunteer's closing of a theft is a request. The incident stays open, people are alerted to the
request, and within an hour a second person or a coordinator agrees; else it lapses. What a
coordinator has claimed only its claimant closes. ``domain.watch.rules.closing`` ends a request.
"""

from typing import Any, Literal, NamedTuple, cast

import sqlalchemy as sa

from gateway.alerts import claims
from gateway.alerts.claims import CloseReason, Seen
from gateway.database.engine import serialise
from gateway.database.tables import account, incident
from gateway.domain.outputs import THEFT_KINDS
from gateway.domain.watch.rules.closing import CONFIRM_S

Outcome = Literal["done", "asked", "held", "overtaken"]
"""``asked``: it waits for somebody else. ``held``: a coordinator has it. ``overtaken``: it is
closed or unknown, or there is no request."""

GUARDED_KINDS = (*THEFT_KINDS, "unknown")
"""Kinds that a volunteer does not close alone: a theft, or what may become one."""

_NO_REQUEST = {"closing_by": None, "closing_at": None, "closing_why": None}


class Actor(NamedTuple):
    """Who acts: a person's random id, and whether they coordinate."""

    person: str
    coordinates: bool


class Request(NamedTuple):
    """A request to close: who made it, when (Unix s), and why (a CloseReason, or ``there``)."""

    by: str
    at: float
    why: str

    @property
    def until(self) -> float:
        """Until when somebody may agree (Unix s)."""
        return self.at + CONFIRM_S

    def waits(self, now: float) -> bool:
        """Whether somebody may still agree at ``now`` (Unix s)."""
        return self.at <= now < self.until


def close(
    connection: sa.Connection, incident_id: str, actor: Actor, now: float, why: CloseReason
) -> Outcome:
    """Close the incident, or ask for it; agrees to another person's request."""
    found = _open(connection, incident_id)
    if found is None:
        return "overtaken"
    if _is_held(connection, found, actor):
        return "held"
    if _must_ask(found, actor, now):
        return _ask(connection, found, actor, now, why)
    closed = claims.close(connection, incident_id, actor.person, now, why)
    return "done" if closed else "overtaken"


def see(
    connection: sa.Connection, incident_id: str, actor: Actor, now: float, seen: Seen
) -> Outcome:
    """Report what is seen at the tank. *It is there* ends a seizure, so it is asked as well."""
    found = _open(connection, incident_id)
    if found is None:
        return "overtaken"
    ends = seen in ("there", "moved_by_us")
    held = ends and _is_held(connection, found, actor)
    must_ask = ends and not held and _must_ask(found, actor, now)
    if not claims.see(connection, incident_id, actor.person, now, seen, not (held or must_ask)):
        return "overtaken"
    if held:
        return "held"
    return _ask(connection, found, actor, now, seen) if must_ask else "done"


def agree(connection: sa.Connection, incident_id: str, actor: Actor, now: float) -> Outcome:
    """A second person, or any coordinator, agrees: the request is carried out."""
    found = _open(connection, incident_id)
    request = _waiting(found, now) if found is not None else None
    if found is None or request is None:
        return "overtaken"
    if _is_held(connection, found, actor):
        return "held"
    if _must_ask(found, actor, now):
        return "asked"
    if request.why == "there":
        done = claims.see(connection, incident_id, actor.person, now, "there")
        connection.execute(
            sa.update(incident).where(incident.c.id == incident_id).values(**_NO_REQUEST)
        )
    else:
        why = cast(CloseReason, request.why)
        done = claims.close(connection, incident_id, actor.person, now, why)
    return "done" if done else "overtaken"


def keep_open(connection: sa.Connection, incident_id: str, actor: Actor, now: float) -> Outcome:
    """Withdraw one's own request (its *undo*), or refuse another person's."""
    found = _open(connection, incident_id)
    if found is None or _waiting(found, now) is None:
        return "overtaken"
    kept = claims.act(
        connection, incident_id, actor.person, now, "keep_open", "kept_open", _NO_REQUEST, {}
    )
    return "done" if kept else "overtaken"


def request_of(row: sa.Row[Any]) -> Request | None:
    """The request in a row of ``incident`` that newer evidence has not ended; it may be old."""
    figures = cast(dict[str, float], row.figures or {})
    ended = figures.get("closing_ended_at") or 0.0
    if row.closing_by is None or row.closing_at is None or ended >= row.closing_at:
        return None
    return Request(row.closing_by, row.closing_at, row.closing_why)


def _waiting(row: sa.Row[Any], now: float) -> Request | None:
    request = request_of(row)
    return request if request is not None and request.waits(now) else None


def _open(connection: sa.Connection, incident_id: str) -> sa.Row[Any] | None:
    serialise(connection)
    query = sa.select(incident).where(incident.c.id == incident_id, incident.c.closed.is_(None))
    return connection.execute(query).first()


def _is_held(connection: sa.Connection, found: sa.Row[Any], actor: Actor) -> bool:
    """Whether a coordinator other than ``actor`` has claimed it."""
    holder = found.claimed_by
    if holder is None or holder == actor.person:
        return False
    query = sa.select(account.c.id).where(
        account.c.id == holder, account.c.role == "coordinator", account.c.disabled.is_(None)
    )
    return connection.execute(query).first() is not None


def _must_ask(found: sa.Row[Any], actor: Actor, now: float) -> bool:
    if actor.coordinates or found.kind not in GUARDED_KINDS:
        return False
    request = _waiting(found, now)
    return request is None or request.by == actor.person


def _ask(
    connection: sa.Connection,
    found: sa.Row[Any],
    actor: Actor,
    now: float,
    why: str,
) -> Outcome:
    """Record the request; one that waits already stays as it is."""
    if _waiting(found, now) is not None:
        return "asked"
    changed = {"closing_by": actor.person, "closing_at": now, "closing_why": why}
    asked = claims.act(
        connection, found.id, actor.person, now, "close_asked", "close_asked",
        changed, {"why": why},
    )  # fmt: skip
    return "asked" if asked else "overtaken"
