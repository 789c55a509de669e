"""Weekly shifts with exceptions: who is on shift when.

A shift begins at a time of the local clock and lasts so many real minutes; where the clock is put
forward or back in between, it ends at another time of the clock, not sooner or later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

LONGEST_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Shift:
    """Every week on some days. ``weekdays``: 0 is Monday. ``start``: minutes after local midnight.

    ``site``: None for all. ``until``: its last day, None without an end.
    """

    id: str
    person: str
    weekdays: frozenset[int]
    start: int
    minutes: int
    since: date
    until: date | None = None
    site: str | None = None


class Turn(NamedTuple):
    """One shift of one day, Unix s; ``person`` is whoever takes it that day."""

    start: float
    end: float
    person: str
    site: str | None
    shift: str
    day: date


Swaps = Mapping[tuple[str, date], str | None]
"""By shift and day: who takes it instead, None when nobody does."""


def turns(
    shifts: Iterable[Shift], swaps: Swaps, start: float, end: float, zone: ZoneInfo
) -> list[Turn]:
    """Every turn that overlaps ``start`` to ``end`` (Unix s), in order."""
    first = datetime.fromtimestamp(start, zone).date() - timedelta(days=2)
    days = (datetime.fromtimestamp(end, zone).date() - first).days + 1
    found: list[Turn] = []
    for shift in shifts:
        for day in (first + timedelta(days=n) for n in range(days)):
            turn = _turn(shift, swaps, day, zone)
            if turn is not None and turn.start < end and turn.end > start:
                found.append(turn)
    return sorted(found, key=lambda turn: (turn.start, turn.end, turn.person, turn.shift))


def on_shift(turns: Iterable[Turn], at: float, site: str | None) -> frozenset[str]:
    """Who is on shift at ``at`` (Unix s) for a site; None is what belongs to no site."""
    return frozenset(
        turn.person
        for turn in turns
        if turn.start <= at < turn.end and (turn.site is None or site is None or turn.site == site)
    )


def _turn(shift: Shift, swaps: Swaps, day: date, zone: ZoneInfo) -> Turn | None:
    if day.weekday() not in shift.weekdays or day < shift.since:
        return None
    if shift.until is not None and day > shift.until:
        return None
    person = swaps.get((shift.id, day), shift.person)
    if person is None:
        return None
    start = _moment(day, shift.start, zone)
    return Turn(start, start + shift.minutes * 60.0, person, shift.site, shift.id, day)


def _moment(day: date, minute: int, zone: ZoneInfo) -> float:
    """The Unix time of a local time; one that the clock skips is an hour later, of one that it
    shows twice it is the first.
    """
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return local.astimezone(UTC).timestamp()
