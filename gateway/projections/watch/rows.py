"""Writes the watch's outputs to the database, one call for each transaction.

Safe to repeat: after a rebuild the same changes come again, and no message, leaf or step of an
incident's history is written twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import msgspec
import sqlalchemy as sa

from gateway.database.engine import next_version, upsert
from gateway.database.tables import (
    fact,
    incident,
    incident_step,
    judgement,
    outbox,
    tank_event,
    tank_now,
)
from gateway.domain.outputs import IncidentChange, TankEvent, WatchOutput

REBUILT = "rebuilt"
"""``closed_why`` of an incident that a rebuild has not reached again (``rebuild.reset``)."""

JUDGEMENTS_KEPT = 200
"""Of one incident, the first and the newest: one that lasts for weeks does not grow for ever."""

# Built once: building them takes SQLAlchemy longer than SQLite needs for an alert.
_is_free = sa.or_(incident.c.closed.is_(None), incident.c.closed_why == REBUILT)
_CHANGE = (
    sa.update(incident)
    .where(incident.c.id == sa.bindparam("of"))
    .values(
        closed=sa.case((_is_free, sa.bindparam("closes", type_=sa.Float)), else_=incident.c.closed),
        closed_why=sa.case(
            (_is_free, sa.bindparam("because_of", type_=sa.Text)), else_=incident.c.closed_why
        ),
    )
)
_OPEN, _STEP, _LEAF, _MESSAGE = (sa.insert(t) for t in (incident, incident_step, fact, outbox))
_LEAF_EXISTS = sa.select(fact.c.id).where(fact.c.key == sa.bindparam("key")).limit(1)
_FORGET = sa.delete(judgement).where(
    judgement.c.incident == sa.bindparam("of"),
    judgement.c.number.between(2, sa.bindparam("up_to", type_=sa.Integer)),
)
_MESSAGE_EXISTS = (
    sa.select(outbox.c.id)
    .where(
        outbox.c.incident == sa.bindparam("incident"),
        outbox.c.change_number == sa.bindparam("change_number"),
        outbox.c.channel == sa.bindparam("channel"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class OutputContext:
    """The channels' names and the tanks' random ids."""

    channels: Sequence[str]
    rids: Mapping[str, str]


def write_output(
    connection: sa.Connection,
    outputs: Sequence[WatchOutput],
    tanks: Iterable[Mapping[str, object]],
    context: OutputContext,
) -> int:
    """Write outputs and the fields of changed tanks' ``TankNow``; returns how many messages it
    added to the outbox.

    The caller's transaction began with ``database.engine.serialise``, so versions are unique.
    """
    version = next_version(connection)
    rows = ((tank["tank"], version, msgspec.json.encode(tank).decode()) for tank in tanks)
    upsert(connection, tank_now, rows)
    changes = [output for output in outputs if isinstance(output, IncidentChange)]
    for change in changes:
        _write_incident(connection, change, version)
    _write_events(connection, [output for output in outputs if isinstance(output, TankEvent)])
    return sum(_announce(connection, change, context) for change in changes)


def _write_events(connection: sa.Connection, events: Sequence[TankEvent]) -> None:
    rows = {
        (e.tank, e.kind, e.at): (e.tank, e.kind, e.at, e.until, e.litres, e.least_l, e.most_l)
        for e in events
    }
    upsert(connection, tank_event, rows.values())


def _write_judgement(connection: sa.Connection, change: IncidentChange) -> None:
    lists = (change.causes, [asdict(because) for because in change.because], change.figures)
    row = (
        change.id, change.change_number, change.received, change.change, change.kind,
        change.probability, *(msgspec.json.encode(value).decode() for value in lists),
    )  # fmt: skip
    upsert(connection, judgement, [row])
    if change.change_number > JUDGEMENTS_KEPT:
        surplus = {"of": change.id, "up_to": change.change_number - JUDGEMENTS_KEPT + 1}
        connection.execute(_FORGET, surplus)


def _write_incident(connection: sa.Connection, change: IncidentChange, version: int) -> None:
    """The incident after the change; keeps claims and a person's close."""
    values: dict[str, object] = {
        "version": version, "change_number": change.change_number, "kind": change.kind,
        "tank": change.tank, "uplink": change.uplink, "at": change.at, "updated": change.received,
        "probability": change.probability, "causes": dict(change.causes),
        "because": [asdict(because) for because in change.because],
        "figures": dict(change.figures), "auth": change.auth, "learned_late": change.learned_late,
    }  # fmt: skip
    closed, why = None, None
    if change.change == "closed":
        closed, why = change.received, str(change.figures.get("closed_why") or "")
    kept = {"of": change.id, "closes": closed, "because_of": why}
    if connection.execute(_CHANGE, values | kept).rowcount == 0:
        opened = {"id": change.id, "opened": change.received, "claim_version": 0}
        connection.execute(_OPEN, values | opened | {"closed": closed, "closed_why": why})


def _announce(connection: sa.Connection, change: IncidentChange, context: OutputContext) -> int:
    """Add history, leaf and messages of one change, unless a run before a rebuild did."""
    key = f"inc:{change.id}:{change.change_number}"
    _write_step(connection, change)
    _write_judgement(connection, change)
    if connection.execute(_LEAF_EXISTS, {"key": key}).first() is None:
        rid = context.rids.get(change.tank) if change.tank is not None else None
        leaf = {
            "key": key, "time": change.received, "kind": "inc", "subject": rid or "-",
            "lines": {}, "body": _leaf_body(change, rid),
        }  # fmt: skip
        connection.execute(_LEAF, leaf)
    if not change.alert:
        return 0
    return sum(_write_message(connection, change, name) for name in context.channels)


def _write_step(connection: sa.Connection, change: IncidentChange) -> None:
    data: dict[str, object] = {
        "number": change.change_number, "kind": change.kind,
        "probability": change.probability, "alert": change.alert,
    }  # fmt: skip
    if change.change == "closed":
        data["why"] = change.figures.get("closed_why")
    if change.figures.get("closing_ended_at") == change.received:
        data["closing_ended"] = change.figures.get("closing_ended")
    row = {"incident": change.id, "time": change.received, "what": change.change}
    connection.execute(_STEP, {**row, "data": data})


def _write_message(connection: sa.Connection, change: IncidentChange, channel: str) -> int:
    name = {
        "incident": change.id, "change_number": change.change_number, "channel": channel,
    }  # fmt: skip
    if connection.execute(_MESSAGE_EXISTS, name).first() is not None:
        return 0
    more = {
        "made": change.received, "due": change.received, "attempts": 0, "change": asdict(change),
    }  # fmt: skip
    connection.execute(_MESSAGE, name | more)
    return 1


def from_json(value: object) -> IncidentChange:
    """The change of a message in the outbox. Raises msgspec.ValidationError for other values."""
    return msgspec.convert(value, IncidentChange)


def _leaf_body(change: IncidentChange, rid: str | None) -> dict[str, object]:
    """The body of its ``inc`` leaf: the tank by its random id, without the uplink."""
    body = asdict(change)
    del body["tank"], body["uplink"]
    return {**body, "tank": rid} if rid is not None else body
