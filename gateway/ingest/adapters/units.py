"""Converts figures to the units of a reading or a message.

Quantities of a reading: ``mm`` sensor face to water, ``pa`` gauge pressure of the water, ``g``
weight, and only for unsigned feeds ``ml`` volume and ``bp`` parts in 10,000 of the capacity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.domain.message import Quantity

PA_PER_MM = 9.80665
"""Weight of 1 mm of water at 1000 kg/m3."""
_MA_LOW, _MA_HIGH = 3.6, 21.0
"""Outside these a 4-20 mA loop is broken (NAMUR NE 43)."""

Convert = Callable[[float], float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a mapping: its quantity (None: it is not a level) and its units."""

    quantity: Quantity | None
    units: Mapping[str, Convert]


def _times(factor: float) -> Convert:
    return lambda value: value * factor


# Inch, foot, pound, gallon, pound-force a square inch: exact or rounded as NIST SP 811, appendix B.
_LENGTHS_MM: Mapping[str, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4, "ft": 304.8}
_PRESSURES_PA: Mapping[str, float] = {
    "Pa": 1.0, "hPa": 100.0, "mbar": 100.0, "kPa": 1000.0, "bar": 100_000.0, "psi": 6894.757,
}  # fmt: skip
_VOLUMES_ML: Mapping[str, float] = {
    "ml": 1.0, "L": 1000.0, "m3": 1e6, "gal_us": 3785.412, "gal_uk": 4546.09,
}  # fmt: skip


def _scaled(factors: Mapping[str, float], by: float = 1.0) -> dict[str, Convert]:
    return {unit: _times(factor * by) for unit, factor in factors.items()}


FIGURES: Mapping[str, Figure] = {
    "distance": Figure("mm", _scaled(_LENGTHS_MM)),
    "height": Figure("pa", _scaled(_LENGTHS_MM, PA_PER_MM)),
    "pressure": Figure("pa", _scaled(_PRESSURES_PA)),
    "weight": Figure("g", _scaled({"g": 1.0, "kg": 1000.0, "lb": 453.59237})),
    "volume": Figure("ml", _scaled(_VOLUMES_ML)),
    "fill": Figure("bp", _scaled({"%": 100.0, "1": 10_000.0})),
    "battery": Figure(None, _scaled({"mV": 1.0, "V": 1000.0})),
    "rssi": Figure(None, _scaled({"dBm": 1.0})),
    "temperature": Figure(
        None, {"C": _times(10.0), "F": lambda f: (f - 32) / 0.18, "K": lambda k: (k - 273.15) * 10}
    ),
}
"""By name. ``battery`` becomes mV, ``rssi`` dBm, ``temperature`` tenths of a degree Celsius."""

LEVELS = tuple(name for name, figure in FIGURES.items() if figure.quantity is not None)


def linear(convert: Convert, scale: float, offset: float) -> Convert:
    """``convert`` of ``scale`` times the published number plus ``offset``, both in its unit."""
    return lambda value: convert(value * scale + offset)


def current_loop(full_scale_m: float) -> Convert:
    """A 4-20 mA probe in water to Pa: 20 mA is ``full_scale_m`` metres of water above it."""
    full_pa = full_scale_m * 1000 * PA_PER_MM

    def convert(milliampere: float) -> float | None:
        if not _MA_LOW <= milliampere <= _MA_HIGH:
            return None
        return (milliampere - 4.0) / 16.0 * full_pa

    return convert
