"""HX711 24-bit ADC for load cells (AVIA Semiconductor datasheet, *Serial Interface*).

DOUT falls when a conversion is ready (10 a second); 24 clocks read it, most significant bit
first, a 25th selects channel A with gain 128 for the next one and raises DOUT. A clock that stays
high for over 60 us powers the chip down: interrupts are off during a pulse, every pulse is timed,
and a conversion with a long one is dropped.
"""

import time

from micropython import const

from drivers import SensorError

_READY_MS = const(450)  # the first conversion after power up takes four periods
_WARM_UP = const(4)  # conversions: the bridge warms in its excitation
_POLL_MS = const(2)
_LONGEST_US = const(50)  # of a pulse; at 60 the chip powers down
_TRIES = const(3)
_SATURATED = (0x7FFFFF, -0x800000)
_SAME = const(4)  # equal conversions in a row: the noise of a live bridge is tens of counts

_CREEP_G = const(300)
"""Drift of four cells under a steady load in four hours: a smaller change means nothing."""


class HX711Error(SensorError):
    """``missing``: never ready, or DOUT does not follow. ``timing``: pulses too long, thrice.
    ``saturated``: a cell is overloaded or off. ``stuck``: the same count again and again.
    """


class HX711:
    """The chip on two pins. ``zero``: counts of the bare platform at ``zero_tc`` (0.1 degC).

    ``drift`` is how many counts the zero moves for each degC. ``irq`` is the pair (disable,
    enable) of ``machine``'s interrupts. ``tc`` (settable) is the temperature now, None unknown.
    """

    quantity = "g"
    lowest, highest = -20_000, 1_100_000
    blind_mm = 0
    window = 400  # noise of four cells and a wooden platform

    def __init__(self, data, clock, zero, counts_per_kg, drift=0, zero_tc=200, irq=None):
        self._data = data
        self._clock = clock
        self._zero = zero
        self._counts_per_kg = counts_per_kg
        self._drift = drift
        self._zero_tc = zero_tc
        self._off, self._on = irq or (lambda: 0, lambda state: None)
        self._cold = True
        self._last, self._same = None, 0
        self.tc = None

    def read(self):
        """Grams on the platform. Raises HX711Error."""
        if self._cold:
            for _ in range(_WARM_UP):
                self.read_counts()
            self._cold = False
        counts = self.read_counts()
        if counts in _SATURATED:
            raise HX711Error("saturated", "%d counts: a cell is overloaded or off" % counts)
        self._same = self._same + 1 if counts == self._last else 1
        self._last = counts
        if self._same >= _SAME:
            raise HX711Error("stuck", "%d counts, %d times" % (counts, self._same))
        zero = self._zero + zero_shift(self._drift, self._zero_tc, self.tc)
        return grams(counts, zero, self._counts_per_kg)

    def read_counts(self):
        """The raw signed 24-bit conversion. Raises HX711Error."""
        for _ in range(_TRIES):
            self._await()
            raw = self._shift()
            if raw is not None:
                return raw - (1 << 24) if raw & 0x800000 else raw
        raise HX711Error("timing", "a clock pulse over %d us, %d times" % (_LONGEST_US, _TRIES))

    def _await(self):
        start, late = time.ticks_ms(), False
        while self._data.value():
            if late:  # a check after the deadline: a delayed program is no missing chip
                raise HX711Error("missing", "no conversion in %d ms" % _READY_MS)
            time.sleep_ms(_POLL_MS)
            late = time.ticks_diff(time.ticks_ms(), start) >= _READY_MS

    def _shift(self):
        """24 bits; None when a pulse was too long, which restarts the chip."""
        raw = 0
        for number in range(25):
            if self._pulse() > _LONGEST_US:
                return None
            if number < 24:
                raw = raw << 1 | self._data.value()
        if not self._data.value():  # a wire that is always low
            raise HX711Error("missing", "DOUT does not rise after the 25th clock")
        return raw

    def _pulse(self):
        """One clock, two calls of about 5 us; its length in us."""
        state = self._off()
        start = time.ticks_us()
        self._clock.value(1)
        self._clock.value(0)
        took_us = time.ticks_diff(time.ticks_us(), start)
        self._on(state)
        return took_us


def zero_shift(drift, zero_tc, tc):
    """Counts by which the zero moved since the tare; 0 when the temperature is unknown.

    ``drift`` counts a degC, temperatures in 0.1 degC.
    """
    return 0 if tc is None else drift * (tc - zero_tc) // 10


def grams(counts, zero, counts_per_kg):
    """Grams for ``counts``, rounded."""
    return ((counts - zero) * 1000 + counts_per_kg // 2) // counts_per_kg


def fitted(board, config):
    """The scale on ``board`` (board/firebeetle.py), set up by ``config``."""
    data, clock = board.line("hx711_data"), board.line("hx711_clock", out=True)
    scale = config.zero, config.counts_per_kg, config.drift, config.zero_tc
    return HX711(data, clock, *scale, irq=board.quiet())
