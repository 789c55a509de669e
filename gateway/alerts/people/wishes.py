"""What a person asked to be alerted of, when, and of which tanks not for a while."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.alerts.tables import listening, notice, snooze
from gateway.database.engine import upsert
from gateway.domain.dispatch.people import GROUPS, MOST_PER_HOUR, Group


@dataclass(frozen=True, slots=True)
class Wishes:
    """A row of ``listening``; the defaults are what holds for a person who chose nothing.

    ``sites``: all when empty. ``quiet``: minutes after local midnight, from and until.
    """

    language: str
    sites: tuple[str, ...] = ()
    groups: tuple[Group, ...] = GROUPS
    quiet: tuple[int, int] | None = None
    per_hour: int = MOST_PER_HOUR


def of(connection: sa.Connection, person: str, language: str) -> Wishes:
    """What the person chose; ``language``: the installation's, for those who chose nothing."""
    row = connection.execute(sa.select(listening).where(listening.c.account == person)).first()
    if row is None:
        return Wishes(language)
    quiet = None if row.quiet_from is None else (row.quiet_from, row.quiet_until)
    groups = tuple[Group, ...](group for group in GROUPS if group in row.groups)
    return Wishes(row.language, tuple(row.sites), groups, quiet, row.per_hour or MOST_PER_HOUR)


def save(connection: sa.Connection, person: str, wishes: Wishes) -> None:
    """Keep what the person chose."""
    start, end = wishes.quiet or (None, None)
    row = (person, wishes.language, json.dumps(wishes.sites), json.dumps(wishes.groups), start,
           end, wishes.per_hour)  # fmt: skip
    upsert(connection, listening, [row])
    _reconsider(connection, person)


def snoozed(connection: sa.Connection, person: str, now: float) -> Mapping[str, float]:
    """By tank: until when (Unix s) the person wants no alerts about it."""
    query = sa.select(snooze.c.tank, snooze.c.until).order_by(snooze.c.until)
    rows = connection.execute(query.where(snooze.c.account == person, snooze.c.until > now))
    return {row.tank: row.until for row in rows}


def set_snooze(connection: sa.Connection, person: str, tank: str, until: float | None) -> None:
    """No alerts about this tank until then (Unix s); None ends it."""
    if until is not None:
        upsert(connection, snooze, [(person, tank, until)])
    else:
        own = sa.and_(snooze.c.account == person, snooze.c.tank == tank)
        connection.execute(sa.delete(snooze).where(own))
    _reconsider(connection, person)


def _reconsider(connection: sa.Connection, person: str) -> None:
    """Let what is kept back for this person be decided again, by what they chose now."""
    kept_back = sa.and_(
        notice.c.account == person, notice.c.held.is_not(None),
        notice.c.sent.is_(None), notice.c.given_up.is_(None),
    )  # fmt: skip
    connection.execute(sa.update(notice).where(kept_back).values(due=notice.c.made))
