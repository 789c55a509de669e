"""The messages that wait in the outbox: how many, and which need not be sent any more."""

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from gateway.database.tables import incident, outbox
from gateway.domain.outputs import WATER_KINDS, IncidentChange

OLD_S = 12 * 3600.0
"""An alert this old is not sent when its incident has ended."""

OVERTAKEN = "overtaken by a newer message"
ENDED = "it has ended"
ENDED_UNTOLD = "it ended before anybody was told"
TOO_OLD = "too old"
CHANNEL_GONE = "the channel is no longer configured"
NO_FAILURE = (OVERTAKEN, ENDED, ENDED_UNTOLD, TOO_OLD, CHANNEL_GONE)
"""Values of ``outbox.error`` for messages that were not sent although nothing failed."""

WAITS = sa.and_(outbox.c.sent.is_(None), outbox.c.given_up.is_(None))


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One row of the outbox; ``change`` is the incident's change as JSON."""

    id: int
    incident: str
    change_number: int
    channel: str
    made: float
    due: float
    attempts: int
    error: str | None
    change: object


_FAILED = sa.and_(outbox.c.given_up.is_not(None), outbox.c.error.not_in(NO_FAILURE))


class Undelivered(NamedTuple):
    """A message of an incident that a channel refused; ``made`` in Unix s."""

    made: float
    channel: str
    incident: str
    error: str


def undelivered(connection: sa.Connection) -> list[Undelivered]:
    """What was given up although it could have mattered, newest last."""
    columns = outbox.c.made, outbox.c.channel, outbox.c.incident, outbox.c.error
    rows = connection.execute(sa.select(*columns).where(_FAILED).order_by(outbox.c.id))
    return [Undelivered(*row) for row in rows]


def retry(connection: sa.Connection, now: float) -> int:
    """Let everything that was given up wait again, due at once; returns how many.

    The outbox drops what no longer matters before it sends anything.
    """
    done = connection.execute(
        sa.update(outbox).where(_FAILED).values(given_up=None, error=None, attempts=0, due=now)
    )
    return done.rowcount


def lag(connection: sa.Connection, now: float) -> dict[str, int | float | None]:
    """How many messages wait at ``now`` (Unix s), the oldest's age (s), and how many failed."""
    waiting = sa.func.count().filter(WAITS)
    oldest = sa.func.min(outbox.c.made).filter(WAITS)
    row = connection.execute(sa.select(waiting, oldest, sa.func.count().filter(_FAILED))).one()
    oldest_s = None if row[1] is None else max(now - row[1], 0.0)
    return {"waiting": row[0], "oldest_s": oldest_s, "failed": row[2]}


def why_moot(
    connection: sa.Connection, message: OutboxMessage, change: IncidentChange, now: float
) -> str | None:
    """Why this message need not be sent any more; None when it must be."""
    same = sa.and_(outbox.c.incident == message.incident, outbox.c.channel == message.channel)
    newer = sa.select(outbox.c.id).where(same, outbox.c.change_number > message.change_number)
    if connection.execute(newer.limit(1)).first() is not None:
        return OVERTAKEN
    is_old = now - message.made > OLD_S
    if change.change == "closed":
        sent = sa.select(outbox.c.id).where(same, outbox.c.sent.is_not(None)).limit(1)
        if connection.execute(sent).first() is None:
            return ENDED_UNTOLD
        return TOO_OLD if is_old else None
    query = sa.select(incident.c.closed).where(incident.c.id == message.incident)
    has_ended = connection.execute(query).scalar() is not None
    if has_ended and (is_old or change.kind in WATER_KINDS):
        return ENDED
    return None
