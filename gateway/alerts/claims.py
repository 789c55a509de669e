"""People act on incidents: claim, hand over, release, close, say what they see.

Each act is a compare-and-swap on the incident, one step of its history and one fact of kind
``op`` (it names a random person id, never a person), all in the caller's transaction. Every
function returns False, and changes nothing, when the incident is not as the caller believed.
"""

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from gateway.database.engine import next_version, serialise
from gateway.database.tables import fact, incident, incident_step

CloseReason = Literal["refilled", "found", "repaired", "moved_by_us", "mistaken", "other"]
"""Why a person closes an incident; words for people are made of it where it is shown."""
Seen = Literal["there", "gone", "moved_by_us", "damaged", "empty", "blocked"]

_OPEN = incident.c.closed.is_(None)


def claim(
    connection: sa.Connection, incident_id: str, person: str, now: float, eta: float | None = None
) -> bool:
    """``person`` (a random id) goes, there at ``eta`` (Unix s); False when somebody else does.

    Who has the claim may call again to give another ``eta``.
    """
    free = sa.or_(incident.c.claimed_by.is_(None), incident.c.claimed_by == person)
    changed = {"claimed_by": person, "claimed_at": now, "claim_eta": eta}
    return _act(
        connection, incident_id, person, now, "claim", "claimed", free, changed, {"eta": eta}
    )


def reassign(connection: sa.Connection, incident_id: str, person: str, to: str, now: float) -> bool:
    """``person`` gives the claim to the person ``to``; False when it is not theirs to give."""
    return _act(
        connection, incident_id, person, now, "hand_over", "handed_over",
        incident.c.claimed_by == person,
        {"claimed_by": to, "claimed_at": now, "claim_eta": None},
        {"to": to},
    )  # fmt: skip


def release(connection: sa.Connection, incident_id: str, person: str, now: float) -> bool:
    """``person`` takes their claim back: nobody is going any more."""
    return _act(
        connection, incident_id, person, now, "release", "released",
        incident.c.claimed_by == person,
        {"claimed_by": None, "claimed_at": None, "claim_eta": None},
    )  # fmt: skip


def close(
    connection: sa.Connection,
    incident_id: str,
    person: str,
    now: float,
    why: CloseReason = "other",
) -> bool:
    """``person`` ends an open incident (see CloseReason); the watch hears of it as well."""
    op = "moved_by_us" if why == "moved_by_us" else "close"
    changed = {"closed": now, "closed_why": why}
    return _act(
        connection, incident_id, person, now, op, "closed_by_person", sa.true(), changed,
        {"why": why},
    )  # fmt: skip


def see(
    connection: sa.Connection, incident_id: str, person: str, now: float, seen: Seen = "there"
) -> bool:
    """``person`` is beside the tank and says what they see (see Seen): witnessed evidence."""
    op = {"there": "seen_there", "moved_by_us": "moved_by_us"}.get(seen, "seen")
    return _act(connection, incident_id, person, now, op, "seen", sa.true(), {}, {"seen": seen})


def _act(
    connection: sa.Connection,
    incident_id: str,
    person: str,
    now: float,
    op: str,
    step: str,
    only_if: sa.ColumnElement[bool],
    changed: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> bool:
    serialise(connection)
    number = incident.c.claim_version + 1
    swapped = connection.execute(
        sa.update(incident)
        .where(incident.c.id == incident_id, _OPEN, only_if)
        .values(**changed, claim_version=number)
        .returning(incident.c.claim_version)
    ).scalar()
    if swapped is None:
        return False
    connection.execute(
        sa.update(incident)
        .where(incident.c.id == incident_id)
        .values(version=next_version(connection))
    )
    said = {name: value for name, value in (data or {}).items() if value is not None}
    connection.execute(
        sa.insert(incident_step).values(
            incident=incident_id, time=now, what=step, person=person, data=said
        )
    )
    body = {"incident": incident_id, "op": op, "person": person, **said}
    connection.execute(
        sa.insert(fact).values(
            key=f"op:{incident_id}:{swapped}", time=now, kind="op", subject="-", lines={}, body=body
        )
    )
    return True
