"""Frames of four bytes over UART, as the A02YYUW and the JSN-SR04T send them: FF H L SUM.

SUM is the low byte of the sum of the three before it. On its own it lets 1 in 256 damaged frames
pass, so a frame is a sample, and only a burst of samples that agree is a reading.
"""

import time

from micropython import const

_START = const(0xFF)
_SIZE = const(4)
_HIGHEST = const(0x17)  # 6000 mm: a higher H is no distance of either sensor, and FF never one
_HELD = const(64)  # bytes: older ones of a flood are stale
_POLL_MS = const(2)


class Frames:
    """Frames off ``uart``, whose reads return at once; ``error`` is the chip's error class."""

    def __init__(self, uart, error):
        self._uart = uart
        self._error = error
        self._bytes = b""

    def next(self, wait_ms):
        """The next right frame, within ``wait_ms`` also when the line is flooded.

        Raises the chip's error: ``missing`` when nothing came, ``garbage`` when no frame did.
        """
        start = time.ticks_ms()
        heard = False
        while True:
            self._bytes = (self._bytes + (self._uart.read() or b""))[-_HELD:]
            heard = heard or bool(self._bytes)
            while len(self._bytes) >= _SIZE:
                frame, self._bytes = split(self._bytes)
                if frame:
                    return frame
            if time.ticks_diff(time.ticks_ms(), start) >= wait_ms:
                break
            time.sleep_ms(_POLL_MS)
        if heard:
            raise self._error("garbage", "bytes, but no right frame in %d ms" % wait_ms)
        raise self._error("missing", "not a byte in %d ms" % wait_ms)


def split(data):
    """(frame or None, rest): skips one byte where no right frame starts."""
    frame = data[:_SIZE]
    if frame[0] == _START and frame[1] <= _HIGHEST and sum(frame[:3]) & 0xFF == frame[3]:
        return frame, data[_SIZE:]
    return None, data[1:]


def distance(frame):
    """Millimetres of a frame; 0 is the sensors' *no echo*."""
    return frame[1] << 8 | frame[2]
