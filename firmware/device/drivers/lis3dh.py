"""LIS3DH accelerometer over I2C (ST DocID17530): it watches by itself during deep sleep.

INT1 is high while it moves: high-pass filtered, for two samples of 10 Hz in a row, so that a knock
does not wake the board. INT2 is high while gravity is off its rest orientation, coarsely; the angle
itself is computed from the samples. Awake, its FIFO collects 50 samples a second.
"""

from micropython import const

from drivers import SensorError

_ADDRESSES = (0x18, 0x19)
_WHO_AM_I = const(0x0F)
_ME = const(0x33)
_TEMP_CFG = const(0x1F)
_TEMPERATURE = const(0x0C)
_CTRL1 = const(0x20)
_CTRL4 = const(0x23)
_CTRL5 = const(0x24)
_REFERENCE = const(0x26)
_OUT_X = const(0x28)
_FIFO_CTRL = const(0x2E)
_FIFO_SRC = const(0x2F)
_INT2_CFG = const(0x34)
_INT2_THS = const(0x36)
_AUTO_INCREMENT = const(0x80)
_OVERRUN = const(0x40)
_LEVEL = const(0x1F)

_ARMED = const(0x2F)  # CTRL1: 10 Hz, low power, X Y Z (4 uA)
_WATCH = (
    (_CTRL5, 0x00),  # FIFO off; not latched: the pins follow the motion
    (_FIFO_CTRL, 0x00),
    (_CTRL1, _ARMED),
    (0x21, 0x01),  # CTRL2: high-pass for INT1, 0.2 Hz
    (0x22, 0x40),  # CTRL3: INT1 from generator 1
    (_CTRL4, 0x80),  # +-2 g; both bytes of one sample (the temperature needs it)
    (0x25, 0x20),  # CTRL6: INT2 from generator 2
    (0x32, 0x08),  # INT1_THS: 8 x 16 mg
    (0x33, 0x01),  # INT1_DURATION: over it for longer than one sample
    (0x30, 0x2A),  # INT1_CFG: any axis high
    (0x37, 0x0A),  # INT2_DURATION: 1 s at 10 Hz
)
_STREAM = (
    (_CTRL1, 0x47),  # 50 Hz, 10 bits
    (_FIFO_CTRL, 0x00),  # bypass empties it
    (_CTRL5, 0x40),
    (_FIFO_CTRL, 0x80),  # stream: the newest 32
)
_SAMPLE_MS = const(20)
_FIFO = const(32)
_SINE_MG = const(342)  # 1 g x sin 20 degrees
_ASKEW_MG = const(260)  # 15 degrees
_MG_PER_STEP = const(16)
_HIGH_EVENTS = (0x02, 0x08, 0x20)  # INT2_CFG: X, Y, Z high


class LIS3DHError(SensorError):
    """``missing``: it does not answer on the bus."""


class LIS3DH:
    """The chip on ``i2c``, mounted in any orientation. Raises LIS3DHError when none answers."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._address = self._find()

    def _find(self):
        for address in _ADDRESSES:
            try:
                if self._i2c.readfrom_mem(address, _WHO_AM_I, 1)[0] == _ME:
                    return address
            except OSError:
                continue  # no acknowledge from this address
        raise LIS3DHError("missing", "no LIS3DH at 0x18 or 0x19")

    @property
    def armed(self):
        """Whether it still watches: a dip of its supply resets it to power-down."""
        return self._read(_CTRL1, 1)[0] == _ARMED

    def arm(self, rest):
        """Watch for motion and tilt. ``rest``: (x, y, z) mg of gravity at rest."""
        threshold, events = tilt_watch(rest)
        self._set(_WATCH)
        self._set(((_TEMP_CFG, 0xC0), (_INT2_THS, threshold), (_INT2_CFG, events)))
        self._read(_REFERENCE, 1)  # resets the high-pass filter (*HPM*, normal mode)

    def stream(self):
        """Sample at 50 Hz into the FIFO, until ``arm``."""
        self._set(_STREAM)

    def samples(self):
        """The samples in the FIFO, oldest first: (x, y, z) mg, 20 ms apart; at most 32."""
        source = self._read(_FIFO_SRC, 1)[0]
        count = _FIFO if source & _OVERRUN else source & _LEVEL
        if not count:
            return []
        raw = self._read(_OUT_X | _AUTO_INCREMENT, 6 * count)  # rolls from Z back to X
        return [axes_mg(raw, 6 * at) for at in range(count)]

    def read_mg(self):
        """(x, y, z) mg now, while armed."""
        return axes_mg(self._read(_OUT_X | _AUTO_INCREMENT, 6), 0)

    def read_temperature(self):
        """Degrees C on a scale whose zero differs from chip to chip."""
        high = self._read(_TEMPERATURE | _AUTO_INCREMENT, 2)[1]  # left-aligned, 8 bits
        return high - 256 if high & 0x80 else high

    def _read(self, register, count):
        try:
            return self._i2c.readfrom_mem(self._address, register, count)
        except OSError as error:
            raise LIS3DHError("missing", "the LIS3DH fell silent") from error

    def _set(self, settings):
        try:
            for register, value in settings:
                self._i2c.writeto_mem(self._address, register, bytes((value,)))
        except OSError as error:
            raise LIS3DHError("missing", "the LIS3DH fell silent") from error


def axes_mg(raw, at):
    """(x, y, z) in milli-g of the six bytes from ``at`` on."""
    return tuple(milli_g(raw[at + axis], raw[at + axis + 1]) for axis in (0, 2, 4))


def milli_g(low, high):
    """Milli-g of one axis, left-aligned at +-2 g: 16 counts a mg in every resolution."""
    value = high << 8 | low
    return (value - 0x10000 if value & 0x8000 else value) // 16


def tilt_watch(rest):
    """(INT2_THS, INT2_CFG): watch the two axes most level at rest, with a threshold of 20 degrees
    past rest.

    They share one threshold: on a chip mounted far off level only the more level one is watched.
    """
    sizes = [abs(axis) for axis in rest]
    level = sorted(range(3), key=lambda axis: sizes[axis])[:2]
    if sizes[level[1]] > _ASKEW_MG:  # a threshold for both would detect nothing
        level = level[:1]
    over_mg = _SINE_MG + max(sizes[axis] for axis in level)
    events = sum(_HIGH_EVENTS[axis] for axis in level)
    return min(0x7F, (over_mg + _MG_PER_STEP - 1) // _MG_PER_STEP), events
