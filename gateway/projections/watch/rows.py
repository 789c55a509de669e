"""What the watch told, written down: one call for each transaction.

Safe to repeat: after a rebuild the same changes come again, and neither a message nor a leaf nor
a step of an incident's history is written twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from gateway.database.engine import next_version, upsert
from gateway.database.tables import fact, incident, incident_step, outbox, tank_event
from gateway.database.tables import tank_now as tank_now_table
from gateway.domain.outputs import IncidentChange, TankEvent, TankNow, WatchOutput
from gateway.projections.watch.codec import fact_of, to_json

_AT_ONCE = 100  # tanks: of a whole fleet they are dozens of megabytes
REBUILT = "rebuilt"
"""``closed_why`` of an incident that a rebuild has not reached again (``watching.rebuild``)."""


# Built once: to build them takes SQLAlchemy longer than all that SQLite does for an alert.
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
_LEAF_THERE = sa.select(fact.c.id).where(fact.c.key == sa.bindparam("key")).limit(1)
_MESSAGE_THERE = (
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
    """What the writing needs to know: the channels' names and the tanks' random ids."""

    channels: Sequence[str]
    rids: Mapping[str, str]


def write_output(
    connection: sa.Connection,
    told: Sequence[WatchOutput],
    tanks: Iterable[TankNow],
    book: OutputContext,
) -> int:
    """Write answers and changed tanks; returns how many messages now wait in the outbox.

    The caller's transaction began with ``database.serialise``, so versions are unique.
    """
    tanks = iter(tanks)
    some = list(islice(tanks, _AT_ONCE))
    events = [t for t in told if isinstance(t, TankEvent)]
    changes = [t for t in told if isinstance(t, IncidentChange)]
    if some or changes:
        version = next_version(connection)
        while some:
            _tanks(connection, some, version)
            some = list(islice(tanks, _AT_ONCE))
        for change in changes:
            _incident(connection, change, version)
    _events(connection, events)
    return sum(_announce(connection, change, book) for change in changes)


def _tanks(connection: sa.Connection, tanks: Sequence[TankNow], version: int) -> None:
    rows = [(t.tank, version, msgspec.json.encode(t).decode()) for t in tanks]
    upsert(connection, tank_now_table, rows)


def _events(connection: sa.Connection, events: Sequence[TankEvent]) -> None:
    rows = {(e.tank, e.kind, e.at): (e.tank, e.kind, e.at, e.until, e.litres) for e in events}
    upsert(connection, tank_event, list(rows.values()))


def _incident(connection: sa.Connection, change: IncidentChange, version: int) -> None:
    """The incident as it stands after the change; claims and a person's close stay."""
    values: dict[str, Any] = {
        "version": version,
        "change_number": change.change_number,
        "kind": change.kind,
        "tank": change.tank,
        "uplink": change.uplink,
        "at": change.at,
        "updated": change.received,
        "probability": change.probability,
        "causes": dict(change.causes),
        "because": [asdict(because) for because in change.because],
        "figures": dict(change.figures),
        "auth": change.auth,
        "learned_late": change.learned_late,
    }
    closed, why = None, None
    if change.change == "closed":
        closed, why = change.received, str(change.figures.get("closed_why") or "")
    kept = {"of": change.id, "closes": closed, "because_of": why}
    if connection.execute(_CHANGE, values | kept).rowcount == 0:
        opened = {"id": change.id, "opened": change.received, "claim_version": 0}
        connection.execute(_OPEN, values | opened | {"closed": closed, "closed_why": why})


def _announce(connection: sa.Connection, change: IncidentChange, book: OutputContext) -> int:
    """History, leaf and messages of one change, unless it was announced before."""
    key = f"inc:{change.id}:{change.change_number}"
    _step(connection, change)
    if connection.execute(_LEAF_THERE, {"key": key}).first() is None:
        rid = book.rids.get(change.tank) if change.tank is not None else None
        leaf = {
            "key": key, "time": change.received, "kind": "inc", "subject": rid or "-",
            "lines": {}, "body": fact_of(change, rid),
        }  # fmt: skip
        connection.execute(_LEAF, leaf)
    return sum(_message(connection, change, name) for name in book.channels) if change.alert else 0


def _step(connection: sa.Connection, change: IncidentChange) -> None:
    data: dict[str, Any] = {
        "number": change.change_number,
        "kind": change.kind,
        "probability": change.probability,
        "alert": change.alert,
    }
    if change.change == "closed":
        data["why"] = change.figures.get("closed_why")
    row = {"incident": change.id, "time": change.received, "what": change.change}
    connection.execute(_STEP, {**row, "data": data})


def _message(connection: sa.Connection, change: IncidentChange, channel: str) -> int:
    name = {
        "incident": change.id, "change_number": change.change_number, "channel": channel,
    }  # fmt: skip
    if connection.execute(_MESSAGE_THERE, name).first() is not None:
        return 0
    more = {
        "made": change.received, "due": change.received, "attempts": 0, "change": to_json(change),
    }  # fmt: skip
    connection.execute(_MESSAGE, name | more)
    return 1
