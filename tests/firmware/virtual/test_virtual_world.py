"""Water, people and hands: the physics of stories."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.virtual.host import story
from firmware.virtual.host.accelerometer import LIS3DH
from firmware.virtual.host.chip import Chip
from firmware.virtual.host.people import People
from firmware.virtual.host.scaled import ScaledClock
from firmware.virtual.host.sensors import a02yyuw_frame, echo_mm, hx711_counts, scale_g
from firmware.virtual.host.vessel import Flow, Hole, Vessel
from firmware.virtual.host.world import Model, World

NOON = 1795431600.0  # 2026-11-23 11:00 UTC, noon in Calais
QUIET = Model(draw_lph=0.0, spike_share=0.0, noise_mm=0.0)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


def test_an_open_50_mm_valve_empties_an_ibc_in_minutes() -> None:
    vessel = Vessel(1000.0, 1000.0, 0.0, holes=[Hole(0.0, 50.0)])
    vessel.advance(60.0)
    assert 650 < vessel.level_l < 720  # about 320 L/min under the first metre
    vessel.advance(15 * 60.0)
    assert vessel.level_l < 1.0


def test_a_slash_decays_to_a_plateau_at_the_height_of_the_cut() -> None:
    vessel = Vessel(1000.0, 900.0, 0.0, holes=[Hole(300.0, 60.0)])
    vessel.advance(3600.0)
    assert vessel.level_mm == pytest.approx(300.0, abs=3.0)


@given(st.lists(st.floats(-400, 400), max_size=5), st.floats(0, 1000))
def test_a_vessel_holds_between_nothing_and_its_capacity(
    litres: list[float], level_l: float
) -> None:
    vessel = Vessel(1000.0, level_l, 0.0, flows=[Flow(0, 600, amount / 600) for amount in litres])
    vessel.advance(900.0)
    assert 0.0 <= vessel.level_l <= 1000.0
    assert vessel.flows == []


def test_people_draw_their_mean_over_a_day_and_little_at_night() -> None:
    midnight = NOON - 12 * 3600.0
    draws = People(20.0, Random(7)).draws(midnight, midnight + 30 * 86400.0)
    drawn_l = sum(-flow.litres(flow.start, flow.end) for flow in draws)
    assert drawn_l == pytest.approx(20.0 * 24 * 30, rel=0.1)
    night = [flow for flow in draws if (flow.start - midnight) % 86400.0 < 5 * 3600.0]
    assert len(night) < len(draws) / 50


def test_a_refill_takes_its_time(time: Time) -> None:
    world = World(QUIET, time, "a")
    world.refill(200.0, duration_s=600.0)
    time.at += 300.0
    assert world.volume_l == pytest.approx(800.0)
    time.at += 900.0
    assert world.volume_l == pytest.approx(900.0)


def test_a_seizure_moves_tilts_empties_and_then_silences(time: Time) -> None:
    world = World(QUIET, time, "a")
    world.seize(after_s=150.0)
    assert world.moving
    time.at += 10.0
    assert world.tilt_deg > 20.0
    assert world.powered
    time.at += 150.0
    assert not world.powered
    assert world.volume_l < 400.0


def test_a_board_that_is_carried_away_keeps_its_power_but_is_out_of_range(time: Time) -> None:
    world = World(QUIET, time, "a")
    world.seize(mode="carried", after_s=60.0)
    time.at += 61.0
    assert world.powered
    assert not world.in_range


def test_a_knock_is_over_in_a_second(time: Time) -> None:
    world = World(QUIET, time, "a")
    changes: list[float] = []
    world.on_change = lambda: changes.append(time.at)
    world.knock()
    assert world.moving
    assert changes == [NOON]
    time.at += 1.5
    assert not world.moving


def test_the_ultrasonic_frame_is_the_datasheets() -> None:
    assert a02yyuw_frame(0x07A1) == bytes((0xFF, 0x07, 0xA1, 0xA7))
    assert a02yyuw_frame(None) == bytes((0xFF, 0, 0, 0xFF))


def test_the_echo_is_the_distance_from_the_face_to_the_water(time: Time) -> None:
    assert echo_mm(World(QUIET, time, "a")) == round(1100 - 700 / 1.0716)


def test_the_scale_counts_tare_and_water(time: Time) -> None:
    model = Model(kind="station", level_l=100.0, capacity_l=240.0, draw_lph=0.0, tare_g=18000.0)
    world = World(model, time, "a")
    counts = hx711_counts(world, scale_g(world), 5000, 20000.0)
    assert (counts - 5000) / 20.0 == pytest.approx(118000.0, abs=300.0)


def test_samples_of_one_burst_weigh_the_same_water(time: Time) -> None:
    world = World(Model(kind="station", level_l=100.0, capacity_l=240.0, draw_lph=0.0), time, "a")
    chip = Chip(world, {"counts_per_kg": 20000}, lambda: True)

    def weighed_kg(ms: int) -> float:
        counts = chip.answer({"op": "weight", "ms": ms})
        assert isinstance(counts, int)
        return counts / 20000

    before_kg = weighed_kg(400)
    world.refill(-50.0, duration_s=60.0)
    time.at += 600.0  # at 600 times real time the host paused for a second
    assert weighed_kg(500) == pytest.approx(before_kg, abs=0.5)
    assert weighed_kg(4000) == pytest.approx(before_kg - 50, abs=0.5)


def test_tilt_turns_gravity_off_the_third_axis(time: Time) -> None:
    world = World(QUIET, time, "a")
    world.seize()
    time.at += 600.0
    chip = LIS3DH(world)
    raw = chip.read(0x28 | 0x80, 6)
    z_mg = int.from_bytes(raw[4:6], "little", signed=True) // 16
    assert 400 < z_mg < 540  # cosine of 62 degrees


def test_a_flat_battery_is_no_power(time: Time) -> None:
    world = World(QUIET, time, "a")
    world.set_battery(3200.0)
    assert not world.powered
    world.set_battery(3900.0)
    assert world.powered
    assert world.battery_mv == 3900


def test_scaled_time_passes_as_the_gateways_does() -> None:
    clock = ScaledClock(120.0, NOON)
    real = clock.now()
    assert clock.real_s(600.0) == 5.0
    assert ScaledClock().real_s(600.0) == 600.0
    assert real != NOON


def test_the_readme_names_every_word_of_a_story() -> None:
    text = (Path(story.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [word for word in story.WORDS if f"`{word}`" not in text] == []
