"""The hourly work of a tank in the watch: priors by site, local hours, rounds in the forecast."""

from dataclasses import replace

import pytest

from gateway.domain.outputs import Forecast
from gateway.domain.registry import Registry, Site
from gateway.domain.watch.rules import hours
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.profile import Profile
from tests.unit.tank_story import DAY, HOUR, T0, Story, ibc, registry_of


def sited(site: Site, *tanks: str) -> Registry:
    return replace(
        registry_of([ibc(tank) for tank in tanks or ("north-1",)]), sites={site.id: (site,)}
    )


def profile_of(story: Story, tank: str = "north-1") -> Profile:
    return story.watch._context.profile(tank).profile


def test_the_prior_is_the_people_of_the_site_shared_by_its_tanks() -> None:
    site = Site("north", "r", people_low=200, people_high=200)
    story = Story(sited(site, "north-1", "north-2"))
    story.sends(800, at=0)
    story.passes(2 * HOUR)
    assert profiles.usual(profile_of(story)).day_l == pytest.approx(500.0)
    elsewhere = Story(sited(Site("south", "r", people_low=200, people_high=200)))
    elsewhere.sends(800, at=0)
    elsewhere.passes(2 * HOUR)
    assert profiles.usual(profile_of(elsewhere)).day_l == pytest.approx(550.0)


def test_what_is_usual_is_kept_from_hour_to_hour_as_the_profile_has_it() -> None:
    story, seen = Story(), 0
    level = 900.0
    for step in range(24 * 5 * 2):
        level = 900.0 if level < 15 else level - 12 - 6 * (step % 5)  # runs dry, and is refilled
        if 70 < step < 80:
            story.passes(HOUR / 2)  # no reading: the next draw is shared by these hours
        else:
            story.levels(max(level, 0.0), every=HOUR / 2)
        kept = story.watch._context.usual.get("north-1")
        if kept is not None:
            seen += 1
            assert kept == profiles.usual(profile_of(story)), step
    assert seen > 200 and profile_of(story).known > 60


def test_a_forecast_comes_from_the_first_hour_on() -> None:
    story = Story()
    story.levels(*[800] * 5)
    forecast = story.forecasts[-1]
    assert forecast.low_at and forecast.critical_at and forecast.empty_at
    assert forecast.low_at.at < forecast.critical_at.at < forecast.empty_at.at
    assert 24 * HOUR < forecast.empty_at.at - (T0 + story.at) < 40 * HOUR
    now = story.watch.now("north-1")
    assert (now.low_at, now.critical_at, now.empty_at) == (
        forecast.low_at, forecast.critical_at, forecast.empty_at,
    )  # fmt: skip


@pytest.mark.parametrize(("timezone", "hour"), [("Europe/Paris", 11), ("UTC", 10)])
def test_draws_are_learned_by_the_sites_local_hour(timezone: str, hour: int) -> None:
    story = Story(sited(Site("north", "r", timezone=timezone)))
    litres = 950
    for quarter in range(4 * 48):
        at = quarter * 900
        if (T0 + at) // HOUR % 24 == 10:  # UTC
            litres -= 25
        story.sends(litres, at=at)
    learned = profile_of(story).by_hour
    assert learned.index(max(learned)) in (hour, hour + 1)
    assert max(learned) > 80


def test_nothing_is_learned_while_the_sensor_is_faulty() -> None:
    story = Story()
    story.levels(*[800] * 8)
    story.levels(*[None] * 12)  # type: ignore[list-item]
    known = profile_of(story).known
    story.levels(*[500] * 3)
    assert profile_of(story).known <= known + 1
    assert profile_of(story).peaks in ([], [0.0])


def rounds(days: int, at: int = 12) -> Story:
    """A tank that is drawn down by day and refilled at the same hour (after 22:00 UTC)."""
    story = Story()
    for quarter in range(4 * 24 * days):
        hour = quarter // 4 % 24
        if hour < at:
            litres = 900 - 30 * (hour + quarter % 4 / 4)
        else:
            litres = 900 if quarter % 4 or hour > at else 600
        story.sends(litres, at=quarter * 900)
    return story


def test_a_tank_in_usual_rounds_has_its_next_one_and_the_chance_to_be_dry_before() -> None:
    story = rounds(7)
    forecast = story.forecasts[-1]
    assert forecast.next_round_at == pytest.approx(T0 + 7 * DAY + 12.3 * HOUR, abs=0.5 * HOUR)
    assert forecast.dry_before_round is not None
    assert forecast.dry_before_round < 0.2
    now = story.watch.now("north-1")
    assert now.next_round_at == forecast.next_round_at
    assert now.dry_before_round == forecast.dry_before_round
    first: Forecast = story.forecasts[40]
    assert (first.next_round_at, first.dry_before_round) == (None, None)


def test_a_silent_tank_has_no_forecast_and_no_round() -> None:
    story = rounds(7)
    story.passes(6 * HOUR)
    now = story.watch.now("north-1")
    assert now.presence == "silent"
    assert (now.low_at, now.critical_at, now.next_round_at, now.dry_before_round) == (None,) * 4
    state = story.watch._context.profile("north-1")
    assert (state.critical_at, state.next_round_at) == ([], None)


def test_the_hourly_work_starts_at_the_next_full_hour_and_once() -> None:
    story = Story()
    story.sends(800, at=600)
    context = story.watch._context
    tank = context.tank("north-1")
    assert tank.due["hour"] == T0 + HOUR
    context.now += 2 * HOUR
    hours.start_timer(context, tank)
    assert tank.due["hour"] == T0 + HOUR


def test_the_hourly_work_is_done_each_hour() -> None:
    story = Story()
    story.sends(800, at=600, next_s=3600)
    story.passes(HOUR - 599)
    tank = story.watch._context.tank("north-1")
    assert tank.due["hour"] == T0 + 2 * HOUR
    assert [forecast.at for forecast in story.forecasts] == [T0 + HOUR]


def test_a_tank_that_was_taken_from_the_registry_has_no_hours() -> None:
    story = Story()
    story.levels(800, 800)
    story.watch.set_registry(Registry())
    story.passes(2 * HOUR)
    assert story.forecasts == []
    assert "hour" not in story.watch._context.tank("north-1").due


def test_the_newest_rows_of_the_sites_tanks_share_its_people() -> None:
    site = Site("north", "r", people_low=200, people_high=200)
    registry = sited(site, "north-1", "north-2")
    two = (ibc("north-2"), ibc("north-2", capacity_l=3000.0, since=1.0))
    story = Story(replace(registry, tanks={**registry.tanks, "north-2": two}))
    story.sends(800, at=0)
    story.passes(2 * HOUR)
    assert profiles.usual(profile_of(story)).day_l == pytest.approx(250.0)


def leaking(story: Story) -> int:
    """Leaks of a tank that is used by day for four days, and leaks in the fifth night."""
    litres = 900.0
    for quarter in range(4 * (24 * 4 + 7)):
        hour = (T0 // HOUR + 1 + quarter // 4) % 24  # in Paris
        night = quarter > 4 * 24 * 4 and not 6 <= hour < 22
        litres -= 4.0 if night else 8.0 if 6 <= hour < 22 else 0.0
        if litres < 300 and not night:
            litres = 900.0
        story.sends(litres, at=quarter * 900, events=())
    return len(story.events("leak"))


def test_a_leak_is_found_in_tanks_only_and_while_nobody_handles_them() -> None:
    assert leaking(Story()) == 1
    station = ibc(kind="station")
    assert leaking(Story(registry_of([station]))) == 0
