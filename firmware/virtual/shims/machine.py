"""ESP32's ``machine`` on the host's model of the chip: docs.micropython.org, library/machine.

Only what firmware and tests use: names cost heap here, but not on the chip.
"""

import sys
import time

import _hal
from _pins import Pin, time_pulse_us  # noqa: F401

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4


def __getattr__(name):
    """``UART``, ``I2C`` or ``ADC``, loaded when used; unloaded with its last object."""
    found = getattr(__import__("_bus"), name)
    del sys.modules["_bus"]
    return found


def reset_cause():
    """Why the chip started: one of the ``*_RESET`` constants."""
    return _hal.boot["reset_cause"]


def wake_reason():
    """What ended deep sleep: one of the ``*_WAKE`` constants, 0 after any other reset."""
    return _hal.boot["wake_reason"]


def disable_irq():
    """From here on only the modelled time of pin accesses passes. Returns the former state."""
    return _hal.interrupts(1)


def enable_irq(state):
    """Restore interrupts to ``state``, as :func:`disable_irq` returned it."""
    _hal.interrupts(state)


def reset():
    """Reset the chip as its button does. No return, no ``finally``."""
    _hal.last_word("reset", cause=HARD_RESET)


def deepsleep(ms=0):
    """Halt until the timer or a wake pin restarts the chip. Only RTC memory and flash are kept."""
    _hal.last_word("deepsleep", sleep_ms=ms, **_hal.wake)


class WDT:
    """The watchdog: resets the chip unless fed within its time-out. Off in deep sleep."""

    def __init__(self, id=0, timeout=5000):
        _hal.call("wdt", timeout_ms=timeout)

    def feed(self):
        """Start the time-out again."""
        _hal.call("wdt_feed")


class RTC:
    """The clock, and the memory that is kept in deep sleep and resets but not without power."""

    def datetime(self, parts=None):
        """Get or set (year, month, day, weekday, hours, minutes, seconds, subseconds)."""
        if parts is None:
            year, month, day, hour, minute, second, weekday, _ = time.gmtime()
            subseconds = _hal.unix_ns() // 1000 % 1000000
            return (year, month, day, weekday, hour, minute, second, subseconds)
        moment = tuple(parts[0:3]) + tuple(parts[4:7])
        _hal.set_unix(time.mktime(moment) + 946684800)

    init = datetime

    def memory(self, data=None):
        """Get or set up to 2048 bytes."""
        if data is None:
            return bytes.fromhex(_hal.boot["rtc_memory"])
        if len(data) > 2048:
            raise ValueError("buffer too long")
        held = bytes(data).hex()
        _hal.boot["rtc_memory"] = held
        _hal.call("rtc_memory", data=held)
