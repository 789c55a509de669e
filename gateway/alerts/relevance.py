"""The messages that wait in the outbox: how many, and which need not be sent any more."""

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from gateway.alerts.tables import notice
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


_NOTICE_FAILED = sa.and_(notice.c.given_up.is_not(None), notice.c.error.not_in(NO_FAILURE))
_NOTICE_WAITS = sa.and_(  # what a person asked to hear later is no delay
    notice.c.sent.is_(None), notice.c.given_up.is_(None), notice.c.held.is_(None)
)


class Undelivered(NamedTuple):
    """A message of an incident that a channel or a person's service refused; ``made`` in Unix s.

    ``channel`` is ``person`` and the random id of an account where it was for a person.
    """

    made: float
    channel: str
    incident: str
    error: str


def undelivered(connection: sa.Connection) -> list[Undelivered]:
    """What was given up although it could have mattered, newest last."""
    columns = outbox.c.made, outbox.c.channel, outbox.c.incident, outbox.c.error
    rows = connection.execute(sa.select(*columns).where(_FAILED).order_by(outbox.c.id))
    channels = [Undelivered(*row) for row in rows]
    columns = notice.c.made, notice.c.account, notice.c.incident, notice.c.error
    rows = connection.execute(sa.select(*columns).where(_NOTICE_FAILED).order_by(notice.c.id))
    persons = [Undelivered(made, f"person {who}", *rest) for made, who, *rest in rows]
    return sorted(channels + persons)


def retry(connection: sa.Connection, now: float) -> int:
    """Let everything that was given up wait again, due at once; returns how many.

    The outbox drops what no longer matters before it sends anything.
    """
    done = connection.execute(
        sa.update(outbox).where(_FAILED).values(given_up=None, error=None, attempts=0, due=now)
    )
    notices = connection.execute(
        sa.update(notice)
        .where(_NOTICE_FAILED)
        .values(given_up=None, error=None, attempts=0, contact=None, made=now, due=now)
    )
    return done.rowcount + notices.rowcount


def lag(connection: sa.Connection, now: float) -> dict[str, int | float | None]:
    """How many messages wait at ``now`` (Unix s), the oldest's age (s), and how many failed."""
    waiting = sa.func.count().filter(WAITS)
    oldest = sa.func.min(outbox.c.made).filter(WAITS)
    row = connection.execute(sa.select(waiting, oldest, sa.func.count().filter(_FAILED))).one()
    waiting = sa.func.count().filter(_NOTICE_WAITS)
    oldest = sa.func.min(notice.c.made).filter(_NOTICE_WAITS)
    person = connection.execute(
        sa.select(waiting, oldest, sa.func.count().filter(_NOTICE_FAILED))
    ).one()
    since = min([at for at in (row[1], person[1]) if at is not None], default=None)
    oldest_s = None if since is None else max(now - since, 0.0)
    return {"waiting": row[0] + person[0], "oldest_s": oldest_s, "failed": row[2] + person[2]}


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
