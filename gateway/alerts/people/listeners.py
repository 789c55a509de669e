"""Who can be notified now: persons with a verified contact, and who of them is on shift."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.alerts.tables import contact, listening, shift, snooze, swap
from gateway.database.tables import account
from gateway.domain.dispatch import rota
from gateway.domain.dispatch.escalation import Listeners
from gateway.domain.dispatch.people import GROUPS, MOST_PER_HOUR, Group, Recipient
from gateway.domain.dispatch.rota import Shift, Turn


def recipients(connection: sa.Connection) -> list[Recipient]:
    """Everybody with an open account and a verified contact, by id."""
    reached = sa.select(contact.c.account).where(contact.c.verified.is_not(None))
    query = (
        sa.select(account.c.id, account.c.role, listening)
        .join_from(account, listening, listening.c.account == account.c.id, isouter=True)
        .where(account.c.disabled.is_(None), account.c.id.in_(reached))
        .order_by(account.c.id)
    )
    snoozed: dict[str, dict[str, float]] = {}
    for person, tank, until in connection.execute(sa.select(snooze)):
        snoozed.setdefault(person, {})[tank] = until
    rows = connection.execute(query).all()
    return [_recipient(row, snoozed.get(row.id, {})) for row in rows]


def turns(connection: sa.Connection, start: float, end: float, zone: ZoneInfo) -> list[Turn]:
    """Every turn between ``start`` and ``end`` (Unix s), of open accounts."""
    closed = set(
        connection.execute(
            sa.select(account.c.id).where(account.c.disabled.is_not(None))
        ).scalars()
    )  # fmt: skip
    swaps = {
        (row.shift, date.fromisoformat(row.day)): row.account
        for row in connection.execute(sa.select(swap))
    }
    shifts = [shift_of(row) for row in connection.execute(sa.select(shift))]
    found = rota.turns(shifts, swaps, start, end, zone)
    return [turn for turn in found if turn.person not in closed]


def listeners(connection: sa.Connection, site: str | None, now: float, zone: ZoneInfo) -> Listeners:
    """Who can be notified of an incident at ``site`` at ``now`` (Unix s)."""
    here = rota.on_shift(turns(connection, now, now + 1.0, zone), now, site)
    return Listeners(recipients(connection), here)


def shift_of(row: sa.Row[Any]) -> Shift:
    """A row of ``shift``."""
    until = None if row.until is None else date.fromisoformat(row.until)
    since = date.fromisoformat(row.since)
    return Shift(row.id, row.account, frozenset(row.weekdays), row.start, row.minutes, since,
                 until, row.site)  # fmt: skip


def _recipient(row: sa.Row[Any], snoozed: dict[str, float]) -> Recipient:
    is_coordinator = row.role == "coordinator"
    if row.language is None:  # nothing was chosen
        return Recipient(row.id, is_coordinator, snoozed=snoozed)
    quiet = None if row.quiet_from is None else (row.quiet_from, row.quiet_until)
    groups = frozenset[Group](group for group in GROUPS if group in row.groups)
    return Recipient(row.id, is_coordinator, frozenset(row.sites), groups, quiet,
                     row.per_hour or MOST_PER_HOUR, snoozed)  # fmt: skip
