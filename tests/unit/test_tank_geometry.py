"""Levels to litres and back, and raw readings to litres, for every shape of tank."""

from dataclasses import replace
from math import pi
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain import volume
from gateway.domain.geometry import Curve
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


def measure(
    raw: RawReading, tank: Tank, device: Device, install: Install | None = None
) -> volume.Volume:
    return volume.gauge(tank, device, install).measure(raw)


def echo(mm: int | None, **fields: int) -> RawReading:
    return RawReading(0, "mm", mm, **fields)


# Far below the size of an atom, where rounding once made the area of the segment negative.
@example("lying", 0.0, 2.220446049250313e-16)
@given(ANY_SHAPE, st.floats(0, 1200), st.floats(0, 1200))
def test_more_level_is_never_less_water(shape: str, a: float, b: float) -> None:
    curve = Curve(SHAPES[shape])
    low, high = sorted((a, b))
    assert curve.volume_l(low) <= curve.volume_l(high) + 1e-9
    assert curve.volume_l(low) >= 0


@given(ANY_SHAPE, st.floats(0, 1))
def test_the_level_of_a_volume_has_that_volume(shape: str, part: float) -> None:
    tank = SHAPES[shape]
    litres = part * tank.capacity_l
    assert Curve(tank).volume_l(Curve(tank).level_mm(litres)) == pytest.approx(litres, abs=1e-6)


@given(ANY_SHAPE, st.floats(0, 1000))
def test_litres_per_millimetre_are_positive(shape: str, level: float) -> None:
    assert Curve(SHAPES[shape]).litres_per_mm(level) > 0


def test_volumes_follow_the_formula_of_the_shape() -> None:
    assert Curve(SHAPES["ibc1000"]).volume_l(10) == pytest.approx(10.7, abs=0.05)
    assert Curve(SHAPES["ibc600"]).volume_l(500) == pytest.approx(421.8)
    assert Curve(SHAPES["cylinder"]).volume_l(500) == pytest.approx(pi / 4 * 1.13**2 * 500)
    assert Curve(SHAPES["lying"]).volume_l(500) == pytest.approx(pi / 8 * 1300)
    assert Curve(SHAPES["lying"]).volume_l(1000) == pytest.approx(pi / 4 * 1300)
    assert Curve(SHAPES["box"]).volume_l(250) == pytest.approx(200)
    assert Curve(SHAPES["table"]).volume_l(500) == pytest.approx(510)


def test_the_error_for_a_missing_dimension_names_it() -> None:
    with pytest.raises(ValueError, match="diameter_mm"):
        Curve(Tank("t", "r", "s", shape="cylinder")).volume_l(10)
    found = measure(echo(500), Tank("t", "r", "s", shape="box", sensor_height_mm=1000), NODE, None)
    assert found.fault == "not_configured"


def test_the_vectors_reading_is_717_litres() -> None:
    found = measure(echo(431, spread=6, valid=6, tried=7), ibc(), NODE)
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
def test_a_value_outside_sensor_and_tank_is_a_fault(
    device: Device, mm: int | None, fault: str
) -> None:
    found = measure(echo(mm), ibc(), device)
    assert (found.volume_l, found.sd_l, found.fault) == (None, None, fault)


def test_a_reading_with_a_spread_of_the_whole_tank_is_a_fault() -> None:
    found = measure(echo(500, spread=400, valid=2, tried=7), ibc(), NODE)
    assert found.fault == "unsteady"


@given(st.one_of(st.none(), st.integers(-10, 7000)), st.integers(0, 500), st.integers(0, 20))
def test_litres_stay_between_0_and_the_capacity(mm: int | None, spread: int, valid: int) -> None:
    found = measure(echo(mm, spread=spread, valid=valid), ibc(), NODE)
    if found.fault is None:
        assert found.volume_l is not None and found.sd_l is not None
        assert 0 <= found.volume_l <= 1000
        assert found.sd_l > 0
    else:
        assert found.volume_l is None and found.sd_l is None


def test_the_install_in_force_moves_the_sensor() -> None:
    raised = Install("node-1", "north-1", 0, sensor_height_mm=1150)
    low = measure(echo(600), ibc(), NODE).volume_l
    high = measure(echo(600), ibc(), NODE, raised).volume_l
    assert low is not None and high is not None
    assert high - low == pytest.approx(50 * 1.0716, abs=0.01)


def test_pressure_is_a_level_above_the_probe() -> None:
    tank = ibc(probe_offset_mm=50)
    found = measure(RawReading(0, "pa", 4903), tank, NODE)  # 500 mm of water
    assert found.volume_l == pytest.approx(550 * 1.0716, abs=0.5)


def test_the_weight_of_the_cans_is_not_water() -> None:
    station = Tank("t", "r", "s", kind="station", shape=None, capacity_l=240, tare_g=14_400)
    found = measure(RawReading(0, "g", 134_400, 30, 7, 7), station, NODE)
    assert found.volume_l == 120
    assert found.sd_l is not None and found.sd_l < 0.5
    assert measure(RawReading(0, "g", 0), station, NODE).fault == "below_floor"
    assert measure(RawReading(0, "g", 400_000), station, NODE).fault == "above_full"


def test_the_speed_of_sound_is_corrected_only_for_sensors_that_do_not() -> None:
    cold = RawReading(0, "mm", 941, 4, 7, 7, temperature_dc=-50)
    assert volume.corrected_mm(941, -5) == pytest.approx(900, abs=1)
    assert volume.corrected_mm(878, 35) == pytest.approx(900, abs=1)
    corrected = measure(cold, ibc(), replace(NODE, temp_comp="gateway"))
    reported = measure(cold, ibc(), NODE)
    assert corrected.volume_l == pytest.approx(200 * 1.0716, abs=1)
    assert reported.volume_l == pytest.approx(159 * 1.0716, abs=1)


def test_an_unknown_air_temperature_widens_the_error() -> None:
    node = replace(NODE, temp_comp="gateway")
    known = measure(echo(900, temperature_dc=120), ibc(), node)
    unknown = measure(echo(900), ibc(), node)
    assert known.sd_l is not None and unknown.sd_l is not None
    assert unknown.sd_l > 1.5 * known.sd_l


@given(
    ANY_SHAPE,
    st.sampled_from(["sensor", "gateway"]),
    st.lists(
        st.tuples(st.integers(-10, 1500), st.integers(0, 9), st.integers(-20, 20)), min_size=1
    ),
)
def test_cached_volumes_equal_computed_ones_for_every_tank_of_the_form(
    shape: str, temp_comp: Literal["sensor", "gateway"], readings: list[tuple[int, int, int]]
) -> None:
    tank, node = replace(SHAPES[shape], sensor_height_mm=1100), replace(NODE, temp_comp=temp_comp)
    same_form = replace(tank, id="other", rid="other", site="other", name="Other", low_pct=50.0)
    gauge = volume.Gauge(tank, "a02yyuw", corrects=temp_comp == "gateway")
    for mm, spread, air_dc in readings:
        raw = echo(mm, spread=spread, valid=7, temperature_dc=air_dc)
        computed = gauge.compute("mm", mm, (spread, 7), air_dc)
        assert measure(raw, tank, node) == computed
        assert measure(raw, same_form, replace(node, id="node-2")) == computed
