"""A02YYUW ultrasonic range finder over UART, 9600 8N1 (DFRobot SEN0311 datasheet).

It sends unasked every 100 ms (processed values: 300 ms), 30 to 4500 mm in steps of 1 mm, 0 for no
echo. It corrects for temperature. The A02YYTW, which looks alike, sends a value for each byte that
it receives (DYP, *A02 output interfaces*, UART controlled). The A02YYUW must not get any: a low RX
selects its real-time values.
"""

from micropython import const

from drivers import SensorError, frames

_FIRST_WAIT_MS = const(1000)  # power up, then a whole period
_WAIT_MS = const(400)  # longer than the slowest period
_ASK = const(b"\x55")


class A02YYUWError(SensorError):
    """``missing``: no byte in time. ``garbage``: bytes, but no valid frame."""


class A02YYUW:
    """The sensor on ``uart``, whose reads return at once; ``ask`` for one that waits for a byte."""

    quantity = "mm"
    lowest, highest = 30, 4500
    blind_mm = 0  # nearer than its range it reports its nearest, not a false distance
    window = 30  # +-5 mm of the sensor from ping to ping, +-10 mm of ripples

    def __init__(self, uart, ask=b""):
        self._frames = frames.Frames(uart, A02YYUWError, ask)
        self._wait_ms = _FIRST_WAIT_MS

    def read(self):
        """Millimetres to the water, or None for no echo. Raises A02YYUWError."""
        wait_ms, self._wait_ms = self._wait_ms, _WAIT_MS
        return distance_mm(self._frames.next(wait_ms))


def distance_mm(frame):
    """Millimetres of a valid frame; None outside the range (0 is the sensor's *no echo*)."""
    mm = frames.distance(frame)
    return mm if A02YYUW.lowest <= mm <= A02YYUW.highest else None


def fitted(board, config):
    """The sensor on ``board`` (board/firebeetle.py), set up by ``config``."""
    return A02YYUW(board.uart(), _ASK if config.mode == "asked" else b"")
