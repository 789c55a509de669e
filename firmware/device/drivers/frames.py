"""Frames of four bytes over UART from the A02YYUW and the JSN-SR04T: FF H L SUM.

SUM is the low byte of the sum of the three before it; some AJ-SR04M leave FF out of it. It misses 1
in 256 damaged frames, so a frame is one sample of a burst, and only samples that agree make a
reading. Sensors that wait to be asked get a byte, again until they answer: after power up they may
not listen yet.
"""

import time

from micropython import const

_START = const(0xFF)
_SIZE = const(4)
_HIGHEST = const(0x17)  # 6000 mm: no sensor sends a higher H
_BUFFER = const(64)  # bytes: on a flooded line older ones are stale
_POLL_MS = const(2)
_AGAIN_MS = const(250)  # a module answers within 150 ms


class Frames:
    """Frames off ``uart``, whose reads return at once; ``error`` is the chip's error class.

    ``ask``: the byte that each frame is asked for with, if any; ``short``: whether a sum without
    FF counts as well.
    """

    def __init__(self, uart, error, ask=b"", short=False):
        self._uart = uart
        self._error = error
        self._ask = ask
        self._short = short
        self._bytes = b""

    def next(self, wait_ms):
        """The next valid frame, within ``wait_ms`` even on a flooded line.

        Raises the chip's error: ``missing`` without a byte, ``garbage`` without a valid frame.
        """
        start = asked = time.ticks_ms()
        received = False
        if self._ask:
            self._uart.write(self._ask)
        while True:
            self._bytes = (self._bytes + (self._uart.read() or b""))[-_BUFFER:]
            received = received or bool(self._bytes)
            while len(self._bytes) >= _SIZE:
                frame, self._bytes = split(self._bytes, self._short)
                if frame:
                    return frame
            now = time.ticks_ms()
            if time.ticks_diff(now, start) >= wait_ms:
                break
            if self._ask and time.ticks_diff(now, asked) >= _AGAIN_MS:
                self._uart.write(self._ask)
                asked = now
            time.sleep_ms(_POLL_MS)
        if received:
            raise self._error("garbage", "bytes, but no valid frame in %d ms" % wait_ms)
        raise self._error("missing", "not a byte in %d ms" % wait_ms)


def split(data, short=False):
    """(frame or None, rest): skips one byte where no valid frame starts. ``short``: see Frames."""
    frame = data[:_SIZE]
    if frame[0] == _START and frame[1] <= _HIGHEST:
        over = frame[3] - frame[1] - frame[2] & 0xFF  # FF, or 0 without it
        if over == _START or (short and not over):
            return frame, data[_SIZE:]
    return None, data[1:]


def distance(frame):
    """Millimetres of a frame; 0 is the sensors' *no echo*."""
    return frame[1] << 8 | frame[2]
