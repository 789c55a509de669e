"""The board's only wire to its host: one call at a time, a length and a JSON object each way.

It also holds the board's two clocks. Ticks run in real time plus whatever sleeping skipped. The
real-time clock is the host's scaled clock plus this board's own error, so that a fleet at 120x
agrees with its gateway about what time it is.
"""

import gc
import json

try:
    import utime as _time
except ImportError:  # CPython
    import time as _time

_TICKS_MASK = (1 << 30) - 1  # an ESP32's ticks wrap at 2^30
_HALT_CODE = 42

boot = {}
wake = {"pins": [], "level": 1, "ext0": None}
_wire = None
_skipped_us = 0
_start_us = 0


def _real_us():
    if hasattr(_time, "ticks_us"):
        return _time.ticks_us()
    return _time.monotonic_ns() // 1000


def begin(number):
    """Take the host's greeting: clock, reset cause, pins, what the last boot left behind."""
    global _wire, _start_us
    _wire = open(number, "r+b", buffering=0)
    boot.update(_receive())
    _start_us = _real_us()


def call(op, **arguments):
    """Ask the host; its answer's ``value``. An ``errno`` in the answer is raised as OSError."""
    _send(op, arguments)
    answer = _receive()
    if "errno" in answer:
        raise OSError(answer["errno"])
    return answer.get("value")


def last_word(op, **arguments):
    """Tell the host and stop as power does: no ``finally``, no clean-up, no return."""
    _send(op, arguments)
    halt()


def halt():
    """End this process at once; the host decides what the board does next."""
    try:
        import ffi

        ffi.open(None).func("v", "_exit", "i")(_HALT_CODE)
    except ImportError:  # CPython
        import os

        os._exit(_HALT_CODE)


def ticks_us():
    """Microseconds of device time since this boot, wrapping as the chip's do."""
    return (_real_us() - _start_us + _skipped_us) & _TICKS_MASK


def ticks_ms():
    """Milliseconds of device time since this boot, wrapping as the chip's do."""
    return ((_real_us() - _start_us + _skipped_us) // 1000) & _TICKS_MASK


def skipped_us():
    """Device time that only sleeping made: no delay of the host machine is in it."""
    return _skipped_us


def sleep_us(us):
    """Let device time pass, in a real time that the host's speed divides."""
    global _skipped_us
    if us <= 0:
        return
    real_us = int(us / boot["speed"])
    if real_us:
        _real_sleep_us(real_us)
    _skipped_us += us - real_us


def unix_ns():
    """The board's real-time clock in Unix nanoseconds, as far as the board knows it."""
    return sim_ns() + int(boot["offset_s"] * 1e9)


def sim_ns():
    """The host's scaled clock: what time it is in the world around the board."""
    real = _time.time_ns()
    origin = int(boot["origin"] * 1e9)
    return origin + int((real - origin) * boot["speed"])


def set_unix(unix_s):
    """Step the board's real-time clock."""
    boot["offset_s"] = unix_s - sim_ns() / 1e9
    call("clock", offset_s=boot["offset_s"])


def _real_sleep_us(us):
    if hasattr(_time, "sleep_us"):
        _time.sleep_us(us)
    else:
        _time.sleep(us / 1e6)


def _send(op, arguments):
    arguments["op"] = op
    arguments["ms"] = ticks_ms()
    if boot.get("weigh"):
        gc.collect()
        arguments["heap"] = gc.mem_alloc()
    body = json.dumps(arguments).encode()
    try:
        _wire.write(len(body).to_bytes(4, "big") + body)
    except OSError:  # the host is gone, and with it the board
        halt()


def _receive():
    return json.loads(_read(int.from_bytes(_read(4), "big")))


def _read(count):
    held = b""
    while len(held) < count:
        try:
            part = _wire.read(count - len(held))
        except OSError:
            part = b""
        if not part:  # the host is gone, and with it the board
            halt()
        held += part
    return held
