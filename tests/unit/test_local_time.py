"""Local hours: across both changes of the clock of 2026, and for zones of half hours."""

import pytest

from gateway.domain.local_time import hour_of_week, hours_of_week, is_timezone, offset_s

PARIS = "Europe/Paris"
SPRING = 1774746000 // 3600  # 2026-03-29 01:00 UTC, a Sunday: 2:00 becomes 3:00 in Paris
AUTUMN = 1792890000 // 3600  # 2026-10-25 01:00 UTC, a Sunday: 3:00 becomes 2:00
SUNDAY = 6 * 24


def test_the_hour_from_two_to_three_is_missing_in_spring() -> None:
    hours = hours_of_week(PARIS, SPRING - 2, 4)
    assert list(hours) == [SUNDAY, SUNDAY + 1, SUNDAY + 3, SUNDAY + 4]
    assert [offset_s(PARIS, SPRING - 1), offset_s(PARIS, SPRING)] == [3600, 7200]


def test_a_change_in_the_last_hour_counts() -> None:
    assert list(hours_of_week(PARIS, SPRING - 1, 2)) == [SUNDAY + 1, SUNDAY + 3]
    assert hours_of_week(PARIS, SPRING - 2, 2) == range(SUNDAY, SUNDAY + 2)
    assert hours_of_week(PARIS, SPRING, 168) == range(SUNDAY + 3, SUNDAY + 171)


def test_the_hour_from_two_to_three_comes_twice_in_autumn() -> None:
    hours = hours_of_week(PARIS, AUTUMN - 2, 4)
    assert list(hours) == [SUNDAY + 1, SUNDAY + 2, SUNDAY + 2, SUNDAY + 3]


def test_hours_count_on_past_the_end_of_the_week_unless_the_clock_changes() -> None:
    monday = SPRING - 2 + 24  # 29 March, 23:00 UTC; two hours ahead: Monday 1:00
    assert hour_of_week(PARIS, monday - 2) == SUNDAY + 23
    assert hours_of_week(PARIS, monday - 2, 3) == range(SUNDAY + 23, SUNDAY + 26)
    assert hour_of_week(PARIS, monday - 1) == 0
    changed = hours_of_week(PARIS, SPRING - 1, 24)
    assert (changed[0], changed[1], changed[-1]) == (SUNDAY + 1, SUNDAY + 3, 1)


def test_a_day_of_the_week_has_its_number() -> None:
    assert hour_of_week("UTC", 498_048) == 0  # 2026-10-26, a Monday
    assert hour_of_week("UTC", 498_047) == 167


@pytest.mark.parametrize(
    ("timezone", "hour", "local"),
    [("Asia/Kolkata", 0, 6), ("Asia/Kathmandu", 1, 7), ("America/New_York", 20, 16)],
)
def test_an_hour_counts_as_the_local_hour_of_its_middle(
    timezone: str, hour: int, local: int
) -> None:
    assert hour_of_week(timezone, 498_048 + hour) == local


@pytest.mark.parametrize("name", ["", "Mars/North", "../UTC", "/etc/localtime", "Europe", "a\0"])
def test_what_is_no_time_zone_counts_as_utc(name: str) -> None:
    assert not is_timezone(name)
    assert offset_s(name, AUTUMN) == 0


def test_a_known_name_is_a_time_zone() -> None:
    assert is_timezone(PARIS) and is_timezone("UTC")
