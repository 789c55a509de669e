"""The board's connection to its host: one call at a time, a length and a JSON object each way.

It also has the board's two clocks. Ticks run in real time, but a sleep lasts exactly as long as
asked for, and while interrupts are off only the modelled time of pin accesses passes: delays of the
host machine do not disturb the chip's timing. The real-time clock is the host's scaled clock plus
this board's own error, so that a fleet at 120x has the time of its gateway.
"""

import gc
import json

import utime as _time
from micropython import const

_TICKS_MASK = const((1 << 30) - 1)  # an ESP32's ticks wrap at 2^30
_HALT_CODE = const(42)

boot = {}
wake = {"pins": [], "level": 1, "ext0": None}
_wire = None
_passed_us = 0  # device time since this boot, up to _real_at_us
_modelled_us = 0  # the part of it that sleeping and pins took
_real_at_us = 0
_undisturbed = 0


def begin(number):
    """Receive the host's greeting: clock, reset cause, pins, and state that outlives a boot."""
    global _wire, _real_at_us
    _wire = open(number, "r+b", buffering=0)
    boot.update(_receive())
    _real_at_us = _time.ticks_us()


def call(op, **arguments):
    """Ask the host; its answer's ``value``. An ``errno`` in the answer is raised as OSError."""
    _send(op, arguments)
    answer = _receive()
    if "errno" in answer:
        raise OSError(answer["errno"])
    return answer.get("value")


def last_word(op, **arguments):
    """Send a last call and stop as without power: no ``finally``, no clean-up, no return."""
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


def device_us():
    """Microseconds of device time since this boot; they do not wrap."""
    global _passed_us, _real_at_us
    if not _undisturbed:
        real_us = _time.ticks_us()
        _passed_us += (real_us - _real_at_us) & _TICKS_MASK  # with 32-bit words these wrap, too
        _real_at_us = real_us
    return _passed_us


def modelled_us():
    """Device time of sleeps and pin accesses, without delays of the host."""
    return _modelled_us


def ticks_us():
    """Microseconds of device time since this boot, wrapping as the chip's do."""
    return device_us() & _TICKS_MASK


def ticks_ms():
    """Milliseconds of device time since this boot, wrapping as the chip's do."""
    return (device_us() // 1000) & _TICKS_MASK


def interrupts(state):
    """Switch interrupts, and delays of the host, off (1) or on (0). Returns the former state."""
    global _undisturbed, _real_at_us
    before = _undisturbed
    if before:
        _real_at_us = _time.ticks_us()  # skips the time that the host took
    else:
        device_us()
    _undisturbed = state
    return before


def charge_us(us):
    """Add the modelled time of an operation on the chip."""
    global _passed_us, _modelled_us
    _passed_us += us
    _modelled_us += us


def sleep_us(us):
    """Let device time pass, in a real time that the host's speed divides."""
    global _real_at_us
    if us <= 0:
        return
    device_us()
    real_us = int(us / boot["speed"])
    if real_us:
        _time.sleep_us(real_us)
    _real_at_us = _time.ticks_us()
    charge_us(us)


def unix_ns():
    """The board's real-time clock in Unix nanoseconds."""
    return sim_ns() + int(boot["offset_s"] * 1e9)


def sim_ns():
    """The host's scaled clock: the time in the world around the board."""
    real = _time.time_ns()
    origin = int(boot["origin"] * 1e9)
    return origin + int((real - origin) * boot["speed"])


def set_unix(unix_s):
    """Step the board's real-time clock."""
    boot["offset_s"] = unix_s - sim_ns() / 1e9
    call("clock", offset_s=boot["offset_s"])


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
