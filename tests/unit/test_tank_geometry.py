"""Levels to litres and back, and raw readings to litres, for every shape of tank."""

from dataclasses import replace
from math import pi
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain import geometry, sound, volume
from gateway.domain.message import RawReading
from gateway.domain.registry import Device, Install, Tank
from tests.unit.tank_story import ibc

NODE = Device("node-1", "north-1")
JSN = replace(NODE, sensor="jsn-sr04t")

SHAPES = {
    "ibc1000": Tank("t", "r", "s", shape="ibc1000"),
    "ibc600": Tank("t", "r", "s", shape="ibc600", capacity_l=600),
    "cylinder": Tank("t", "r", "s", shape="cylinder", diameter_mm=1130, capacity_l=1000),
    "lying": Tank("t", "r", "s", shape="lying", diameter_mm=1000, length_mm=1300, capacity_l=1020),
    "box": Tank("t", "r", "s", shape="box", length_mm=1000, width_mm=800, capacity_l=800),
    "table": Tank(
        "t", "r", "s", shape="table", table=((0, 0), (100, 60), (900, 960), (1000, 1000))
    ),
}
ANY_SHAPE = st.sampled_from(sorted(SHAPES))


def echo(mm: int | None, **fields: int) -> RawReading:
    return RawReading(0, "mm", mm, **fields)


# A level far below an atom's size: the area of the segment was negative there by rounding.
@example("lying", 0.0, 2.220446049250313e-16)
@given(ANY_SHAPE, st.floats(0, 1200), st.floats(0, 1200))
def test_more_level_is_never_less_water(shape: str, a: float, b: float) -> None:
    tank = SHAPES[shape]
    low, high = sorted((a, b))
    assert geometry.volume_l(tank, low) <= geometry.volume_l(tank, high) + 1e-9
    assert geometry.volume_l(tank, low) >= 0


@given(ANY_SHAPE, st.floats(0, 1))
def test_the_level_of_a_volume_gives_the_volume_back(shape: str, part: float) -> None:
    tank = SHAPES[shape]
    litres = part * tank.capacity_l
    assert geometry.volume_l(tank, geometry.level_mm(tank, litres)) == pytest.approx(
        litres, abs=1e-6
    )


@given(ANY_SHAPE, st.floats(0, 1000))
def test_a_millimetre_is_always_worth_something(shape: str, level: float) -> None:
    assert geometry.litres_per_mm(SHAPES[shape], level) > 0


def test_shapes_hold_what_their_formula_says() -> None:
    assert geometry.volume_l(SHAPES["ibc1000"], 10) == pytest.approx(10.7, abs=0.05)
    assert geometry.volume_l(SHAPES["ibc600"], 500) == pytest.approx(421.8)
    assert geometry.volume_l(SHAPES["cylinder"], 500) == pytest.approx(pi / 4 * 1.13**2 * 500)
    assert geometry.volume_l(SHAPES["lying"], 500) == pytest.approx(pi / 8 * 1300)
    assert geometry.volume_l(SHAPES["lying"], 1000) == pytest.approx(pi / 4 * 1300)
    assert geometry.volume_l(SHAPES["box"], 250) == pytest.approx(200)
    assert geometry.volume_l(SHAPES["table"], 500) == pytest.approx(510)


def test_a_shape_without_its_dimension_says_which_is_missing() -> None:
    with pytest.raises(ValueError, match="diameter_mm"):
        geometry.volume_l(Tank("t", "r", "s", shape="cylinder"), 10)
    found = volume.measure(
        echo(500), Tank("t", "r", "s", shape="box", sensor_height_mm=1000), NODE, None
    )
    assert found.fault == "not_configured"


def test_the_vectors_reading_is_717_litres() -> None:
    found = volume.measure(echo(431, spread=6, valid=6, tried=7), ibc(), NODE, None)
    assert found.volume_l == pytest.approx((1100 - 431) * 1.0716, abs=0.1)
    assert found.sd_l is not None
    assert 6 < found.sd_l < 8  # +-10 mm, rectangular, and the noise of six samples


@pytest.mark.parametrize(
    ("device", "mm", "fault"),
    [
        (NODE, None, "no_echo"),
        (NODE, 0, "out_of_range"),
        (NODE, 29, "out_of_range"),
        (NODE, 4501, "out_of_range"),
        (NODE, 1200, "below_floor"),
        (NODE, 40, "above_full"),
        (JSN, 150, "out_of_range"),
    ],
)
def test_what_sensor_and_tank_cannot_show_is_a_fault(
    device: Device, mm: int | None, fault: str
) -> None:
    found = volume.measure(echo(mm), ibc(), device, None)
    assert (found.volume_l, found.sd_l, found.fault) == (None, None, fault)


def test_a_reading_that_scatters_over_the_whole_tank_is_a_fault() -> None:
    found = volume.measure(echo(500, spread=400, valid=2, tried=7), ibc(), NODE, None)
    assert found.fault == "unsteady"


@given(st.one_of(st.none(), st.integers(-10, 7000)), st.integers(0, 500), st.integers(0, 20))
def test_litres_stay_between_nothing_and_full(mm: int | None, spread: int, valid: int) -> None:
    found = volume.measure(echo(mm, spread=spread, valid=valid), ibc(), NODE, None)
    if found.fault is None:
        assert found.volume_l is not None and found.sd_l is not None
        assert 0 <= found.volume_l <= 1000
        assert found.sd_l > 0
    else:
        assert found.volume_l is None and found.sd_l is None


def test_the_install_in_force_moves_the_sensor() -> None:
    raised = Install("node-1", "north-1", 0, sensor_height_mm=1150)
    low = volume.measure(echo(600), ibc(), NODE, None).volume_l
    high = volume.measure(echo(600), ibc(), NODE, raised).volume_l
    assert low is not None and high is not None
    assert high - low == pytest.approx(50 * 1.0716, abs=0.01)


def test_a_probe_turns_pressure_into_level_above_its_own_place() -> None:
    tank = ibc(probe_offset_mm=50)
    found = volume.measure(RawReading(0, "pa", 4903), tank, NODE, None)  # 500 mm of water
    assert found.volume_l == pytest.approx(550 * 1.0716, abs=0.5)


def test_a_station_weighs_its_water_and_not_its_cans() -> None:
    station = Tank("t", "r", "s", kind="station", shape=None, capacity_l=240, tare_g=14_400)
    found = volume.measure(RawReading(0, "g", 134_400, 30, 7, 7), station, NODE, None)
    assert found.volume_l == 120
    assert found.sd_l is not None and found.sd_l < 0.5
    assert volume.measure(RawReading(0, "g", 0), station, NODE, None).fault == "below_floor"
    assert volume.measure(RawReading(0, "g", 400_000), station, NODE, None).fault == "above_full"


def test_sound_is_corrected_only_where_that_is_ours_to_do() -> None:
    cold = RawReading(0, "mm", 941, 4, 7, 7, temperature_dc=-50)
    assert sound.corrected_mm(941, -5) == pytest.approx(900, abs=1)
    assert sound.corrected_mm(878, 35) == pytest.approx(900, abs=1)
    ours = volume.measure(cold, ibc(), replace(NODE, temp_comp="gateway"), None)
    theirs = volume.measure(cold, ibc(), NODE, None)
    assert ours.volume_l == pytest.approx(200 * 1.0716, abs=1)
    assert theirs.volume_l == pytest.approx(159 * 1.0716, abs=1)


def test_an_unknown_air_temperature_widens_the_error() -> None:
    node = replace(NODE, temp_comp="gateway")
    known = volume.measure(echo(900, temperature_dc=120), ibc(), node, None)
    unknown = volume.measure(echo(900), ibc(), node, None)
    assert known.sd_l is not None and unknown.sd_l is not None
    assert unknown.sd_l > 1.5 * known.sd_l


@given(
    ANY_SHAPE,
    st.sampled_from(["sensor", "gateway"]),
    st.lists(
        st.tuples(st.integers(-10, 1500), st.integers(0, 9), st.integers(-20, 20)), min_size=1
    ),
)
def test_a_tank_of_the_same_form_shows_the_same_however_often_it_is_asked(
    shape: str, temp_comp: Literal["sensor", "gateway"], said: list[tuple[int, int, int]]
) -> None:
    tank, node = replace(SHAPES[shape], sensor_height_mm=1100), replace(NODE, temp_comp=temp_comp)
    twin = replace(tank, id="other", rid="other", site="other", name="Other", low_pct=50.0)
    alone = volume.Gauge(tank, "a02yyuw", corrects=temp_comp == "gateway")
    for mm, spread, air_dc in said:
        raw = echo(mm, spread=spread, valid=7, temperature_dc=air_dc)
        anew = alone.show("mm", mm, (spread, 7), air_dc)
        assert volume.measure(raw, tank, node, None) == anew
        assert volume.measure(raw, twin, replace(node, id="node-2"), None) == anew
