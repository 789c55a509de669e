"""The messages that wait: which of them are still news, and how they stand."""

from typing import Any

import sqlalchemy as sa

from gateway.database.tables import incident, outbox
from gateway.domain.outputs import WATER_KINDS, IncidentChange

OLD_S = 12 * 3600.0
"""An alert this old about something that has ended is no news to anybody."""

OVERTAKEN = "overtaken by a newer message"
ENDED = "it has ended"
ENDED_UNTOLD = "it ended before anybody was told"
TOO_OLD = "too old"
CHANNEL_GONE = "the channel is no longer configured"
NO_FAILURE = (OVERTAKEN, ENDED, ENDED_UNTOLD, TOO_OLD, CHANNEL_GONE)
"""Why a message was not sent without anything having failed (``outbox.error``)."""

WAITS = sa.and_(outbox.c.sent.is_(None), outbox.c.given_up.is_(None))


def lag(connection: sa.Connection, now: float) -> dict[str, Any]:
    """For the operator at ``now`` (Unix s): how many messages wait, how old the oldest is (s),
    and how many could not be delivered within a day.
    """
    waiting = sa.func.count().filter(WAITS)
    oldest = sa.func.min(outbox.c.made).filter(WAITS)
    failed = sa.and_(outbox.c.given_up.is_not(None), outbox.c.error.not_in(NO_FAILURE))
    row = connection.execute(sa.select(waiting, oldest, sa.func.count().filter(failed))).one()
    oldest_s = None if row[1] is None else max(now - row[1], 0.0)
    return {"waiting": row[0], "oldest_s": oldest_s, "failed": row[2]}


def why_moot(
    connection: sa.Connection, row: sa.Row[Any], change: IncidentChange, now: float
) -> str | None:
    """Why this message need not be sent any more, None when it must."""
    same = sa.and_(outbox.c.incident == row.incident, outbox.c.channel == row.channel)
    newer = sa.select(outbox.c.id).where(same, outbox.c.change_number > row.change_number)
    if connection.execute(newer.limit(1)).first() is not None:
        return OVERTAKEN
    is_old = now - row.made > OLD_S
    if change.change == "closed":
        told = sa.select(outbox.c.id).where(same, outbox.c.sent.is_not(None)).limit(1)
        if connection.execute(told).first() is None:
            return ENDED_UNTOLD
        return TOO_OLD if is_old else None
    query = sa.select(incident.c.closed).where(incident.c.id == row.incident)
    has_ended = connection.execute(query).scalar() is not None
    if has_ended and (is_old or change.kind in WATER_KINDS):
        return ENDED
    return None
