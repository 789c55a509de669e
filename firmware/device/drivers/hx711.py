"""HX711 24-bit ADC for load cells (AVIA Semiconductor datasheet, *Serial Interface*).

DOUT falls when a conversion is ready (10 a second); 24 clocks read it, most significant bit
first, a 25th selects channel A with gain 128 for the next one.
"""

import time

QUANTITY = "g"
_READY_MS = 450  # four times the settling time at 10 samples a second
_POLL_MS = 2
_SATURATED = (0x7FFFFF, -0x800000)


class HX711:
    """The chip on two pins. ``zero``: counts of the bare platform."""

    quantity = QUANTITY

    def __init__(self, data, clock, zero, counts_per_kg):
        self._data = data
        self._clock = clock
        self._zero = zero
        self._counts_per_kg = counts_per_kg

    def read(self):
        """Grams on the platform, or None: not ready in time, or out of range."""
        counts = self.read_counts()
        return None if counts is None else grams(counts, self._zero, self._counts_per_kg)

    def read_counts(self):
        """The raw signed 24-bit conversion, or None when none became ready."""
        start = time.ticks_ms()
        while self._data.value():
            if time.ticks_diff(time.ticks_ms(), start) >= _READY_MS:
                return None
            time.sleep_ms(_POLL_MS)
        raw = 0
        for _ in range(24):
            raw = raw << 1 | self._bit()
        self._bit()
        return raw - (1 << 24) if raw & 0x800000 else raw

    def _bit(self):
        # High for over 60 us powers the chip down; two calls take about 10.
        self._clock.value(1)
        self._clock.value(0)
        return self._data.value()


def grams(counts, zero, counts_per_kg):
    """Grams for ``counts``, rounded; None when the converter is saturated."""
    if counts in _SATURATED:
        return None
    return ((counts - zero) * 1000 + counts_per_kg // 2) // counts_per_kg
