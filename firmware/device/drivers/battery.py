"""Battery voltage behind a divider."""

_TIMES = 8


class Battery:
    """``adc`` reads microvolts, calibrated by the chip's fuses; ``divider`` is the ratio."""

    def __init__(self, adc, divider):
        self._adc = adc
        self._divider = divider

    def read_mv(self):
        """Millivolts of the cell, the mean of eight reads."""
        microvolts = sum(self._adc.read_uv() for _ in range(_TIMES)) // _TIMES
        return microvolts * self._divider // 1000
