"""Quiet hours, caps and snoozes: when a message reaches a person."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.dispatch.people import Recipient, accepts, group_of, is_quiet
from gateway.domain.dispatch.timing import Moment, moment

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Recipient("amy", quiet=(22 * 60, 7 * 60))


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("quiet", "minute", "expected"),
    [
        ((60, 120), 59, False), ((60, 120), 60, True), ((60, 120), 119, True),
        ((60, 120), 120, False), ((1320, 420), 1319, False), ((1320, 420), 1320, True),
        ((1320, 420), 0, True), ((1320, 420), 419, True), ((1320, 420), 420, False),
        ((300, 300), 300, False), (None, 0, False),
    ],
)  # fmt: skip
def test_quiet_hours(quiet: tuple[int, int] | None, minute: int, expected: bool) -> None:
    assert is_quiet(Recipient("amy", quiet=quiet), minute) is expected


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-10 21:59", "2026-11-10 21:59"), ("2026-11-10 22:00", "2026-11-11 07:00"),
        ("2026-11-11 06:59:59", "2026-11-11 07:00"), ("2026-11-11 07:00", "2026-11-11 07:00"),
        ("2026-03-28 23:30", "2026-03-29 07:00"), ("2026-10-24 23:30", "2026-10-25 07:00"),
    ],
)  # fmt: skip
def test_a_message_waits_for_the_end_of_the_quiet_hours_by_the_local_clock(
    now: str, until: str
) -> None:
    found = moment(NIGHT, "water", "t", False, at(now), PARIS)
    assert found == Moment(at(until), "now" if now == until else "quiet")


def test_the_hour_that_comes_twice_is_quiet_twice() -> None:
    one = Recipient("amy", quiet=(150, 165))
    for fold in (0, 1):
        now = at("2026-10-25 02:31", fold)
        assert moment(one, "water", "t", False, now, PARIS).reason == "quiet"


def test_a_theft_and_a_shift_know_no_quiet_hours() -> None:
    now = at("2026-11-11 03:00")
    assert moment(NIGHT, "theft", "t", False, now, PARIS) == Moment(now, "now")
    assert moment(NIGHT, "sensor", "t", True, now, PARIS) == Moment(now, "now")
    assert moment(NIGHT, "sensor", "t", False, now, PARIS).reason == "quiet"


def test_a_snoozed_tank_waits_and_others_do_not() -> None:
    amy = Recipient("amy", snoozed={"t": 1000.0})
    assert moment(amy, "water", "t", True, 999.0, PARIS) == Moment(1000.0, "snoozed")
    assert moment(amy, "water", "t", True, 1000.0, PARIS).reason == "now"
    assert moment(amy, "water", "u", True, 999.0, PARIS).reason == "now"
    assert moment(amy, "water", None, True, 999.0, PARIS).reason == "now"
    assert moment(amy, "theft", "t", True, 999.0, PARIS).reason == "now"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ((), Moment(10_000, "now")),
        ((9_990.0,), Moment(10_000, "now")),
        ((9_990.0, 9_000.0), Moment(12_600, "digest")),
        ((9_990.0, 9_000.0, 8_000.0), Moment(12_600, "digest")),
        ((9_990.0, 6_400.0), Moment(10_000, "now")),
        ((9_990.0, 6_400.1), Moment(10_000.1, "digest")),
        ((9_990.0, 10_001.0), Moment(10_000, "now")),
    ],
)
def test_at_most_so_many_an_hour(sent: tuple[float, ...], expected: Moment) -> None:
    two = Recipient("amy", per_hour=2)
    found = moment(two, "water", "t", True, 10_000.0, PARIS, sent)
    assert found.reason == expected.reason
    assert found.at == pytest.approx(expected.at)


def test_what_a_person_asked_to_hear() -> None:
    north = Recipient("amy", sites=frozenset({"north"}), groups=frozenset({"water", "theft"}))
    assert accepts(north, "water", "north")
    assert not accepts(north, "water", "south")
    assert not accepts(north, "sensor", "north")
    assert accepts(north, "theft", None)
    assert accepts(Recipient("ben"), "sensor", "south")


def test_groups_of_kinds() -> None:
    assert [group_of(kind) for kind in ("low", "critical", "empty", "access_blocked")] == (
        ["water"] * 4
    )
    assert [group_of(k) for k in ("seized", "drained", "slashed", "lid_open", "unknown")] == (
        ["theft"] * 5
    )
    others = ("network_out", "silent", "battery", "sensor_fault", "moved_by_us", "clone")
    assert [group_of(kind) for kind in others] == ["sensor"] * 6
