"""Weekly shifts with exceptions, across midnight and both changes of the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.dispatch.rota import Shift, Swaps, on_shift, turns

PARIS = ZoneInfo("Europe/Paris")
WEEK = frozenset(range(7))


def at(text: str) -> float:
    """A local time in Paris as Unix s."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def shift(
    id: str = "a", person: str = "amy", weekdays: frozenset[int] = WEEK, start: int = 8 * 60,
    minutes: int = 240, since: date = date(2026, 1, 1), until: date | None = None,
    site: str | None = None,
) -> Shift:  # fmt: skip
    return Shift(id, person, weekdays, start, minutes, since, until, site)


def notified(
    shifts: list[Shift], start: str, end: str, swaps: Swaps | None = None
) -> list[tuple[str, str, str]]:
    """Turns as (start, end, person), times in UTC."""
    found = turns(shifts, swaps or {}, at(start), at(end), PARIS)
    return [(utc(turn.start), utc(turn.end), turn.person) for turn in found]


def utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %H:%M")


def test_a_shift_comes_on_its_days_of_the_week() -> None:
    weekend = shift(weekdays=frozenset({5, 6}))
    assert notified([weekend], "2026-11-02 00:00", "2026-11-16 00:00") == [
        ("07 07:00", "07 11:00", "amy"), ("08 07:00", "08 11:00", "amy"),
        ("14 07:00", "14 11:00", "amy"), ("15 07:00", "15 11:00", "amy"),
    ]  # fmt: skip


def test_a_shift_begins_and_ends_with_its_days() -> None:
    month = shift(since=date(2026, 11, 3), until=date(2026, 11, 4))
    found = notified([month], "2026-11-01 00:00", "2026-11-09 00:00")
    assert [start for start, _, _ in found] == ["03 07:00", "04 07:00"]


@pytest.mark.parametrize(
    ("day", "start", "minutes", "begins", "ends"),
    [
        ("2026-03-28", 22 * 60, 480, "28 21:00", "29 05:00"),  # eight hours: until 07:00 local
        ("2026-03-29", 150, 60, "29 01:30", "29 02:30"),  # 02:30 does not exist: 03:30
        ("2026-03-29", 8 * 60, 60, "29 06:00", "29 07:00"),
        ("2026-10-25", 150, 60, "25 00:30", "25 01:30"),  # 02:30 comes twice: the first
        ("2026-10-25", 8 * 60, 60, "25 07:00", "25 08:00"),
    ],
)
def test_the_clock_changes(day: str, start: int, minutes: int, begins: str, ends: str) -> None:
    only = date.fromisoformat(day)
    row = shift(start=start, minutes=minutes, since=only, until=only)
    assert notified([row], f"{day} 00:00", f"{day} 23:59") == [(begins, ends, "amy")]


def test_a_turn_that_began_the_day_before_is_found() -> None:
    night = shift(start=22 * 60, minutes=600)
    assert notified([night], "2026-11-10 03:00", "2026-11-10 03:01") == [
        ("09 21:00", "10 07:00", "amy")
    ]
    whole_day = shift(start=23 * 60 + 59, minutes=1440)
    assert len(notified([whole_day], "2026-11-10 12:00", "2026-11-10 12:01")) == 1


def test_the_edges_of_a_span_do_not_touch_turns() -> None:
    assert notified([shift()], "2026-11-10 12:00", "2026-11-11 08:00") == []
    assert len(notified([shift()], "2026-11-10 11:59", "2026-11-11 08:01")) == 2


def test_somebody_takes_a_turn_or_nobody_does() -> None:
    swaps = {("a", date(2026, 11, 3)): "ben", ("a", date(2026, 11, 4)): None}
    found = notified([shift()], "2026-11-03 00:00", "2026-11-06 00:00", swaps)
    assert [(start, person) for start, _, person in found] == [
        ("03 07:00", "ben"), ("05 07:00", "amy")
    ]  # fmt: skip


def test_who_is_on_shift_at_a_site() -> None:
    rows = [
        shift("a", "amy", site="north"), shift("b", "ben"), shift("c", "cat", start=12 * 60),
    ]  # fmt: skip
    day = turns(rows, {}, at("2026-11-03 00:00"), at("2026-11-04 00:00"), PARIS)
    assert on_shift(day, at("2026-11-03 08:00"), "north") == {"amy", "ben"}
    assert on_shift(day, at("2026-11-03 11:59"), "south") == {"ben"}
    assert on_shift(day, at("2026-11-03 11:59"), None) == {"amy", "ben"}
    assert on_shift(day, at("2026-11-03 12:00"), "north") == {"cat"}
    assert on_shift(day, at("2026-11-03 07:59"), "north") == frozenset()
