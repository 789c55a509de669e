"""A leak: a level that falls along one line in hours in which people draw next to nothing."""

import pytest

from gateway.domain.watch.tracks import leaks
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.account import Flow, Rise
from gateway.domain.watch.tracks.profile import Profile
from tests.unit.followed_tank import sampled
from tests.unit.hourly_tank import HOUR, MONDAY
from tests.unit.tank_story import ibc

NIGHT = MONDAY + 20 * 24  # a Sunday, 0:00 UTC
ROW = ibc()


def used(by_day: float = 30.0, by_night: float = 1.0, days: int = 20) -> Profile:
    """The profile of a tank that people use from 6:00 to 22:00."""
    profile = Profile()
    profiles.start(profile, 480.0)
    for hour in range(24 * days):
        litres = by_day if 6 <= hour % 24 < 22 else by_night
        profiles.learn(profile, MONDAY + hour, "UTC", litres, 500.0)
    return profile


def night(
    lph: float = 12.0, hours: float = 4.0, count: int = 24, noise: float = 0.5, start: float = NIGHT
) -> Flow:
    """A flow whose last samples fall along a line."""
    step = hours / (count - 1)
    samples = [[(start + k * step) * HOUR, 800 - lph * k * step + noise * (-1) ** k]
               for k in range(count)]  # fmt: skip
    return sampled(*samples)


def check(flow: Flow, profile: Profile | None = None) -> list[float | None]:
    """The litres of the leaks found."""
    now = flow.recent[-1][0] + 60
    found = leaks.check(flow, profile or used(), ROW, "UTC", now)
    assert all((e.kind, e.tank) == ("leak", "north-1") for e in found)
    return [event.litres for event in found]


def test_a_steady_fall_at_night_is_a_leak_from_its_first_sample_to_its_last() -> None:
    flow = night()
    (event,) = leaks.check(flow, used(), ROW, "UTC", (NIGHT + 4) * HOUR)
    assert (event.at, event.until) == (NIGHT * HOUR, (NIGHT + 4) * HOUR)
    assert event.litres == pytest.approx(48.0, abs=1.0)
    assert flow.leak_at == (NIGHT + 4) * HOUR


def test_a_leak_is_reported_once_a_night() -> None:
    flow, profile = night(), used()
    assert check(flow, profile)
    assert not check(flow, profile)
    flow.leak_at = flow.recent[-1][0] + 60 - 20 * HOUR + 1
    assert not check(flow, profile)
    flow.leak_at -= 1
    assert check(flow, profile)


@pytest.mark.parametrize(
    ("flow", "found"),
    [
        (night(hours=3.0), True),
        (night(hours=2.99), False),
        (night(count=12), True),
        (night(count=11), False),
        (night(lph=6.2, noise=0.1), True),
        (night(lph=5.9, noise=0.1), False),
        (night(lph=-12.0), False),
        (night(lph=0.0, noise=0.0), False),
        (night(lph=8.0, noise=9.0), False),  # not certain enough
        (night(lph=40.0, noise=14.0), False),  # steps like filled cans
        (night(lph=40.0, noise=10.0), True),
        (night(start=NIGHT + 10), False),  # in the day people draw
    ],
)
def test_only_a_steady_certain_fall_in_quiet_hours_is_a_leak(flow: Flow, found: bool) -> None:
    assert bool(check(flow)) is found


def test_no_leak_while_the_tank_is_filled() -> None:
    flow = night()
    flow.rise = Rise(0.0, 0.0, 0.0, 0.0, 0.0, [])
    assert not check(flow)


def test_a_fall_that_stops_for_a_third_of_the_time_is_no_leak() -> None:
    flow = night(lph=24.0, noise=0.2)
    flow.recent_l[16:] = [flow.recent_l[15]] * 8
    assert not check(flow)


def test_quiet_hours_are_known_after_three_days() -> None:
    profile = used(days=3)
    assert profile.known == 72
    assert check(night(), profile)
    profile.known = 71
    assert not check(night(), profile)


def test_what_people_draw_at_night_is_no_leak() -> None:
    busy = used(by_night=5.0)  # quiet against 30 L/h, but more than half of the fall
    assert not check(night(lph=9.0), busy)
    assert check(night(lph=18.0), busy)
    assert not check(night(lph=30.0), used(by_night=12.0))  # no quiet hours


def test_quiet_hours_are_local() -> None:
    flow, profile = night(start=NIGHT + 1.5), used()  # 1:30 to 5:30 UTC
    assert leaks.check(flow, profile, ROW, "UTC", (NIGHT + 6) * HOUR)
    flow.leak_at = 0.0
    assert not leaks.check(flow, profile, ROW, "Asia/Kolkata", (NIGHT + 6) * HOUR)


def test_samples_over_more_than_a_day_are_compared_with_a_days_use() -> None:
    flow = night(lph=7.0, hours=400.0, noise=0.1)
    assert not check(flow)
