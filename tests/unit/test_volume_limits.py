"""Litres at their limits: each range, each fault, each sd, by its figure."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from gateway.domain import volume
from gateway.domain.message import Quantity, RawReading
from gateway.domain.registry import Device, Install, Tank
from tests.unit.tank_story import ibc

NODE = Device("node-1", "north-1")
CORRECTED = replace(NODE, temp_comp="gateway")
L_PER_MM = 1.0716


def measure(
    quantity: str,
    value: int | None,
    tank: Tank,
    device: Device = NODE,
    spread: int | None = 0,
    valid: int | None = 1,
    air_dc: int | None = None,
) -> volume.Volume:
    name: Any = quantity.encode().decode()
    raw = RawReading(0, name, value, spread, valid, 7, air_dc)
    return volume.gauge(tank, device, None).measure(raw)


STATION = Tank("t", "r", "s", kind="station", shape=None, capacity_l=200, tare_g=10_000)
TALL = Tank("t", "r", "s", shape="box", length_mm=1000, width_mm=1000, capacity_l=7000,
            sensor_height_mm=6100)  # fmt: skip
JSN = replace(NODE, sensor="jsn-sr04t")
PROBE = replace(NODE, sensor="probe")
FULL_MM = 1000 / L_PER_MM * 1.08 + 3 * 10 / sqrt(3)
"""The highest level of an IBC that is possible with an exact echo: 8 % and 3 sd above."""


@pytest.mark.parametrize(
    ("quantity", "value", "tank", "device", "fault"),
    [
        ("mm", None, ibc(), NODE, "no_echo"),
        # Nearest and farthest distance of each sensor; both are measured.
        ("mm", 29, ibc(sensor_height_mm=900), NODE, "out_of_range"),
        ("mm", 30, ibc(sensor_height_mm=900), NODE, None),
        ("mm", 4500, TALL, NODE, None),
        ("mm", 4501, TALL, NODE, "out_of_range"),
        ("mm", 199, ibc(), JSN, "out_of_range"),
        ("mm", 200, ibc(), JSN, None),
        ("mm", 6000, TALL, JSN, None),
        ("mm", 6001, TALL, JSN, "out_of_range"),
        ("mm", 29, ibc(sensor_height_mm=900), PROBE, "out_of_range"),  # any other: the first's
        ("mm", 30, ibc(sensor_height_mm=900), PROBE, None),
        ("mm", 500, ibc(sensor_height_mm=None), NODE, "not_configured"),
        # 3.5 % of 1100 mm, and 25 mm at least, may be below the floor: air, installation.
        ("mm", 1138, ibc(), NODE, None),
        ("mm", 1139, ibc(), NODE, "below_floor"),
        ("mm", 525, ibc(sensor_height_mm=500), PROBE, None),
        ("mm", 526, ibc(sensor_height_mm=500), PROBE, "below_floor"),
        ("mm", int(1100 - FULL_MM) + 1, ibc(), NODE, None),
        ("mm", int(1100 - FULL_MM), ibc(), NODE, "above_full"),
        # Pressure: 9.80665 Pa per mm.
        ("pa", -501, ibc(), PROBE, "out_of_range"),
        ("pa", -500, ibc(probe_offset_mm=50), PROBE, None),
        ("pa", 60_000, replace(TALL, probe_offset_mm=50), PROBE, None),
        ("pa", 60_001, replace(TALL, probe_offset_mm=50), PROBE, "out_of_range"),
        ("pa", -245, ibc(), PROBE, None),
        ("pa", -246, ibc(), PROBE, "below_floor"),
        # Weight: 3 kg of slack, and 8 % above the capacity.
        ("g", 7000, STATION, NODE, None),
        ("g", 6999, STATION, NODE, "below_floor"),
        ("g", 229_000, STATION, NODE, None),
        ("g", 229_001, STATION, NODE, "above_full"),
        ("g", 50_000, replace(STATION, tare_g=None), NODE, "not_configured"),
        ("g", 50_000, replace(STATION, tare_g=0), NODE, None),
        # Feeds: 8 % above the capacity.
        ("ml", 216_000, STATION, NODE, None),
        ("ml", 216_001, STATION, NODE, "above_full"),
        ("bp", 10_800, STATION, NODE, None),
        ("bp", 10_801, STATION, NODE, "above_full"),
    ],
)
def test_each_limit_is_the_last_value_that_is_possible(
    quantity: Quantity, value: int | None, tank: Tank, device: Device, fault: str | None
) -> None:
    found = measure(quantity, value, tank, device)
    assert found.fault == fault
    assert (found.volume_l is None) == (found.sd_l is None) == (fault is not None)


def test_a_noisy_level_may_be_further_below_the_floor_and_above_full() -> None:
    sd = sqrt(100 / 3 + (1.2533 * 20) ** 2)
    assert 38.5 < 3 * sd < 78
    assert measure("mm", 1100 + int(3 * sd), ibc(), spread=20).fault is None
    assert measure("mm", 1100 + int(3 * sd) + 1, ibc(), spread=20).fault == "below_floor"
    top = 1000 / L_PER_MM * 1.08 + 3 * sd
    high = ibc(sensor_height_mm=1200)
    assert measure("mm", int(1200 - top) + 1, high, spread=20).fault is None
    assert measure("mm", int(1200 - top), high, spread=20).fault == "above_full"


@pytest.mark.parametrize(
    ("reading", "noise", "litres", "sd"),
    [
        # +-10 mm, rectangular; the noise of a median: 1.2533 sd / sqrt(n).
        (("mm", 600, ibc()), (0, 1), 535.8, 10 / sqrt(3) * L_PER_MM),
        (("mm", 600, ibc()), (6, 9), 535.8,
         sqrt(100 / 3 + (1.2533 * 6 / 3) ** 2) * L_PER_MM),
        # An unknown spread is a third of the accuracy; unknown samples are one.
        (("mm", 600, ibc()), (None, 4), 535.8,
         sqrt(100 / 3 + (1.2533 * 10 / 3 / 2) ** 2) * L_PER_MM),
        (("mm", 600, ibc()), (6, None), 535.8,
         sqrt(100 / 3 + (1.2533 * 6) ** 2) * L_PER_MM),
        (("mm", 600, ibc()), (6, 0), 535.8, sqrt(100 / 3 + (1.2533 * 6) ** 2) * L_PER_MM),
        # Limited to the tank.
        (("mm", 1120, ibc()), (0, 1), 0.0, 10 / sqrt(3) * L_PER_MM),
        (("mm", 150, ibc()), (0, 1), 1000.0, 10 / sqrt(3) * L_PER_MM),
        # A probe: +-5 mm, rectangular; an unknown spread is none.
        (("pa", 4903, ibc()), (None, None), 4903 / 9.80665 * L_PER_MM,
         5 / sqrt(3) * L_PER_MM),
        (("pa", 4903, ibc(probe_offset_mm=50)), (98, 4),
         (4903 / 9.80665 + 50) * L_PER_MM,
         sqrt(25 / 3 + (1.2533 * 98 / 2 / 9.80665) ** 2) * L_PER_MM),
        # Load cells: 300 g, rectangular.
        (("g", 60_000, STATION), (0, 1), 50.0, 0.3 / sqrt(3)),
        (("g", 60_000, STATION), (100, 4), 50.0,
         sqrt(300**2 / 3 + (1.2533 * 100 / 2) ** 2) / 1000),
        (("g", 60_000, STATION), (None, 1), 50.0,
         sqrt(300**2 / 3 + (1.2533 * 100) ** 2) / 1000),
        (("g", 8_000, STATION), (0, 1), 0.0, 0.3 / sqrt(3)),
        (("g", 212_000, STATION), (0, 1), 200.0, 0.3 / sqrt(3)),
        # A feed: 3 % of the capacity, rectangular.
        (("ml", 123_456, STATION), (None, None), 123.456, 6 / sqrt(3)),
        (("bp", 2_500, STATION), (None, None), 50.0, 6 / sqrt(3)),
        (("ml", 210_000, STATION), (None, None), 200.0, 6 / sqrt(3)),
    ],
)  # fmt: skip
def test_litres_and_their_sd_follow_from_accuracy_and_noise(
    reading: tuple[str, int, Tank],
    noise: tuple[int | None, int | None],
    litres: float,
    sd: float,
) -> None:
    found = measure(*reading, NODE, *noise)
    assert found == (pytest.approx(litres, abs=6e-4), pytest.approx(sd, abs=6e-4), None)
    assert found.volume_l == round(found.volume_l or 0.0, 3)
    assert found.sd_l == round(found.sd_l or 0.0, 3)


def test_litres_are_rounded_to_a_millilitre() -> None:
    found = measure("pa", 4903, ibc(), PROBE)
    assert (found.volume_l, found.sd_l) == (535.764, 3.093)


def test_an_sd_above_15_percent_of_the_capacity_is_unsteady() -> None:
    tank = replace(TALL, capacity_l=100.0, sensor_height_mm=1000)  # 1 L a mm
    spread = sqrt(15**2 - 100 / 3) / 1.2533
    assert measure("mm", 950, tank, spread=int(spread)).fault is None
    assert measure("mm", 950, tank, spread=int(spread) + 1).fault == "unsteady"
    cells = replace(STATION, capacity_l=0.3 / sqrt(3) / 0.15)
    assert measure("g", 10_100, replace(cells, capacity_l=cells.capacity_l + 1e-6)).fault is None
    assert measure("g", 10_100, replace(cells, capacity_l=cells.capacity_l - 1e-6)).fault == (
        "unsteady"
    )


@pytest.mark.parametrize(
    ("air_dc", "air_c"), [(-50, -5.0), (0, 0.0), (200, 20.0), (355, 35.5), (-900, -80.0)]
)
def test_a_distance_is_corrected_by_the_speed_of_sound(air_dc: int, air_c: float) -> None:
    # c = 331.3 m/s * sqrt(1 + T / 273.15); the module assumes 20 degC.
    true_mm = 900 * sqrt((273.15 + air_c) / 293.15)
    assert volume.corrected_mm(900, air_dc / 10) == pytest.approx(true_mm)
    found = measure("mm", 900, ibc(sensor_height_mm=1200), CORRECTED, air_dc=air_dc)
    assert found.volume_l == pytest.approx((1200 - true_mm) * L_PER_MM, abs=1e-3)
    assert found.sd_l == pytest.approx(10 / sqrt(3) * L_PER_MM, abs=1e-3)
    plain = measure("mm", 900, ibc(sensor_height_mm=1200), NODE, air_dc=air_dc)
    assert plain.volume_l == pytest.approx(300 * L_PER_MM)


def test_without_a_temperature_the_air_has_12_degrees_with_an_sd_of_7() -> None:
    true_mm, hot = (900 * sqrt((273.15 + air_c) / 293.15) for air_c in (12, 19))
    found = measure("mm", 900, ibc(sensor_height_mm=1200), CORRECTED)
    assert found.volume_l == pytest.approx((1200 - true_mm) * L_PER_MM, abs=1e-3)
    sd = sqrt(100 / 3 + (hot - true_mm) ** 2)
    assert found.sd_l == pytest.approx(sd * L_PER_MM, abs=1e-3)


@pytest.mark.parametrize(
    ("install", "quantity", "value", "litres"),
    [
        (None, "mm", 600, 535.8),
        (Install("n", "t", 0.0, sensor_height_mm=1000), "mm", 600, 428.64),
        (Install("n", "t", 0.0, probe_offset_mm=100), "mm", 600, 535.8),
        (Install("n", "t", 0.0, probe_offset_mm=100), "pa", 0, 107.16),
        (Install("n", "t", 0.0, tare_g=5000), "g", 105_000, 100.0),
        (Install("n", "t", 0.0, tare_g=0), "g", 100_000, 100.0),
        (Install("n", "t", 0.0), "mm", 600, 535.8),
    ],
)
def test_an_installs_own_values_replace_the_tanks(
    install: Install | None, quantity: Quantity, value: int, litres: float
) -> None:
    tank = ibc(probe_offset_mm=10, tare_g=1000)
    found = volume.gauge(tank, NODE, install).measure(RawReading(0, quantity, value, 0, 1))
    assert found.volume_l == pytest.approx(litres)


def test_tanks_of_one_form_share_a_gauge_and_its_results() -> None:
    other = ibc("other", rid="x", site="y", since=9.0, name="z", taps=2, low_pct=1.0,
                critical_pct=0.5)  # fmt: skip
    shared = volume.gauge(ibc(), NODE, None)
    assert volume.gauge(other, replace(NODE, id="node-2", since=3.0), None) is shared
    assert volume.gauge(ibc(sensor_height_mm=1101), NODE, None) is not shared
    assert volume.gauge(ibc(), JSN, None) is not shared
    assert volume.gauge(ibc(), CORRECTED, None) is not shared
    sizes = [
        cached.cache_parameters()["maxsize"] for cached in (volume._measured, volume._gauge_of)
    ]
    assert sizes == [8192, 1024], "bounded: 3 MB of results"
    raw = RawReading(0, "mm", 601, 3, 7, 7)
    assert shared.measure(raw) is shared.measure(raw._replace(age_s=60, temperature_dc=9))
    for spread, valid in ((4, 7), (3, 8)):
        assert shared.measure(raw._replace(spread=spread, valid=valid)) != shared.measure(raw)
