"""What people do about an incident: claim, reassign, release, close, report what they see.

Each act is a compare-and-swap on the incident, one step of its history and one fact of kind
``op`` (with a random person id, never a name), all in the caller's transaction. A function
returns False and changes nothing when the incident is closed or the claim is somebody else's.
"""

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa

from gateway.database.engine import next_version, serialise
from gateway.database.tables import incident, incident_step, queue_fact

CloseReason = Literal["refilled", "found", "repaired", "moved_by_us", "mistaken", "other"]
"""Why a person closes an incident; pages translate it."""
Seen = Literal["there", "gone", "moved_by_us", "damaged", "empty", "blocked"]

_OPEN = incident.c.closed.is_(None)


def claim(
    connection: sa.Connection, incident_id: str, person: str, now: float, eta: float | None = None
) -> bool:
    """``person`` (a random id) goes and arrives at ``eta`` (Unix s).

    A second call by the same person changes the ``eta``.
    """
    free = sa.or_(incident.c.claimed_by.is_(None), incident.c.claimed_by == person)
    changed = {"claimed_by": person, "claimed_at": now, "claim_eta": eta}
    return act(
        connection, incident_id, person, now, "claim", "claimed", changed, {"eta": eta}, free
    )


def reassign(
    connection: sa.Connection, incident_id: str, person: str, to: str, now: float,
    of_anybody: bool = False,
) -> bool:  # fmt: skip
    """``person`` gives their claim to ``to``; with ``of_anybody`` also another person's claim."""
    is_claimed = incident.c.claimed_by.is_not(None)
    return act(
        connection, incident_id, person, now, "hand_over", "handed_over",
        {"claimed_by": to, "claimed_at": now, "claim_eta": None}, {"to": to},
        is_claimed if of_anybody else incident.c.claimed_by == person,
    )  # fmt: skip


def release(connection: sa.Connection, incident_id: str, person: str, now: float) -> bool:
    """``person`` withdraws their claim: nobody goes any more."""
    return act(
        connection, incident_id, person, now, "release", "released",
        {"claimed_by": None, "claimed_at": None, "claim_eta": None}, {},
        incident.c.claimed_by == person,
    )  # fmt: skip


def lapse(connection: sa.Connection, incident_id: str, person: str, now: float) -> bool:
    """The claim of ``person`` ends: they did not arrive in time. Nobody's act."""
    return act(
        connection, incident_id, person, now, "lapse", "lapsed",
        {"claimed_by": None, "claimed_at": None, "claim_eta": None}, {},
        incident.c.claimed_by == person,
    )  # fmt: skip


def close(
    connection: sa.Connection,
    incident_id: str,
    person: str,
    now: float,
    why: CloseReason = "other",
) -> bool:
    """``person`` ends an open incident; the watch reads the reason from the fact."""
    op = "moved_by_us" if why == "moved_by_us" else "close"
    changed = {"closed": now, "closed_why": why}
    return act(connection, incident_id, person, now, op, "closed_by_person", changed, {"why": why})


def see(
    connection: sa.Connection, incident_id: str, person: str, now: float, seen: Seen = "there",
    counts: bool = True,
) -> bool:  # fmt: skip
    """``person`` is beside the tank and reports what they see: witnessed evidence.

    Without ``counts`` the watch does not weigh it: somebody else has to agree first.
    """
    op = {"there": "seen_there", "moved_by_us": "moved_by_us"}.get(seen, "seen")
    op = op if counts else "seen"
    return act(connection, incident_id, person, now, op, "seen", {}, {"seen": seen})


def act(
    connection: sa.Connection, incident_id: str, person: str, now: float, op: str, step: str,
    changed: Mapping[str, object], data: Mapping[str, object],
    only_if: sa.ColumnElement[bool] | None = None,
) -> bool:  # fmt: skip
    """Change columns of an open incident; ``op`` names the fact, ``step`` the line of its history.

    ``only_if`` limits it, as to the person who has claimed the incident.
    """
    serialise(connection)
    number = incident.c.claim_version + 1
    swapped = connection.execute(
        sa.update(incident)
        .where(incident.c.id == incident_id, _OPEN, sa.true() if only_if is None else only_if)
        .values(**changed, claim_version=number, version=next_version(connection))
        .returning(incident.c.claim_version)
    ).scalar()
    if swapped is None:
        return False
    given = {name: value for name, value in data.items() if value is not None}
    connection.execute(
        sa.insert(incident_step).values(
            incident=incident_id, time=now, what=step, person=person, data=given
        )
    )
    body = {"incident": incident_id, "op": op, "person": person, **given}
    queue_fact(connection, f"op:{incident_id}:{swapped}", now, "op", "-", body)
    return True
