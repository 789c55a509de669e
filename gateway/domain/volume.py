"""One raw reading to litres with their uncertainty, or to the name of its fault.

A value that sensor and tank cannot produce is a fault, never a level: an ultrasonic sensor that is
too close reports far, so a full tank would read empty.
"""

from dataclasses import replace
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

from gateway.domain.geometry import Curve
from gateway.domain.message import Quantity, RawReading
from gateway.domain.registry import Device, Install, Sensor, Tank

RANGE_MM = {"a02yyuw": (30, 4500), "jsn-sr04t": (200, 6000)}
"""Nearest and farthest distance of each ultrasonic sensor; nearer is its blind zone."""
_ACCURACY_MM = 10.0
"""Makers state +-10 mm for both ultrasonic sensors: rectangular, so sd = 10/sqrt(3)."""
_PROBE_ACCURACY_MM = 5.0
"""0.5 % of a 0-1 m probe's full scale."""
_PROBE_RANGE_PA = (-500, 60_000)
_WEIGHT_ACCURACY_G = 300.0
"""Creep and temperature drift of four load cells (200-300 g over 4 h)."""
_FEED_ACCURACY_PART = 0.03
"""Of the capacity, an assumption for another project's sensor that reports litres or per cent, of
unknown geometry and noise: rectangular, so sd = 3 % / sqrt(3)."""
_ASSUMED_AIR_C = 20.0
"""The air temperature that modules without compensation assume."""
_UNKNOWN_AIR_C, _UNKNOWN_AIR_SD_K = 12.0, 7.0
"""The air in a tank over a Calais year, mean and sd: for readings without a temperature."""
_PA_PER_MM = 9.80665  # rho g h at 1000 kg/m3
_G_PER_L = 1000.0
_FLOOR_SLACK_MM = 25.0  # IBC floors slope, and nobody installs to the millimetre
_FLOOR_SLACK_PART = 0.035
"""Of the way to the floor: a module that assumes 20 degrees reads 3.6 % too far in air at 0."""
_TOP_SLACK = 0.08  # a 1000 L IBC takes about 1060 L to the brim
_WEIGHT_SLACK_G = 3000.0
_UNSTEADY_PART = 0.15  # an sd above this part of the capacity makes the level useless

_Noise = tuple[int | None, int | None]
"""The spread of a burst, in the reading's unit, and how many of its samples were valid."""


class Volume(NamedTuple):
    """Litres and one standard deviation, or both None and ``fault`` naming the reason.

    Faults: ``no_echo out_of_range below_floor above_full unsteady not_configured``.
    """

    volume_l: float | None
    sd_l: float | None
    fault: str | None = None


def _fault(name: str) -> Volume:
    return Volume(None, None, name)


class Gauge:
    """Turns the raw readings of a sensor in a tank into litres; create it by ``gauge``.

    Values that are the same for all readings are computed once, and results are cached, since
    water levels rarely change.
    """

    __slots__ = ("_corrects", "_curve", "_range_mm", "_tank")

    def __init__(self, tank: Tank, sensor: Sensor, *, corrects: bool) -> None:
        """``tank`` with its install's values; ``corrects`` the distance for air temperature."""
        self._tank = tank
        self._corrects = corrects
        self._range_mm = RANGE_MM.get(sensor, RANGE_MM["a02yyuw"])
        self._curve = _curve(tank)

    def measure(self, raw: RawReading) -> Volume:
        """Litres of one raw reading, or its fault."""
        air_dc = raw.temperature_dc if self._corrects else None
        return _measured(self, raw.quantity, raw.value, raw.spread, raw.valid, air_dc)

    def compute(
        self, quantity: Quantity, value: int | None, noise: _Noise, air_dc: int | None
    ) -> Volume:
        """The same from the values that matter, without the cache."""
        if value is None:
            return _fault("no_echo")
        if quantity == "mm":
            return self._from_distance(value, noise, air_dc)
        if quantity == "g":
            return _from_weight(value, noise, self._tank)
        if quantity == "pa":
            return self._from_pressure(value, noise)
        return _from_feed(quantity, value, self._tank)

    def _from_distance(self, distance: int, noise: _Noise, air_dc: int | None) -> Volume:
        nearest, farthest = self._range_mm
        if not nearest <= distance <= farthest:
            return _fault("out_of_range")
        height = self._tank.sensor_height_mm
        if height is None:
            return _fault("not_configured")
        sd = _sd(noise, _ACCURACY_MM)
        if not self._corrects:
            return self._from_level(height - float(distance), sd, height)
        air_c = _UNKNOWN_AIR_C if air_dc is None else air_dc / 10
        true_mm = corrected_mm(distance, air_c)
        if air_dc is None:
            hot = corrected_mm(distance, air_c + _UNKNOWN_AIR_SD_K)
            sd = sqrt(sd**2 + (hot - true_mm) ** 2)
        return self._from_level(height - true_mm, sd, height)

    def _from_pressure(self, pressure: int, noise_pa: _Noise) -> Volume:
        """Gauge pressure to level: h = p / (rho g), from the probe's own height above the floor."""
        if not _PROBE_RANGE_PA[0] <= pressure <= _PROBE_RANGE_PA[1]:
            return _fault("out_of_range")
        above_floor = float(self._tank.probe_offset_mm or 0)
        noise = _noise(noise_pa, 0.0) / _PA_PER_MM
        sd = sqrt(_PROBE_ACCURACY_MM**2 / 3 + noise**2)
        return self._from_level(pressure / _PA_PER_MM + above_floor, sd)

    def _from_level(self, level: float, sd_mm: float, way_mm: float = 0.0) -> Volume:
        curve = self._curve
        if curve is None:
            return _fault("not_configured")
        if level < -max(_FLOOR_SLACK_MM, _FLOOR_SLACK_PART * way_mm, 3 * sd_mm):
            return _fault("below_floor")
        if level > curve.top_mm * (1 + _TOP_SLACK) + 3 * sd_mm:
            return _fault("above_full")
        return _bounded(self._tank, curve.volume_l(level), curve.litres_per_mm(level) * sd_mm)


@lru_cache(maxsize=8192)  # 3 MB
def _measured(
    gauge: Gauge, quantity: Quantity, value: int | None, spread: int | None, valid: int | None,
    air_dc: int | None,
) -> Volume:  # fmt: skip
    return gauge.compute(quantity, value, (spread, valid), air_dc)


def gauge(tank: Tank, device: Device, install: Install | None) -> Gauge:
    """The gauge for ``device`` in ``tank``; tanks of the same form share one."""
    form = replace(
        _installed(tank, install),
        id="", rid="", site="", since=0.0, name="", taps=0, low_pct=0.0, critical_pct=0.0,
    )  # fmt: skip
    return _gauge_of(form, device.sensor, device.temp_comp == "gateway")


@lru_cache(maxsize=1024)
def _gauge_of(form: Tank, sensor: Sensor, corrects: bool) -> Gauge:
    return Gauge(form, sensor, corrects=corrects)


def _curve(tank: Tank) -> Curve | None:
    """None when the registry row lacks a dimension; the import reports that to its user."""
    try:
        return Curve(tank)
    except ValueError:
        return None


def _installed(tank: Tank, install: Install | None) -> Tank:
    """The tank's row with the values that the install overrides."""
    if install is None:
        return tank
    given = {
        name: value
        for name in ("sensor_height_mm", "probe_offset_mm", "tare_g")
        if (value := getattr(install, name)) is not None
    }
    return replace(tank, **given) if given else tank


def _from_weight(weight: int, noise: _Noise, tank: Tank) -> Volume:
    """Weight to litres at 1 g per mL; the tare contains the cans."""
    if tank.tare_g is None:
        return _fault("not_configured")
    net, full = float(weight - tank.tare_g), tank.capacity_l * _G_PER_L
    if net < -_WEIGHT_SLACK_G:
        return _fault("below_floor")
    if net > full * (1 + _TOP_SLACK) + _WEIGHT_SLACK_G:
        return _fault("above_full")
    return _bounded(tank, net / _G_PER_L, _sd(noise, _WEIGHT_ACCURACY_G) / _G_PER_L)


def _from_feed(quantity: str, value: int, tank: Tank) -> Volume:
    """Millilitres, or parts in 10,000 of the capacity, computed by another project's sensor."""
    full = float(tank.capacity_l)
    litres = value / 1000 if quantity == "ml" else value / 10_000 * full
    if litres > full * (1 + _TOP_SLACK):
        return _fault("above_full")
    return _bounded(tank, litres, _FEED_ACCURACY_PART / sqrt(3) * full)


def _bounded(tank: Tank, litres: float, sd: float) -> Volume:
    """The volume limited to the tank's capacity."""
    full = float(tank.capacity_l)
    if sd > _UNSTEADY_PART * full:
        return _fault("unsteady")
    return Volume(round(min(max(litres, 0.0), full), 3), round(sd, 3))


def _sd(noise: _Noise, accuracy: float) -> float:
    """Accuracy (rectangular) and the noise of the median combined, in the reading's unit."""
    return sqrt(accuracy**2 / 3 + _noise(noise, accuracy / 3) ** 2)


def _noise(noise: _Noise, unknown: float) -> float:
    """Standard error of a median of ``valid`` samples: 1.2533 sd / sqrt(n), for normal noise."""
    spread, valid = noise
    return 1.2533 * (unknown if spread is None else float(spread)) / sqrt(valid or 1)


def _sound_m_s(air_c: float) -> float:
    """Speed of sound in dry air at ``air_c`` degrees Celsius, m/s.

    c = 331.3 * sqrt(1 + T/273.15), the ideal-gas formula; humidity adds less than 0.4 %.
    """
    return 331.3 * sqrt(1 + max(air_c, -80.0) / 273.15)


def corrected_mm(distance_mm: float, air_c: float) -> float:
    """The true distance where a module that assumes 20 degC reported ``distance_mm``.

    At 900 mm the error would be +41 mm at -5 degC and -22 mm at 35 degC.
    """
    return distance_mm * _sound_m_s(air_c) / _sound_m_s(_ASSUMED_AIR_C)
