"""Bus transactions of sensors, written down after their data sheets, played to the drivers."""


class Uart:
    """Gives one chunk a read, then nothing; keeps what is written."""

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.written = b""

    def read(self):
        return self.chunks.pop(0) if self.chunks else None

    def write(self, data):
        self.written += data
        return len(data)


class I2c:
    """Plays a list of ("w", address, register, data) and ("r", address, register, data).

    Anything else than the next of them is an error of the test. Data None: no acknowledge.
    """

    def __init__(self, *transfers):
        self._left = list(transfers)

    def _next(self, kind, address, register):
        assert self._left, ("nothing more was recorded", kind, address, register)
        wanted = self._left.pop(0)
        assert wanted[:3] == (kind, address, register), (wanted, kind, address, register)
        if wanted[3] is None:
            raise OSError(19)
        return wanted[3]

    def readfrom_mem(self, address, register, count):
        data = self._next("r", address, register)
        assert len(data) == count, (register, count)
        return data

    def writeto_mem(self, address, register, data):
        wanted = self._next("w", address, register)
        assert bytes(data) == wanted, (register, data, wanted)

    @property
    def done(self):
        return not self._left


class Hx711:
    """Both wires of an HX711: conversions shift out, the most significant bit first.

    ``rises``: DOUT goes high after the 25th clock; ``slow_at``: the clock that lasts too long.
    """

    def __init__(self, *counts, rises=True, ready=True, slow_at=None, sleep_us=None):
        self._counts = list(counts)
        self._rises = rises
        self._ready = ready
        self._slow_at = slow_at
        self._sleep_us = sleep_us
        self.clocks = 0
        self.conversions = 0

    def value(self, level=None):
        if level == 1:
            self._rise()
        if level is not None:
            return None
        if 1 <= self.clocks <= 24:
            return self._counts[0] >> (24 - self.clocks) & 1
        if self.clocks == 25:
            self.clocks = 0
            self.conversions += 1
            if len(self._counts) > 1:
                self._counts.pop(0)
            return 1 if self._rises else 0
        return 0 if self._ready else 1

    def _rise(self):
        self.clocks += 1
        if self._slow_at is not None and self.clocks == self._slow_at:
            self._sleep_us(200)
            self.clocks, self._slow_at = 0, None  # powered down: it starts over
