"""ADS1115 16-bit ADC over I2C (TI SBAS444), reading a 4-20 mA pressure probe over a resistor.

One conversion at a time: write the configuration with its start bit, wait until the bit reads 1,
read the result. +-4.096 V is 125 uV a count: over 100 ohm 1.25 uA, so that a probe's broken wire
(below 3.6 mA, NAMUR NE 43) and its short (above 21 mA) are both inside the range.
"""

import time

from micropython import const

from drivers import SensorError

_CONVERSION = const(0)
_CONFIG = const(1)
_READY = const(0x80)
# Start; AIN0 against ground; +-4.096 V; one conversion; 8 a second (that filter stops 50 Hz);
# comparator off.
_START = const(b"\xc3\x03")
_CONVERSION_MS = const(125)
_LATEST_MS = const(160)  # its clock is +-10 %
_POLL_MS = const(4)
_UV_PER_COUNT = const(125)

BROKEN_UA, SHORT_UA = 3_600, 21_000
_ZERO_UA = const(4_000)
_SPAN_UA = const(16_000)


class ADS1115Error(SensorError):
    """``missing``: it does not answer. ``stuck``: no conversion ends. ``wire``: the loop is
    broken. ``over``: more current than a probe can give.
    """


class ADS1115:
    """A probe on the ADC at ``address``: 4 mA is ``zero_pa``, 20 mA is ``full_pa``.

    ``shunt_ohm`` is the resistor from AIN0 to ground.
    """

    quantity = "pa"
    window = 80  # 8 mm of water: ripples reach a probe weakened
    blind_mm = 0

    def __init__(self, i2c, full_pa, shunt_ohm=100, zero_pa=0, address=0x48):
        self._i2c = i2c
        self._address = address
        self._shunt_ohm = shunt_ohm
        self._zero_pa = zero_pa
        self._full_pa = full_pa
        # Out of the water a probe may read a little below its zero.
        self.lowest, self.highest = zero_pa - full_pa // 40, full_pa + full_pa // 16

    def read(self):
        """Gauge pressure in pascals. Raises ADS1115Error."""
        microamps = loop_ua(self.read_raw(), self._shunt_ohm)
        if microamps < BROKEN_UA:
            raise ADS1115Error("wire", "%d uA: the loop is broken" % microamps)
        if microamps > SHORT_UA:
            raise ADS1115Error(
                "over", "%d uA: the loop is shorted, or the probe broken" % microamps
            )
        return pressure_pa(microamps, self._zero_pa, self._full_pa)

    def read_raw(self):
        """One conversion, a signed 16-bit count. Raises ADS1115Error."""
        try:
            self._i2c.writeto_mem(self._address, _CONFIG, _START)
            time.sleep_ms(_CONVERSION_MS)
            start = time.ticks_ms()
            while not self._i2c.readfrom_mem(self._address, _CONFIG, 2)[0] & _READY:
                if time.ticks_diff(time.ticks_ms(), start) >= _LATEST_MS:
                    raise ADS1115Error("stuck", "no conversion in %d ms" % _LATEST_MS)
                time.sleep_ms(_POLL_MS)
            return count(self._i2c.readfrom_mem(self._address, _CONVERSION, 2))
        except OSError as error:
            raise ADS1115Error("missing", "no ADS1115 at 0x%02x" % self._address) from error


def count(two_bytes):
    """The signed count of a conversion register, high byte first."""
    raw = two_bytes[0] << 8 | two_bytes[1]
    return raw - 0x10000 if raw & 0x8000 else raw


def loop_ua(counts, shunt_ohm):
    """Microamperes through ``shunt_ohm``, rounded down."""
    return counts * _UV_PER_COUNT // shunt_ohm


def pressure_pa(microamps, zero_pa, full_pa):
    """Pascals on the line from (4 mA, ``zero_pa``) to (20 mA, ``full_pa``), rounded."""
    span = (microamps - _ZERO_UA) * (full_pa - zero_pa)
    return zero_pa + (span + _SPAN_UA // 2) // _SPAN_UA


def fitted(board, config):
    """The probe on ``board`` (board/firebeetle.py), set up by ``config``."""
    time.sleep_ms(config.probe_ms)  # its converter starts, the probe settles
    return ADS1115(board.i2c(), config.full_pa, config.shunt_ohm, config.zero_pa)
