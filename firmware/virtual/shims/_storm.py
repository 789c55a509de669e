"""Exceptions of random classes in calls of radio, bus and flash, as the host asks for them.

Starts the board in place of ``_start``. Seeded: a boot's number and the storm's seed give the same
exceptions again. Each is printed, so that a test knows what was raised where.
"""

import io
import socket as _real
import sys

from micropython import const

import _hal
import esp32
from _flash import Flash

_GET_FILENO = const(10)


class Unknown(Exception):
    """A class that no firmware has ever seen."""


_RAISED = (
    lambda: OSError(110),
    lambda: OSError(0x101, "ESP_ERR_NO_MEM"),
    lambda: OSError("Wifi Internal State Error"),
    lambda: RuntimeError("Wifi Unknown Error 0x0101"),
    lambda: MemoryError("memory allocation failed, allocating 4096 bytes"),
    lambda: ValueError("unknown config param"),
    lambda: TypeError("can't convert to int"),
    lambda: AttributeError("no such attribute"),
    lambda: KeyError("rssi"),
    lambda: IndexError("bytes index out of range"),
    lambda: NotImplementedError("opcode"),
    AssertionError,
    EOFError,
    StopIteration,
    UnicodeError,
    lambda: ZeroDivisionError("divide by zero"),
    lambda: OverflowError("overflow converting long int to machine word"),
    lambda: Unknown("of a driver"),
)
_PARTS = (
    ("wifi", "radio"), ("ppp", "radio"), ("ntp", "radio"), ("hostname", "radio"),
    ("socket", "radio"), ("uart", "bus"), ("i2c", "bus"), ("adc", "bus"), ("echo", "bus"),
    ("weight", "bus"), ("flash", "flash"), ("nvs", "flash"),
)  # fmt: skip
_storm = {}
_number = 0


def _begin(number, begin=_hal.begin):
    """The host's greeting has the storm."""
    global _number
    begin(number)
    _storm.update(_hal.boot.pop("storm"))
    _number = (_storm["seed"] * 2654435761 + _storm["boot"] * 40503 + 1) & 0x3FFFFFFF


def _struck(op, act):
    """``act``, or an exception in its place."""

    def acted(*given, **named):
        strike(op)
        return act(*given, **named)

    return acted


def _call(op, call=_hal.call, **arguments):
    strike(op)
    return call(op, **arguments)


def _random(below):
    """A number from 0 to before ``below``: a linear congruential generator of 30 bits."""
    global _number
    _number = (_number * 1103515245 + 12345) & 0x3FFFFFFF
    return (_number >> 8) % below


def strike(op):
    """Raise something in place of ``op``, in the storm's share of the calls of its parts, which
    are ``radio``, ``bus``, ``flash`` or single calls."""
    for prefix, part in _PARTS:
        if op.startswith(prefix):
            chosen = part in _storm["parts"] or op in _storm["parts"]
            if chosen and _random(10000) < _storm["share"] * 10000:
                error = _RAISED[_random(len(_RAISED))]()
                print("storm:", part, op, type(error).__name__)
                raise error
            return


class _Socket(io.IOBase):
    """A socket whose calls may fail."""

    def __init__(self, *given):
        strike("socket_new")
        self._socket = _real.socket(*given)

    def ioctl(self, request, argument):
        """For ``select.poll``, which asks a stream for its descriptor."""
        return self._socket.fileno() if request == _GET_FILENO else 0

    def settimeout(self, seconds):
        self._socket.settimeout(seconds)

    def setblocking(self, on):
        self._socket.setblocking(on)

    def connect(self, address):
        strike("socket_connect")
        return self._socket.connect(address)

    def recv(self, count):
        strike("socket_recv")
        return self._socket.recv(count)

    def send(self, data):
        strike("socket_send")
        return self._socket.send(data)

    def close(self):
        self._socket.close()
        strike("socket_close")


class _Module:
    """In place of the module ``socket``."""

    socket = _Socket
    SOCK_STREAM = _real.SOCK_STREAM

    @staticmethod
    def getaddrinfo(*given):
        strike("socket_name")
        return _real.getaddrinfo(*given)


sys.modules["socket"] = _Module
_hal.begin, _hal.call = _begin, _call
for _name in ("read", "program", "erase"):
    setattr(Flash, _name, _struck("flash_" + _name, getattr(Flash, _name)))
for _name in ("set_i32", "get_i32", "set_blob", "get_blob", "erase_key", "commit"):
    setattr(esp32.NVS, _name, _struck("nvs_" + _name, getattr(esp32.NVS, _name)))

import _start  # noqa: E402, F401 - runs the board
