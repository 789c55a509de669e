"""A lid that is open: people fill the tank, wait for water or look inside; or nobody does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.inputs import Auth, DeviceEvent, Reading
from gateway.domain.message import RawEvent
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Plan, PlanKind, Site
from gateway.domain.watch import feed
from gateway.domain.watch.rules import handling
from gateway.domain.watch.tracks.account import Rise
from tests.unit.handled_tank import HandledTank, episode_of, handled_tank
from tests.unit.tank_story import HOUR, T0, Story

OPEN, CLOSED = (RawEvent(0, "lid", {"open": is_open}) for is_open in (True, False))


def opened_lid(*after: tuple[float, float], **fields: Any) -> HandledTank:
    """An hour after a lid was opened at T0, with readings of 700 L, or ``after`` the opening."""
    handled = handled_tank(**fields)
    handled.context.now = T0 + HOUR
    handled.tank.episode = episode_of(lid_at=T0)
    rows = [(-600, 650), (-300, 700), (300, 700), *(after or ((301, 700), (1800, 700)))]
    handled.tank.flow.recent = [[T0 + at, litres] for at, litres in rows]
    return handled


def stayed(handled: HandledTank) -> bool:
    """Whether the lid's timer makes it evidence of theft."""
    handling.lid_stayed_open(handled.context, handled.tank)
    return handled.tank.episode is not None and handled.tank.episode.lid_stayed


def asks_again(handled: HandledTank) -> bool:
    assert not stayed(handled) and handled.changes == []
    return handled.tank.due.get("lid") == handled.context.now + 600


def lid(handled: HandledTank, is_open: bool, at: float, auth: Auth = "mac") -> None:
    handled.device.auth = auth
    event = DeviceEvent("north-1", "node-1", "lid", at, False, {"open": is_open})
    handling.apply_event(handled.context, handled.device, event)


def test_a_lid_that_stays_open_without_water_is_reported() -> None:
    handled = opened_lid()
    assert stayed(handled)
    assert handled.changes == [("opened", "lid_open")]
    assert handled.incident and handled.incident.at == T0
    assert "lid" not in handled.tank.due


@pytest.mark.parametrize(
    ("clock_s", "patience_s"),
    [(7 * HOUR - 1, HOUR), (7 * HOUR, 2 * HOUR), (20 * HOUR - 1, 2 * HOUR), (20 * HOUR, HOUR)],
)
@pytest.mark.parametrize(("zone", "ahead_s"), [("UTC", 0), ("Europe/Paris", HOUR)])
def test_a_lid_may_be_open_for_two_hours_by_day_and_one_by_night(
    clock_s: float, patience_s: float, zone: str, ahead_s: float
) -> None:
    handled = handled_tank()
    sites = {"north": (Site("north", "rid", timezone=zone),)}
    handled.context.set_registry(replace(handled.context.registry, sites=sites))
    opened = handled.context.now = T0 + 2 * HOUR + clock_s - ahead_s  # T0 is at 22:00 UTC
    lid(handled, True, opened)
    assert handled.tank.due["lid"] == opened + patience_s


def test_a_lid_opened_long_before_its_message_is_judged_at_once() -> None:
    handled = handled_tank()
    handled.context.now = T0 + 5 * HOUR
    lid(handled, True, T0)
    assert handled.tank.due["lid"] == handled.context.now + 1


@pytest.mark.parametrize(
    ("auth", "age_s", "is_evidence"),
    [("mac", 0, True), ("mac", 48 * HOUR, True), ("mac", 48 * HOUR + 1, False),
     ("unsigned", 0, False)],
)  # fmt: skip
def test_an_unsigned_or_old_opening_is_an_event_without_a_judgement(
    auth: Auth, age_s: float, is_evidence: bool
) -> None:
    handled = handled_tank()
    handled.context.now = T0 + age_s
    lid(handled, True, T0, auth)
    assert ("lid" in handled.tank.due, handled.tank.episode is not None) == (is_evidence,) * 2
    assert handled.context.outputs == [TankEvent(T0, T0, "north-1", "lid")]


def wait_for(name: str) -> Callable[[HandledTank], None]:
    """One reason for which nothing can be said of an open lid yet."""

    def change(handled: HandledTank) -> None:
        context, tank, device = handled.context, handled.tank, handled.device
        if name == "refill in progress":
            tank.flow.rise = Rise(T0, 700, T0 + 900, 900, 0.0, [])
        elif name == "sensor fault":
            tank.health.faulty = True
        elif name == "doubtful value":
            tank.health.runs, tank.health.same, tank.health.longest_run = 40, 7, 3.0
        elif name == "unsettled reading":
            tank.settling.waiting = [[T0 + 3500, T0 + 3500, 600.0, 1.0, 500.0]]
        elif name in ("late", "silent"):
            device.presence = "late" if name == "late" else "silent"
        elif name == "deaf gateway":
            context.listening.offline_since = T0 + 3000
        elif name == "broker's queue":
            context.listening.settling = True
        elif name == "nearly empty":
            tank.settling.smooth_l = 149.9
        elif name == "no level":
            tank.settling.smooth_l = None

    return change


@pytest.mark.parametrize(
    "name",
    ["refill in progress", "sensor fault", "doubtful value", "unsettled reading", "late",
     "silent", "deaf gateway", "broker's queue", "nearly empty", "no level"],
)  # fmt: skip
def test_while_nothing_can_be_said_the_question_is_asked_again(name: str) -> None:
    handled = opened_lid()
    wait_for(name)(handled)
    assert asks_again(handled)


def test_a_value_repeated_twice_as_often_as_usual_and_a_tank_above_critical_are_judged() -> None:
    handled = opened_lid()
    handled.tank.health.runs, handled.tank.health.same = 40, 6
    handled.tank.settling.smooth_l = 150.0
    assert stayed(handled)
    handled = opened_lid(critical_pct=20.0)
    handled.tank.settling.smooth_l = 199.9
    assert asks_again(handled)


@pytest.mark.parametrize(
    ("after", "is_judged"),
    [
        (((301, 700), (1800, 700)), True), (((300, 700), (1800, 700)), False),
        (((301, 700), (1799, 700)), False), (((1800, 700),), False),
    ],
)  # fmt: skip
def test_it_takes_two_readings_after_five_minutes_the_last_after_half_an_hour(
    after: tuple[tuple[float, float], ...], is_judged: bool
) -> None:
    handled = opened_lid(*after)
    assert stayed(handled) if is_judged else asks_again(handled)


@pytest.mark.parametrize(
    ("kind", "start", "end", "waits"),
    [
        ("cleaning", 0, 60, True), ("move", 0, 60, True), ("eviction_risk", 0, 60, False),
        ("cleaning", -9000, -3600, True), ("cleaning", -9000, -3601, False),
        ("move", 3600, 9000, True), ("move", 3601, 9000, False),
    ],
)  # fmt: skip
def test_a_planned_cleaning_or_move_explains_an_open_lid(
    kind: PlanKind, start: float, end: float, waits: bool
) -> None:
    handled = opened_lid(plans=[Plan("north-1", T0 + start, T0 + end, kind)])
    if waits:
        assert asks_again(handled)
    else:
        assert stayed(handled)


@pytest.mark.parametrize(("after_s", "again"), [(12 * HOUR - 1, True), (12 * HOUR, False)])
def test_after_twelve_hours_without_an_answer_the_question_is_given_up(
    after_s: float, again: bool
) -> None:
    handled = opened_lid()
    handled.context.now = T0 + after_s
    handled.device.presence = "late"
    assert asks_again(handled) == again


@pytest.mark.parametrize(("refill_s", "is_filled"), [(-3600, True), (-3601, False)])
def test_a_refill_within_an_hour_before_explains_the_lid(refill_s: float, is_filled: bool) -> None:
    handled = opened_lid()
    handled.tank.flow.refill_at = T0 + refill_s
    assert stayed(handled) != is_filled
    assert handled.tank.episode and (handled.tank.episode.lid_at is None) == is_filled


@pytest.mark.parametrize(
    ("sd_l", "levels", "is_filled"),
    [
        (None, (706, 706), False), (None, (706.1, 706.1), True), (None, (712, 700), False),
        (None, (712.1, 700), True), (10, (722.5, 722.5), False), (10, (722.6, 722.6), True),
    ],
)  # fmt: skip
def test_water_that_two_readings_show_beyond_the_noise_explains_the_lid(
    sd_l: float | None, levels: tuple[float, float], is_filled: bool
) -> None:
    handled = opened_lid((600, levels[0]), (1200, levels[1]), (1800, 600))
    handled.tank.level.sd_l = sd_l
    assert stayed(handled) != is_filled


def reads(handled: HandledTank, litres: float, sd_l: float, at: float = T0 + 600) -> bool:
    """Whether a reading shows water that rose while the lid was open."""
    reading = Reading("north-1", "node-1", "aaaaaaaa", 1, 1, 0, at, False, 0, at, "mm", 500, 4, 7,
                      7, 110, litres, sd_l)  # fmt: skip
    feed.apply(handled.context, handled.tank, handled.row, handled.device, reading)
    assert handled.tank.episode is not None
    return handled.tank.episode.water_rose


@pytest.mark.parametrize(
    ("sd_l", "shown_l", "least_l"), [(1, None, 718), (6, None, 727), (1, 710, 728), (1, 690, 718)]
)
def test_one_reading_shows_a_few_cans(sd_l: float, shown_l: float | None, least_l: float) -> None:
    for litres, rose in ((least_l, False), (least_l + 0.1, True)):
        handled = opened_lid()
        handled.tank.level.volume_l = shown_l
        assert reads(handled, litres, sd_l) == rose


@pytest.mark.parametrize(("at_s", "rose"), [(0, True), (-1, False)])
def test_water_that_rose_before_the_lid_was_opened_explains_nothing(
    at_s: float, rose: bool
) -> None:
    assert reads(opened_lid(), 760, 1, T0 + at_s) == rose


def test_cans_poured_in_and_drawn_again_before_the_next_reading_are_no_theft() -> None:
    for litres, expected in ((760, []), (710, ["opened lid_open!"])):
        story = Story()
        story.levels(*([700] * 8))
        story.sends(700, at=story.at + 60, events=(OPEN,))
        story.levels(litres, *([700] * 20), every=600)
        assert story.summary == expected


def test_a_tank_filled_by_cans_through_its_open_lid_is_no_theft() -> None:
    story = Story()
    story.levels(*([300] * 8))
    story.sends(300, at=story.at + 60, events=(OPEN,))
    story.levels(*range(310, 500, 10), *([490] * 12), every=600)
    assert not [change for change in story.summary if "lid_open" in change]


def test_a_lid_that_is_closed_in_time_is_not_judged() -> None:
    story = Story()
    story.levels(*([700] * 8))
    story.sends(700, at=story.at + 60, events=(OPEN,))
    story.levels(700, 700, 700)
    story.sends(700, at=story.at + 839, events=(CLOSED,))  # 59 minutes after it was opened
    story.levels(*([700] * 8))
    assert story.summary == []


def test_only_a_signed_message_closes_a_lid() -> None:
    handled = opened_lid()
    assert stayed(handled)
    lid(handled, False, T0 + HOUR, "unsigned")
    assert handled.changes == [("opened", "lid_open")]
    lid(handled, False, T0 + HOUR)
    assert handled.changes == [("opened", "lid_open"), ("closed", "lid_open")]
    assert handled.tank.episode and handled.tank.episode.lid_at is None


def test_a_lid_opened_again_is_judged_from_then_on() -> None:
    handled = handled_tank()
    lid(handled, True, T0)
    assert handled.tank.episode is not None
    handled.tank.episode.water_rose = handled.tank.episode.lid_stayed = True
    handled.context.now = T0 + 1800
    lid(handled, True, T0 + 1800)
    episode = handled.tank.episode
    assert (episode.lid_at, episode.lid_stayed, episode.water_rose) == (T0 + 1800, False, False)
    assert handled.tank.due["lid"] == T0 + 1800 + HOUR
