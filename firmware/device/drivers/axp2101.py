"""AXP2101 power chip over I2C (X-Powers AXP2101 datasheet V1.0, *Register description*).

Five step-down converters (DC), nine linear regulators (LDO), charger, battery voltage. Rails are
named by their place in the table; DC1 feeds the processor itself and is not in it.
"""

from micropython import const

_ADDRESS = const(0x34)
_CHIP_ID = const(0x03)
_ME = const(0x4A)
_ADC_ENABLE = const(0x30)
_ADC_VBAT = const(0x01)
_VBAT = const(0x34)  # two bytes, 1 mV a digit
_TS_PIN = const(0x50)  # no thermistor: the pin's current source is off
_TS_EXTERNAL = const(0x10)
_CHARGE_LED = const(0x69)
_LED_MANUAL_OFF = const(0x05)
_DC_ENABLE = const(0x80)
_LDO_ENABLE = const(0x90)
_LDO2_ENABLE = const(0x91)

# name: (register and bit that switch it, register of its voltage)
RAILS = {
    "dc2": (_DC_ENABLE, 1, 0x83),
    "dc3": (_DC_ENABLE, 2, 0x84),
    "dc4": (_DC_ENABLE, 3, 0x85),
    "dc5": (_DC_ENABLE, 4, 0x86),
    "aldo1": (_LDO_ENABLE, 0, 0x92),
    "aldo2": (_LDO_ENABLE, 1, 0x93),
    "aldo3": (_LDO_ENABLE, 2, 0x94),
    "aldo4": (_LDO_ENABLE, 3, 0x95),
    "bldo1": (_LDO_ENABLE, 4, 0x96),
    "bldo2": (_LDO_ENABLE, 5, 0x97),
    "cpusldo": (_LDO_ENABLE, 6, 0x98),
    "dldo1": (_LDO_ENABLE, 7, 0x99),
    "dldo2": (_LDO2_ENABLE, 0, 0x9A),
}


class AXP2101Error(Exception):
    """The chip does not answer as an AXP2101, or a rail cannot give a voltage."""


class AXP2101:
    """The chip on ``i2c``. Raises AXP2101Error when another one answers, OSError when none."""

    def __init__(self, i2c):
        self._i2c = i2c
        found = self._read(_CHIP_ID)
        if found != _ME:
            raise AXP2101Error("0x34 answers as chip 0x%02x: 0x4a is an AXP2101" % found)

    def on(self, rail, millivolts):
        """Set a rail's voltage, then switch it on."""
        enable, bit, register = RAILS[rail]
        code = voltage_code(rail, millivolts)
        self._write(register, self._read(register) & ~_mask(rail) | code)
        self._write(enable, self._read(enable) | 1 << bit)

    def off(self, rail):
        """Switch a rail off."""
        enable, bit, _ = RAILS[rail]
        self._write(enable, self._read(enable) & ~(1 << bit))

    def rest(self):
        """Switch every rail but the processor's off, and the charge light; charging continues."""
        self._write(_DC_ENABLE, self._read(_DC_ENABLE) & 0xE1)
        self._write(_LDO_ENABLE, 0)
        self._write(_LDO2_ENABLE, self._read(_LDO2_ENABLE) & ~0x01)
        self._write(_CHARGE_LED, _LED_MANUAL_OFF)
        self._write(_ADC_ENABLE, self._read(_ADC_ENABLE) & ~_ADC_VBAT)

    def without_thermistor(self):
        """Let it charge with no thermistor on TS: nothing then stops charging below 0 degC."""
        self._write(_TS_PIN, self._read(_TS_PIN) & 0xF0 | _TS_EXTERNAL)

    def battery_mv(self):
        """Millivolts of the cell, 0 without one."""
        self._write(_ADC_ENABLE, self._read(_ADC_ENABLE) | _ADC_VBAT)
        high, low = self._i2c.readfrom_mem(_ADDRESS, _VBAT, 2)
        return battery_mv(high, low)

    def _read(self, register):
        return self._i2c.readfrom_mem(_ADDRESS, register, 1)[0]

    def _write(self, register, value):
        self._i2c.writeto_mem(_ADDRESS, register, bytes((value & 0xFF,)))


def battery_mv(high, low):
    """Millivolts of the two ADC bytes: 13 bits."""
    return (high & 0x1F) << 8 | low


def voltage_code(rail, millivolts):
    """The code of a rail's voltage register. Raises AXP2101Error outside its range."""
    if rail == "dc3" and 1600 <= millivolts <= 3400:
        return 88 + (millivolts - 1600) // 100
    if rail == "dc5" and 1400 <= millivolts <= 3700:
        return (millivolts - 1400) // 100
    if rail[:4] in ("aldo", "bldo") and 500 <= millivolts <= 3500:
        return (millivolts - 500) // 100
    raise AXP2101Error("%s cannot give %d mV" % (rail, millivolts))


def _mask(rail):
    return 0x7F if rail == "dc3" else 0x1F
