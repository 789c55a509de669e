"""Battery voltage behind a divider."""

from micropython import const

_TIMES = const(9)


class Battery:
    """``adc`` reads microvolts, calibrated by the chip's fuses; ``divider`` is the ratio."""

    def __init__(self, adc, divider):
        self._adc = adc
        self._divider = divider

    def read_mv(self):
        """Millivolts of the cell: the middle of nine reads, since a radio's pulses make spikes."""
        microvolts = sorted(self._adc.read_uv() for _ in range(_TIMES))[_TIMES // 2]
        return microvolts * self._divider // 1000
