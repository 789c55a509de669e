"""JSN-SR04T ultrasonic range finder (module V3.0, manual *JSN-SR04T operating modes*).

R27 open: a pulse of 10 us or more on TRIG starts it, ECHO is high for the time of flight; without
an echo for about 60 ms. R27 47k: it sends FF H L SUM at 9600 baud every 100 ms, in mm; 120k: the
same after a byte 0x55. All modes use the same two pins. 200 to 6000 mm, beam 75 degrees.

The AJ-SR04M is sold under the same name. R19 open: as above; 120k: frames each 120 ms; 47k: one
after a byte 0x01. Its makers' sum is H + L with or without FF, board by board. Text (R27 470k, R19
0), switch and low-power pulse modes are not read.

Nearer than 200 mm it reports *farther*, since it receives only a later bounce: see
``node/measure/plausibility.py``. It does not correct for temperature: the distance is the one at
20 degC, and the gateway corrects it.
"""

import time

from micropython import const

from drivers import SensorError, frames

_TRIGGER_US = const(20)
_PAUSE_MS = const(60)  # between pings: the last one's late bounces die away
_ECHO_US = const(36_000)  # 6 m and back
_TENTHS_OF_UM_PER_US = const(1716)  # half of 343.2 m/s, at 20 degC
_ASK = const(b"\x55")
_AJ_ASK = const(b"\x01")
_FIRST_WAIT_MS = const(1000)
_WAIT_MS = const(300)
_NEVER_BEGAN = const(-2)  # machine.time_pulse_us; -1: it did not end in time


class JSNSR04TError(SensorError):
    """``missing``: no pulse, or no byte. ``garbage``: bytes, but no valid frame."""


class _JSN:
    quantity = "mm"
    lowest, highest = 200, 6000
    blind_mm = 200
    window = 30  # as the A02YYUW's


class PulseJSNSR04T(_JSN):
    """The sensor in its pulse mode. ``trigger`` is an output; ``pulse_us(timeout_us)`` returns the
    length of the next high pulse on ECHO, as ``machine.time_pulse_us``.
    """

    def __init__(self, trigger, pulse_us):
        self._trigger = trigger
        self._pulse_us = pulse_us

    def read(self):
        """Millimetres to the water at 20 degC, or None for no echo. Raises JSNSR04TError."""
        time.sleep_ms(_PAUSE_MS)
        self._trigger.value(1)
        time.sleep_us(_TRIGGER_US)
        self._trigger.value(0)
        pulse_us = self._pulse_us(_ECHO_US)
        if pulse_us == _NEVER_BEGAN:
            raise JSNSR04TError("missing", "no pulse on ECHO after a trigger")
        return in_range(flight_mm(pulse_us)) if pulse_us >= 0 else None


class SerialJSNSR04T(_JSN):
    """The sensor in its serial modes, which send frames on ``uart`` unasked or on request.

    ``aj``: it is an AJ-SR04M.
    """

    def __init__(self, uart, aj=False):
        self._frames = frames.Frames(uart, JSNSR04TError, _AJ_ASK if aj else _ASK, aj)
        self._wait_ms = _FIRST_WAIT_MS

    def read(self):
        """Millimetres to the water at 20 degC, or None for no echo. Raises JSNSR04TError."""
        wait_ms, self._wait_ms = self._wait_ms, _WAIT_MS
        return in_range(frames.distance(self._frames.next(wait_ms)))


def flight_mm(pulse_us):
    """Millimetres one way for a time of flight there and back, at 20 degC."""
    return (pulse_us * _TENTHS_OF_UM_PER_US + 5000) // 10000


def in_range(mm):
    """``mm``, or None outside the sensor's range (0 is its *no echo*)."""
    return mm if _JSN.lowest <= mm <= _JSN.highest else None


def fitted(board, config):
    """The sensor on ``board`` (board/firebeetle.py), set up by ``config``."""
    if config.mode != "pulse":
        return SerialJSNSR04T(board.uart(), config.mode == "aj-sr04m")
    trigger, echo = board.line("sensor_tx", out=True), board.line("sensor_rx")
    return PulseJSNSR04T(trigger, lambda most_us: board.pulse_us(echo, most_us))
