"""Figures that make no sense together are named with what was probably meant."""

import tomllib

import pytest

from gateway.errors import RegistryError
from gateway.registry import check, plausible, toml


def found(tank: str, sensor: str = "a02yyuw") -> list[str]:
    text = (
        '[[site]]\nid = "north"\n'
        f'[[tank]]\nid = "t"\nsite = "north"\n{tank}\n'
        f'[[device]]\nid = "aaaaaa"\ntank = "t"\nsensor = "{sensor}"\nkey = "{"00" * 32}"\n'
    )
    registry = toml.parse(tomllib.loads(text))
    assert not list(check.problems(registry))
    return list(plausible.doubts(registry, registry))


IBC = 'shape = "ibc1000"\n'


@pytest.mark.parametrize(
    ("tank", "wanted"),
    [
        (IBC + "sensor_height_mm = 110",
         "(933 mm) is above the sensor's face: written in centimetres? then 1100"),
        (IBC + "sensor_height_mm = 1", "written in metres? then 1000"),
        (IBC + "sensor_height_mm = 500", "measure from the sensor's face"),
        (IBC + "sensor_height_mm = 11000", "measures up to 4500 mm"),
        (IBC + "sensor_height_mm = 4000", "3067 mm above the full level"),
        (IBC + "sensor_height_mm = 1100\ncapacity_l = 1",
         "an ibc1000 holds 850 to 1150 L: write litres: 1000?"),
        (IBC + "sensor_height_mm = 1100\ncapacity_l = 600", "another shape?"),
        (IBC + "sensor_height_mm = 1100\nlow_pct = 0.3\ncritical_pct = 0.15",
         "low_pct = 0.3: an alert would come at 3 L; write percent: 30?"),
        ('shape = "cylinder"\ncapacity_l = 1000\ndiameter_mm = 120\nsensor_height_mm = 1100',
         "is 88.4 m high"),
        ('shape = "cylinder"\ncapacity_l = 1000\ndiameter_mm = 12000\nsensor_height_mm = 1100',
         "is 8.8 mm high"),
    ],
)  # fmt: skip
def test_a_slip_of_unit_is_named_with_what_was_meant(tank: str, wanted: str) -> None:
    assert any(wanted in doubt for doubt in found(tank)), found(tank)


def test_a_station_in_kilograms_and_a_can_of_millilitres_are_named() -> None:
    station = 'kind = "station"\ncans = 12\n'
    assert "write grams: 12000?" in found(station + "can_l = 20\ntare_g = 12", "hx711")[0]
    assert "no can is so large" in found(station + "can_l = 200\ntare_g = 12000", "hx711")[0]
    assert found(station + "can_l = 20\ntare_g = 12000", "hx711") == []


@pytest.mark.parametrize("height", [950, 1100, 1500, 1896])
@pytest.mark.parametrize("sensor", ["a02yyuw", "jsn-sr04t"])
def test_usual_tanks_raise_no_doubt(height: int, sensor: str) -> None:
    assert found(f"{IBC}sensor_height_mm = {height}", sensor) == []


def test_thresholds_that_can_never_alert_are_refused() -> None:
    with pytest.raises(RegistryError, match="no alert could come before the tank is empty"):
        found(IBC + "sensor_height_mm = 1100\nempty_l = 300\nlow_pct = 30\ncritical_pct = 15")
    with pytest.raises(RegistryError, match="no alert could come"):
        found(IBC + "sensor_height_mm = 1100\nlow_pct = 0\ncritical_pct = 0")
