"""What a message, an event or the end of a gap changes, and what it must leave as it is."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.inputs import Auth, DeviceEvent, JournaledMessage, Reading
from gateway.domain.outputs import TankEvent
from gateway.domain.watch import feed, message
from gateway.domain.watch.memory.state import Gap
from gateway.domain.watch.rules import handling
from gateway.domain.watch.tracks import settling
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

CARRIED: dict[str, Any] = {"motion_ms": 20_000, "motion_mg": 900, "motion_at": T0}


def reading(at: float, litres: float, *, node: str = "node-1", seq: int = 1) -> Reading:
    """A reading ``at`` seconds after T0 that arrives an hour after T0."""
    return Reading(
        "north-1", node, "aaaaaaaa", 1, seq, 0, T0 + HOUR, False, 0, T0 + at, "mm",
        round(1100 - litres), 4, 7, 7, 110, litres, 6.5,
    )  # fmt: skip


def arrives(
    handled: HandledTank, auth: Auth, *events: DeviceEvent, newest: bool = True,
    readings: tuple[Reading, ...] = (), node: str = "node-1", next_s: int = 900,
    now: float = T0 + HOUR,
) -> None:  # fmt: skip
    """A message of a node of the tank arrives."""
    handled.context.now = now
    read: Any = "".join(list(auth))  # not the object of the code, as after a restart
    found = JournaledMessage(
        node, "north-1", "aaaaaaaa", 1, 2, now, next_s, newest, read, 3990, -60, readings, events
    )
    message.apply_message(handled.context, found)


def unsigned(handled: HandledTank) -> None:
    """From now on the node of the tank signs nothing."""
    registry = handled.context.registry
    rows = (replace(registry.devices["node-1"][0], key=None, unsigned=True),)
    handled.context.set_registry(replace(registry, devices={"node-1": rows}))


@pytest.mark.parametrize(("auth", "resumed"), [("mac", True), ("unsigned", False)])
def test_only_a_signed_message_shows_that_a_tank_is_still_there(auth: Auth, resumed: bool) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(**CARRIED)
    if auth == "unsigned":
        unsigned(handled)
    arrives(handled, auth)
    assert handled.tank.episode.has_resumed == resumed
    assert bool(handled.changes) == resumed


def test_a_message_from_before_shows_nothing_of_now() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(**CARRIED)
    arrives(handled, "mac", newest=False)
    assert not handled.tank.episode.has_resumed and handled.changes == []


@pytest.mark.parametrize(("auth", "opens"), [("mac", True), ("unsigned", False)])
def test_only_a_signed_event_has_its_episode_reviewed(auth: Auth, opens: bool) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(resumed_at=T0, **CARRIED)
    if auth == "unsigned":
        unsigned(handled)
    arrives(handled, auth, DeviceEvent("north-1", "node-1", "still", T0, False), newest=False)
    assert bool(handled.incident) == opens
    assert handled.device.auth == auth


def test_a_message_of_a_tank_that_is_not_configured_changes_nothing() -> None:
    handled = handled_tank()
    handled.context.set_registry(replace(handled.context.registry, tanks={}))
    handled.context.dirty()
    arrives(handled, "mac")
    assert handled.context.dirty() == {} and handled.context.outputs == []


@pytest.mark.parametrize(
    ("lag_s", "next_s", "usual_s", "is_live"),
    [
        (1800, 900, None, True), (1801, 900, None, False),
        (5400, 3600, None, True), (5401, 3600, None, False),
        (5400, 3600, -60, True), (5401, 3600, -60, False),
        (2000, 900, 200, True), (2001, 900, 200, False),
    ],
)  # fmt: skip
def test_a_message_is_live_within_half_an_hour_or_half_its_promise_more_beyond_its_usual_lag(
    lag_s: float, next_s: int, usual_s: float | None, is_live: bool
) -> None:
    handled = handled_tank()
    handled.device.lags = [] if usual_s is None else [usual_s]
    arrives(handled, "mac", readings=(reading(HOUR - lag_s, 700),), next_s=next_s)
    assert handled.device.promises[-1].live == is_live


def test_a_message_without_readings_or_events_is_live() -> None:
    handled = handled_tank()
    arrives(handled, "mac")
    assert handled.device.promises[-1].live


@pytest.mark.parametrize(("after_s", "lags"), [(299, [5.0]), (300, [5.0, 7.0])])
def test_a_lag_is_learned_each_five_minutes(after_s: float, lags: list[float]) -> None:
    handled = handled_tank()
    arrives(handled, "mac", readings=(reading(-5.0, 700),), now=T0)
    arrives(handled, "mac", readings=(reading(after_s - 7.0, 700),), now=T0 + after_s)
    assert handled.device.lags == lags


def test_four_lags_are_kept() -> None:
    handled = handled_tank()
    for i in range(6):
        arrives(handled, "mac", readings=(reading(600 * i - i, 700),), now=T0 + 600 * i)
    assert handled.device.lags == [2.0, 3.0, 4.0, 5.0]


def test_a_late_reading_of_a_tank_that_is_low_decides_nothing() -> None:
    for newest in (False, True):
        handled = handled_tank()
        handled.tank.level.latched, handled.tank.level.state = ["low"], "low"
        arrives(handled, "mac", newest=newest, readings=(reading(HOUR - 5, 250),))
        assert not handled.tank.alert_waits
        assert handled.changes == ([("opened", "low")] if newest else [])


def test_a_node_that_feeds_a_tank_goes_on_after_a_restart() -> None:
    handled = handled_tank()
    handled.device.tank = "".join(list("north-1"))  # read from the database
    arrives(handled, "mac", readings=(reading(HOUR - 5, 300, node="node-2"),), node="node-2")
    assert handled.tank.source == "node-1/0"


def applied(handled: HandledTank, at: float, litres: float) -> list[str]:
    """The events of a reading ``at`` seconds after T0, which is then."""
    handled.context.now, handled.context.outputs = T0 + at, []
    feed.apply(handled.context, handled.tank, handled.row, handled.device, reading(at, litres))
    return [o.kind for o in handled.context.outputs if isinstance(o, TankEvent)]


@pytest.mark.parametrize(
    ("at", "is_reported", "kinds"),
    [(7199, False, []), (7200, False, ["draw"]), (7199, True, ["draw"])],
)
def test_for_two_hours_after_a_fall_that_may_be_a_loss_it_is_no_draw(
    at: float, is_reported: bool, kinds: list[str]
) -> None:
    handled = handled_tank()
    fall = fall_of(at=T0 - 600, until=T0)
    handled.tank.episode = episode_of(fall=fall, loss_reported=is_reported, **CARRIED)
    handled.tank.fed_at = handled.tank.settling.settled_at = T0 + 6600
    handled.tank.settling.smooth_l = 650.0
    flow = handled.tank.flow
    flow.smooth_l = flow.bottom_l = 650.0
    flow.smooth_at, flow.booked_l, flow.booked_at = T0 + 6600, 700.0, T0 - 900
    flow.draw_at, flow.drawn_at = T0 - 900, T0 + 600
    assert applied(handled, at, 650) == kinds


def test_an_older_reading_does_not_say_that_the_node_was_away() -> None:
    handled = handled_tank()
    handled.tank.fed_at = T0 + 100
    applied(handled, 50, 700)
    assert handled.tank.fed_at == T0 + 100
    applied(handled, 150, 700)
    assert handled.tank.fed_at == T0 + 150


@pytest.mark.parametrize("gone", ["tank", "node"])
def test_a_gap_of_what_is_gone_just_ends(gone: str) -> None:
    handled = handled_tank()
    handled.tank.gap = Gap(settling.copy_of(handled.tank.settling))
    feed.fill_gap(handled.tank, reading(0, 700))
    if gone == "tank":
        handled.context.set_registry(replace(handled.context.registry, tanks={}))
    else:
        handled.tank.source = "node-9/0"
    feed.end_gap(handled.context, handled.tank)
    assert handled.tank.gap is None and handled.tank.flow.recent == []


@pytest.mark.parametrize(
    ("kind", "fields", "after_s", "is_upright"),
    [
        ("tilt", {"deg": 20}, 1, True), ("tilt", {"deg": 20}, 0, False),
        ("motion", {"ms": 400, "mg": 900}, 1, False),
    ],
)  # fmt: skip
def test_only_a_later_tilt_of_no_more_than_20_degrees_says_that_a_tank_is_upright(
    kind: Any, fields: dict[str, int], after_s: float, is_upright: bool
) -> None:
    handled = handled_tank()
    handled.tank.tilted = TiltedSpell(T0, [])
    event = DeviceEvent("north-1", "node-1", kind, T0 + after_s, False, fields)
    handling.apply_event(handled.context, handled.device, event)
    assert (handled.tank.tilted is None) == is_upright


def test_an_event_of_an_unknown_kind_or_tank_is_none() -> None:
    handled = handled_tank()
    for tank, kind in (("north-1", "door"), ("north-9", "motion")):
        event: Any = DeviceEvent(tank, "node-1", kind, T0, False, {"ms": 400})  # pyright: ignore[reportArgumentType]
        handling.apply_event(handled.context, handled.device, event)
    assert handled.context.outputs == []
    assert "north-9" not in handled.context.tanks


def gap_of(*litres: float) -> HandledTank:
    """A tank whose gap has ended: readings each minute, in the order of their arrival reversed."""
    handled = handled_tank()
    track = handled.tank.settling
    track.smooth_l, track.settled_at = None, 0.0
    handled.tank.gap = Gap(settling.copy_of(track))
    for i, level in reversed(list(enumerate(litres))):
        assert feed.fill_gap(handled.tank, reading(60.0 * i, level, seq=i))
    handled.context.now = T0 + HOUR
    feed.end_gap(handled.context, handled.tank)
    assert handled.tank.gap is None
    return handled


FELL = (700, 700, 700, 550, 400, 250, 249, 250)


@pytest.mark.parametrize(
    ("later", "is_known"),
    [
        ((), True),
        ((900, 900, 900, 500, 500), True),  # filled, and drawn since
        ((250, 250, 250, 700, 700), False),  # a sensor that was wrong for a while
        ((*[250] * 8, 700, 250), False),
        ((*[250] * 8, 700, 250, 250), True),
    ],
)
def test_a_fall_in_a_gap_is_one_unless_the_last_readings_show_the_water_back(
    later: tuple[float, ...], is_known: bool
) -> None:
    handled = gap_of(*FELL, *later)
    assert (handled.tank.episode is not None) == is_known


def test_a_reading_without_an_echo_in_a_gap_is_passed_over() -> None:
    handled = handled_tank()
    no_echo = Reading(
        "north-1", "node-1", "aaaaaaaa", 1, 1, 0, T0, False, 0, T0, "mm", None, 4, 7, 7, 110,
        None, None, "no_echo",
    )  # fmt: skip
    assert not feed.fill_gap(handled.tank, no_echo)
    handled.tank.gap = Gap(settling.copy_of(handled.tank.settling))
    assert feed.fill_gap(handled.tank, no_echo)
    feed.end_gap(handled.context, handled.tank)
    assert handled.tank.flow.recent == [] and handled.tank.settling.smooth_l == 700


def test_the_level_before_a_lid_was_opened_is_the_mean_of_two_readings() -> None:
    for least_l, is_filled in ((701.1, True), (700.9, False)):
        handled = handled_tank()
        handled.context.now = T0 + HOUR
        handled.tank.episode = episode_of(lid_at=T0)
        rows = [(-300, 690), (300, 700), (900, least_l), (1200, least_l), (1800, 600)]
        handled.tank.flow.recent = [[T0 + at, litres] for at, litres in rows]
        handling.lid_stayed_open(handled.context, handled.tank)
        assert handled.tank.episode.lid_stayed != is_filled  # 695 L and 6 L for the noise
