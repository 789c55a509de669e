"""The speed of sound in air, and what it does to an ultrasonic distance."""

from math import sqrt

ASSUMED_C = 20.0
"""The air temperature that modules without compensation assume, degrees Celsius."""

UNKNOWN_AIR_C = 12.0
"""Stands in where compensation is ours to do and the reading carries no temperature."""

UNKNOWN_AIR_SD_K = 7.0
"""How far the air in a tank strays from UNKNOWN_AIR_C over a Calais year, one sd in kelvin."""


def speed_m_s(air_c: float) -> float:
    """Speed of sound in dry air at ``air_c`` degrees Celsius, m/s.

    c = 331.3 * sqrt(1 + T/273.15), the ideal-gas formula; humidity adds less than 0.4 %.
    """
    return 331.3 * sqrt(1 + max(air_c, -80.0) / 273.15)


def corrected_mm(distance_mm: float, air_c: float) -> float:
    """The true distance where a module that assumes 20 degC reported ``distance_mm``.

    At 900 mm the error would be +41 mm at -5 degC and -22 mm at 35 degC (DOMAIN.md).
    """
    return distance_mm * speed_m_s(air_c) / speed_m_s(ASSUMED_C)
