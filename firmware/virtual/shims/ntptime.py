"""ESP32's ``ntptime``: the world's time, if the modelled network is up."""

import time as _time

from micropython import const

import _hal

host = "pool.ntp.org"
timeout = 1

_EPOCH_S = const(946684800)


def time():
    """Seconds since 2000-01-01; OSError(116), ETIMEDOUT, when nothing answers in time."""
    unix_s = _hal.call("ntp")
    if unix_s is None:
        _time.sleep(timeout)
        raise OSError(116)
    _time.sleep_ms(40)
    return unix_s - _EPOCH_S


def settime():
    """Set the board's clock from the network."""
    _hal.set_unix(time() + _EPOCH_S)
