"""What a battery's voltages and a signal's strength say about a silence, and by how much."""

from typing import Any

import pytest

from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message, RawReading
from gateway.domain.watch.memory.state import DeviceState, Promise
from gateway.domain.watch.rules import power
from tests.unit.tank_story import HOUR, T0, Story

FALLING = (4000, 3920, 3840, 3700, 3600, 3505)


def node(*millivolts: int, every: float = 6 * HOUR, next_s: int = 6 * HOUR, **fields: Any) -> Any:
    """A node that sent these voltages; its promise is that of the newest of two eras."""
    promises = [
        Promise("bbbbbbbb", 1, 1, T0, T0, 60, 0.0),
        Promise("aaaaaaaa", 1, 9, T0, T0, next_s, 0.0),
    ]
    battery = [[T0 + every * n, float(mv)] for n, mv in enumerate(millivolts)]
    last = millivolts[-1] if millivolts else None
    return DeviceState("node-1", "north-1", promises, battery=battery, battery_mv=last, **fields)


@pytest.mark.parametrize(
    ("device", "name", "basis", "towards"),
    [
        (node(), "on_mains", "measured", {"battery": -4.0}),
        (node(3650), "battery_good", "measured", {"battery": -2.5}),
        (node(3499), "battery_low", "measured", {"battery": 4.5, "seized": -0.7}),
        (node(*FALLING), "battery_falling", "inferred", {"battery": 3.0}),
        (node(*[3560] * 3, *[3590] * 3), "battery_charging", "measured", {"battery": -4.0}),
        (node(3600, air_dc=-1), "battery_cold", "measured", {"battery": 0.8}),
        (
            node(3600, rssi=[-77.0, -77.0, -77.0, -85.0]),
            "signal_fading", "measured", {"network_out": 1.0},
        ),
    ],
)  # fmt: skip
def test_each_piece_of_evidence_has_its_log_odds(
    device: DeviceState, name: str, basis: str, towards: dict[str, float]
) -> None:
    found = power.terms(device)
    assert [(t.name, t.basis, t.towards) for t in found] == [(name, basis, towards)]


@pytest.mark.parametrize(
    ("device", "values"),
    [
        (node(3650), {"battery_mv": 3650}),
        (node(3499), {"battery_mv": 3499}),
        (node(*FALLING), {"battery_mv": 3505, "expected_mv": 3399}),
        (node(3600, air_dc=-15), {"temperature_c": -1.5}),
    ],
)
def test_the_evidence_names_its_figures(device: DeviceState, values: dict[str, float]) -> None:
    (found,) = power.terms(device)
    assert found.values == values


def test_a_warning_is_about_the_tank_of_its_node() -> None:
    story = Story()
    for _ in range(2):
        story.sends(silent=True, at=story.at + 900, mv=3480, auth="sig")
    (warning,) = story.incidents
    assert (warning.tank, warning.uplink, warning.auth) == ("north-1", None, "sig")
    assert [because.term for because in warning.because] == ["battery_low"]


def test_between_low_and_good_a_battery_says_nothing() -> None:
    assert power.terms(node(3500)) == []
    assert power.terms(node(3649)) == []
    assert power.terms(node(3600, air_dc=110)) == []
    assert power.terms(node(3600, rssi=[-80.0, -70.0, -70.0, -87.0])) == []


def test_a_rise_of_less_than_30_mv_is_no_charge() -> None:
    assert power.terms(node(*[3560] * 3, *[3589] * 3)) == []


def test_the_promise_of_the_newest_era_says_how_far_a_fall_goes_on() -> None:
    assert [t.name for t in power.terms(node(*FALLING, next_s=6 * HOUR))] == ["battery_falling"]
    assert power.terms(node(*FALLING, next_s=900)) == []


@pytest.mark.parametrize(("hours", "mv"), [(6, 3399), (12, 3293), (18, 3187), (24, 3187)])
def test_a_fall_is_continued_as_far_as_its_values_reach_back(hours: int, mv: int) -> None:
    assert round(power.expected_mv(node(*FALLING), hours * HOUR)) == mv


def test_values_of_one_second_are_continued_by_their_whole_fall() -> None:
    device = node(3700, 3700, 3700, 3640, 3640, 3640, every=0)
    assert power.expected_mv(device, 1) == power.expected_mv(device, 900) == 3580


def test_a_good_battery_before_makes_no_warning_later() -> None:
    story = Story()
    for mv in (3990, 3990, 3990, 3480, 3480):
        story.sends(silent=True, at=story.at + 900, mv=mv)
    assert story.summary == ["opened battery!"]
    assert story.incidents[0].received == T0 + 5 * 900


def test_a_battery_that_was_good_and_is_spent_soon_warns_at_once() -> None:
    story = Story()
    for mv in (4150, 4050, 3950, 3800, 3650, 3505):
        story.sends(silent=True, at=story.at + 6 * HOUR, mv=mv, next_s=6 * HOUR)
    assert story.summary == ["opened battery!"]


def test_a_voltage_between_low_and_good_begins_the_count_again() -> None:
    story = Story()
    for mv in (3480, 3500, 3480, 3500, 3480):
        story.sends(silent=True, at=story.at + 900, mv=mv)
    assert story.summary == []


def test_the_air_is_as_cold_as_in_the_newest_reading() -> None:
    story = Story()
    readings = tuple(
        RawReading(ago, "mm", 447, 4, 7, 7, air_dc) for ago, air_dc in ((900, 50), (0, -50))
    )
    message = Message(
        device="node-1", fw="t", era="aaaaaaaa", boot=1, seq=1, prev="", uptime_s=100_000, t=T0,
        ts="ntp", next_s=900, old=(1, 1), ta_s=60, battery_mv=3600, rssi_dbm=None, events=(),
        readings=readings,
    )  # fmt: skip
    found = Interpreter(story.registry).interpret(message, T0, auth="mac", newest=True)
    assert found is not None
    story.watch.step(found, T0)
    story.passes(24 * HOUR)
    cold = next(b for b in story.incidents[-1].because if b.term == "battery_cold")
    assert cold.values == {"temperature_c": -5.0}


def test_a_battery_that_is_nearly_empty_and_is_charged_is_not_spent() -> None:
    story = Story()
    for mv in (3100, 3500, 3100, 3500, 3100, 3360):
        story.sends(silent=True, at=story.at + 900, mv=mv)
    assert story.summary == []
