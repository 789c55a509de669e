"""What a message, an event or the end of a gap changes, and what it must leave as it is."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.inputs import Auth, DeviceEvent, JournaledMessage, Reading
from gateway.domain.watch import feed, message
from gateway.domain.watch.memory.state import Gap
from gateway.domain.watch.rules import handling
from gateway.domain.watch.tracks import settling
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import HandledTank, episode_of, handled_tank
from tests.unit.tank_story import HOUR, T0

CARRIED: dict[str, Any] = {"motion_ms": 20_000, "motion_mg": 900, "motion_at": T0}


def arrives(handled: HandledTank, auth: Auth, *events: DeviceEvent, newest: bool = True) -> None:
    """An hour later a message of the tank's node arrives."""
    now = handled.context.now = T0 + HOUR
    read: Any = "".join(list(auth))  # not the object of the code, as after a restart
    found = JournaledMessage(
        "node-1", "north-1", "aaaaaaaa", 1, 2, now, 900, newest, read, 3990, -60, (), events
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
        at = T0 + 60.0 * i
        assert feed.fill_gap(handled.tank, Reading(
            "north-1", "node-1", "aaaaaaaa", 1, i, 0, T0 + HOUR, False, 0, at, "mm",
            round(1100 - level), 4, 7, 7, 110, level, 6.5,
        ))  # fmt: skip
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
