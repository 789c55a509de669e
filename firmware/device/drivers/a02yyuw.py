"""A02YYUW ultrasonic range finder over UART, 9600 8N1 (DFRobot SEN0311 datasheet).

Frame: FF, distance high, distance low, sum of the three modulo 256. It sends by itself, every
100 ms (processed values: 300 ms), 30 to 4500 mm in steps of 1 mm. It corrects for temperature.
"""

import time

QUANTITY = "mm"
_START = 0xFF
_FRAME = 4
_NEAREST_MM, _FARTHEST_MM = 30, 4500
_WAIT_MS = 400  # longer than the slowest period
_POLL_MS = 2


class A02YYUW:
    """The sensor on ``uart``, whose reads return at once."""

    quantity = QUANTITY

    def __init__(self, uart):
        self._uart = uart
        self._bytes = b""

    def read(self):
        """Millimetres to the water, or None: no echo, no valid frame within 400 ms."""
        start = time.ticks_ms()
        while True:
            while len(self._bytes) >= _FRAME:
                frame, self._bytes = split(self._bytes)
                if frame:
                    return distance_mm(frame)
            self._bytes += self._uart.read() or b""
            if len(self._bytes) >= _FRAME:
                continue
            if time.ticks_diff(time.ticks_ms(), start) >= _WAIT_MS:
                return None
            time.sleep_ms(_POLL_MS)


def split(data):
    """(frame or None, rest): skips one byte where no right frame starts."""
    frame = data[:_FRAME]
    if frame[0] == _START and sum(frame[:3]) & 0xFF == frame[3]:
        return frame, data[_FRAME:]
    return None, data[1:]


def distance_mm(frame):
    """Millimetres of a right frame; None outside the range (0 is the sensor's *no echo*)."""
    mm = frame[1] << 8 | frame[2]
    return mm if _NEAREST_MM <= mm <= _FARTHEST_MM else None
