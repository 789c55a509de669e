"""A span of the rota, read from the database: turns, also those that nobody has, and gaps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.alerts.people.listeners import shift_of
from gateway.alerts.tables import shift, swap
from gateway.database.tables import account
from gateway.domain.dispatch import rota
from gateway.domain.dispatch.rota import Shift, Turn

NOBODY = ""
"""In place of a person's id: nobody has this turn, or their account is closed."""
_MARGIN_S = 3 * 86400.0
"""A turn that began two days before may still last."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Unix s, in which nobody is on shift for these sites; the ids are in order."""

    start: float
    end: float
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rota:
    """``turns`` of a span in order; ``changed_by``: by shift and day, who can undo a change."""

    shifts: tuple[Shift, ...]
    turns: tuple[Turn, ...]
    changed_by: Mapping[tuple[str, date], str]
    names: Mapping[str, str]
    closed: frozenset[str]


def read(connection: sa.Connection, start: float, end: float, zone: ZoneInfo) -> Rota:
    """What overlaps ``start`` to ``end`` (Unix s)."""
    people = connection.execute(sa.select(account.c.id, account.c.name, account.c.disabled)).all()
    closed = frozenset(row.id for row in people if row.disabled is not None)
    days = (_iso(start - _MARGIN_S), _iso(end + _MARGIN_S))
    rows = connection.execute(sa.select(swap).where(swap.c.day.between(*days))).all()
    swaps = {(row.shift, date.fromisoformat(row.day)): row.account or NOBODY for row in rows}
    query = sa.select(shift).order_by(shift.c.start, shift.c.id)
    shifts = tuple(shift_of(row) for row in connection.execute(query))
    found = (
        turn._replace(person=NOBODY) if turn.person in closed else turn
        for turn in rota.turns(shifts, swaps, start, end, zone)
    )
    changed = {
        (row.shift, date.fromisoformat(row.day)): row.changed_by
        for row in rows
        if row.changed_by is not None
    }
    return Rota(shifts, tuple(found), changed, {row.id: row.name for row in people}, closed)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def gaps(turns: Iterable[Turn], sites: Iterable[str], start: float, end: float) -> list[Gap]:
    """Where nobody is on shift between ``start`` and ``end`` (Unix s).

    Sites without anybody in the same hours share one gap.
    """
    taken = [turn for turn in turns if turn.person != NOBODY]
    empty: dict[tuple[float, float], list[str]] = {}
    for site in sorted(sites):
        at = start
        own = [(t.start, t.end) for t in taken if t.site in (None, site)]
        for first, last in [*sorted(own), (end, end)]:
            if min(first, end) > at:
                empty.setdefault((at, min(first, end)), []).append(site)
            at = max(at, last)
    return [Gap(a, b, tuple(names)) for (a, b), names in sorted(empty.items())]


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: ZoneInfo) -> float:
    """The begin of a local day (Unix s)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
