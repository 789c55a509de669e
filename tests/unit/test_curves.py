"""The curve of each shape by its figures: litres at a level, the level back, and the slope."""

from dataclasses import replace
from math import pi, sqrt
from typing import Any

import pytest

from gateway.domain import volume
from gateway.domain.geometry import IBC_AREA_MM2, Curve
from gateway.domain.message import RawReading
from gateway.domain.registry import Device, Shape, Tank
from tests.unit.tank_story import ibc

L_PER_MM = 1.0716
LYING = Tank("t", "r", "s", shape="lying", diameter_mm=1000, length_mm=2000, capacity_l=1500)
ROWS = ((0.0, 0.0), (100.0, 60.0), (900.0, 960.0), (1000.0, 1000.0))


def table(*rows: tuple[float, float], capacity_l: float = 1000.0) -> Curve:
    return Curve(Tank("t", "r", "s", shape="table", table=rows, capacity_l=capacity_l))


def test_the_footprints_of_ibcs_are_those_of_their_inside() -> None:
    assert IBC_AREA_MM2 == {"ibc1000": 1140 * 940, "ibc600": 1140 * 740}
    assert Curve(ibc()).top_mm == pytest.approx(1000 / L_PER_MM)


@pytest.mark.parametrize(
    ("level", "litres"),
    [(-5, 0), (0, 0), (1, 0.6), (50, 30), (100, 60), (500, 510), (900, 960), (950, 980),
     (1000, 1000), (1001, 1000)],
)  # fmt: skip
def test_a_table_is_linear_between_its_rows_and_constant_beyond(
    level: float, litres: float
) -> None:
    assert table(*ROWS).volume_l(level) == pytest.approx(litres)
    if 0 <= level <= 1000:
        assert table(*ROWS).level_mm(litres) == pytest.approx(level)


def test_a_table_that_begins_above_the_floor_has_its_first_litres_below() -> None:
    curve = table((50, 20), (100, 60), capacity_l=60)
    assert (curve.volume_l(0), curve.volume_l(50), curve.level_mm(5)) == (20, 20, 50)
    assert curve.top_mm == 100


@pytest.mark.parametrize(
    ("level", "litres"),
    [
        (0, 0.0),
        (250, (pi / 3 - sqrt(3) / 4) / 4 * 2000),  # a quarter of the diameter: angle 2 pi / 3
        (500, pi / 8 * 2000),
        (1000, pi / 4 * 2000),
        (1300, pi / 4 * 2000),
        (-1, 0.0),
    ],
)
def test_a_lying_cylinder_contains_the_segment_below_the_level(level: float, litres: float) -> None:
    assert Curve(LYING).volume_l(level) == pytest.approx(litres)


@pytest.mark.parametrize("litres", [0.0, 0.001, 1.0, 700.0, 1500.0, pi / 4 * 2000])
def test_the_level_in_a_lying_cylinder_is_exact_to_a_nanometre(litres: float) -> None:
    curve = Curve(LYING)
    assert curve.volume_l(curve.level_mm(litres)) == pytest.approx(litres, abs=1e-9)
    assert curve.level_mm(-1) == curve.level_mm(0.0) == pytest.approx(0.0, abs=1e-9)


def test_more_than_a_lying_cylinder_contains_is_at_its_diameter() -> None:
    assert Curve(LYING).level_mm(9999) == 1000
    assert Curve(replace(LYING, capacity_l=9999)).top_mm == 1000


def test_a_lying_cylinder_has_the_slope_of_twenty_millimetres_around_the_level() -> None:
    curve = Curve(LYING)

    def slope(low: float) -> float:
        return (curve.volume_l(low + 20) - curve.volume_l(low)) / 20

    assert curve.litres_per_mm(500) == pytest.approx(slope(490), rel=1e-9)
    assert curve.litres_per_mm(10) == pytest.approx(slope(0), rel=1e-9)
    assert curve.litres_per_mm(4) == pytest.approx(slope(0), rel=1e-9)
    assert curve.litres_per_mm(-9) == pytest.approx(slope(0), rel=1e-9)
    assert curve.litres_per_mm(12) == pytest.approx(slope(2), rel=1e-9)
    top = curve.top_mm
    assert curve.litres_per_mm(top + 50) == pytest.approx(slope(top - 10), rel=1e-9)


def test_a_table_has_the_mean_slope_of_the_rows_around_the_level() -> None:
    curve = table(*ROWS)
    assert curve.litres_per_mm(50) == pytest.approx(0.6)
    assert curve.litres_per_mm(100) == pytest.approx((10 * 0.6 + 10 * 1.125) / 20)
    assert curve.litres_per_mm(1000) == pytest.approx((10 * 0.4 + 0) / 20)


def test_where_a_table_is_flat_the_slope_is_that_below() -> None:
    curve = table((0, 0), (100, 100), (150, 100), (160, 101), capacity_l=101)
    assert curve.litres_per_mm(125) == pytest.approx(5 / 20)  # 115 to 135 is flat: 95 to 115
    assert curve.litres_per_mm(122) == pytest.approx(8 / 20)
    assert curve.litres_per_mm(105) == pytest.approx(5 / 20)


def test_straight_walls_have_one_slope_at_any_level_and_no_water_below_the_floor() -> None:
    assert (Curve(ibc()).volume_l(-0.5), Curve(ibc()).volume_l(0.0)) == (0.0, 0.0)
    for level in (-50.0, 0.0, 500.0, 5000.0):
        assert Curve(ibc()).litres_per_mm(level) == pytest.approx(L_PER_MM)


@pytest.mark.parametrize(
    ("shape", "given", "reason"),
    [
        ("lying", {"length_mm": 900}, "needs diameter_mm above 0"),
        ("lying", {"diameter_mm": 900}, "needs length_mm above 0"),
        ("lying", {"diameter_mm": 0, "length_mm": 900}, "needs diameter_mm above 0"),
        ("cylinder", {}, "needs diameter_mm above 0"),
        ("cylinder", {"diameter_mm": -1}, "needs diameter_mm above 0"),
        ("box", {"width_mm": 900}, "needs length_mm above 0"),
        ("box", {"length_mm": 900}, "needs width_mm above 0"),
        (None, {}, "has no shape"),
        ("table", {}, "at least two rows"),
        ("table", {"table": ((0, 0),)}, "at least two rows"),
        ("table", {"table": ((0, 0), (0, 5))}, "must rise"),
        ("table", {"table": ((9, 0), (8, 5))}, "must rise"),
        ("table", {"table": ((0, 5), (9, 4))}, "must rise"),
        ("table", {"table": ((0, 0), (9, 9), (18, 8))}, "must rise"),
        ("table", {"table": ((0, 0), (9, 9), (9, 10))}, "must rise"),
    ],
)
def test_a_tank_that_lacks_a_dimension_or_whose_table_falls_has_no_curve(
    shape: Shape | None, given: dict[str, Any], reason: str
) -> None:
    row = Tank("t7", "r", "s", shape=shape, sensor_height_mm=1000, **given)
    with pytest.raises(ValueError, match=f"tank 't7'.*{reason}"):
        Curve(row)
    gauge = volume.gauge(row, Device("d", "t7"), None)
    assert gauge.measure(RawReading(0, "mm", 500)).fault == "not_configured"
    assert gauge.measure(RawReading(0, "pa", 500)).fault == "not_configured"


def test_dimensions_of_a_millimetre_and_equal_litres_are_allowed() -> None:
    assert Curve(Tank("t", "r", "s", shape="box", length_mm=1, width_mm=1)).volume_l(1e6) == 1
    assert table((0, 0), (9, 0), (18, 5)).volume_l(9) == 0


@pytest.mark.parametrize(
    ("shape", "given", "litres"),
    [
        ("lying", {"diameter_mm": 1000, "length_mm": 2000}, pi / 8 * 2000),
        ("cylinder", {"diameter_mm": 1000}, pi / 8 * 1000),
        ("box", {"length_mm": 1000, "width_mm": 500}, 250),
        ("table", {"table": ROWS}, 510),
        ("ibc600", {}, 421.8),
        ("ibc1000", {}, 535.8),
    ],
)
def test_a_shape_read_from_a_file_is_the_shape_of_that_name(
    shape: str, given: dict[str, Any], litres: float
) -> None:
    name: Any = shape.encode().decode()  # equal to the constant, and another object
    assert Curve(Tank("t", "r", "s", shape=name, **given)).volume_l(500) == pytest.approx(litres)
