"""Counts exceptions of radio, bus and flash until an event reports them.

Drivers and radios raise classes of any kind: MicroPython's Wi-Fi has RuntimeError ("Wifi Unknown
Error 0x0101") and MemoryError beside OSError. None of them may silence the node.
"""

from micropython import const

_RADIO = const(0)  # 1: bus, 2: flash; each module has its own const, which takes no heap
_PARTS = const("radio bus flash")
_NAME = const(12)
_SIZE = const(13)


def add(state, part, error):
    """Count ``error`` of ``part``, and print it. A radio's OSError is no fault: a network that is
    away raises it."""
    print(_PARTS.split()[part] + ":", repr(error))
    if part == _RADIO and isinstance(error, OSError):
        return
    at = part * _SIZE
    kept, name = bytes(state.mishaps), type(error).__name__.encode()[:_NAME]
    n = min((kept[at] if kept else 0) + 1, 255)
    one = bytes((n,)) + name + bytes(_NAME - len(name))
    kept = kept or bytes(3 * _SIZE)
    state.mishaps = kept[:at] + one + kept[at + _SIZE :]


def report(state):
    """The members of an event ``fault`` for each part that failed: class of the last, how many.

    They are not counted any more.
    """
    kept, fields = bytes(state.mishaps), []
    if any(kept):
        for part, name in enumerate(_PARTS.split()):
            at = part * _SIZE
            if kept[at]:
                c = kept[at + 1 : at + _SIZE].rstrip(b"\0").decode()
                fields.append('"k":"fault","s":"%s","c":"%s","n":%d' % (name, c, kept[at]))
        state.mishaps = bytes(3 * _SIZE)
    return fields
