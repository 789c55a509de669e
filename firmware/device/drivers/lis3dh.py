"""LIS3DH accelerometer over I2C (ST DocID17530): set up once, then it watches alone.

INT1 is high while it moves (high-pass filtered), INT2 while gravity lies off its rest axis.
"""

from micropython import const

_ADDRESSES = (0x18, 0x19)
_WHO_AM_I, _ME = const(0x0F), const(0x33)
_OUT_X = const(0x28)
_AUTO_INCREMENT = const(0x80)
_SETUP = (
    (0x20, 0x2F),  # CTRL1: 10 Hz, low power, X Y Z (4 uA)
    (0x21, 0x01),  # CTRL2: high-pass for INT1
    (0x22, 0x40),  # CTRL3: INT1 from generator 1
    (0x23, 0x00),  # CTRL4: +-2 g
    (0x24, 0x00),  # CTRL5: not latched: the pins follow the motion
    (0x25, 0x20),  # CTRL6: INT2 from generator 2
    (0x32, 0x08),  # INT1_THS: 8 x 16 mg
    (0x33, 0x00),  # INT1_DURATION
    (0x30, 0x2A),  # INT1_CFG: any axis high
    (0x36, 0x15),  # INT2_THS: 21 x 16 mg = sin 20 deg, on the two axes level at rest
    (0x37, 0x0A),  # INT2_DURATION: 1 s at 10 Hz
    (0x34, 0x0A),  # INT2_CFG: X or Y high
)


class NotFoundError(Exception):
    """No LIS3DH answers on the bus."""


class LIS3DH:
    """The chip on ``i2c``, mounted level with Z up."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._address = self._find()
        for register, value in _SETUP:
            i2c.writeto_mem(self._address, register, bytes((value,)))

    def _find(self):
        for address in _ADDRESSES:
            try:
                if self._i2c.readfrom_mem(address, _WHO_AM_I, 1)[0] == _ME:
                    return address
            except OSError:
                continue  # no acknowledge from this address
        raise NotFoundError("no LIS3DH at 0x18 or 0x19")

    def read_mg(self):
        """(x, y, z) in milli-g."""
        raw = self._i2c.readfrom_mem(self._address, _OUT_X | _AUTO_INCREMENT, 6)
        return tuple(milli_g(raw[at], raw[at + 1]) for at in (0, 2, 4))


def milli_g(low, high):
    """Milli-g of one axis: 8 bits, left-aligned, 16 mg a digit at +-2 g in low power."""
    value = (high << 8 | low) >> 8
    return (value - 256 if value & 0x80 else value) * 16
