"""What WIRE.md allows in an OBJECT and in an ``up`` message, written from its text alone."""

import json
import re

MAX_INTEGER = 2**53 - 1
MAX_COUNTER = 2**31 - 1
DEPTH = 4


class Wrong(Exception):
    """It breaks a rule."""


def read(text):
    """The object that ``text`` (bytes) spells. Raises Wrong."""
    if not text or not all(0x20 <= byte <= 0x7E and byte != 0x5C for byte in text):
        raise Wrong("bytes")
    if text[:1] != b"{" or text[-1:] != b"}":
        raise Wrong("ends")
    try:
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_int=_whole, parse_float=_never,
            parse_constant=_never,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise Wrong("json") from error
    if _depth(value) > DEPTH:
        raise Wrong("depth")
    return value


def is_sound(text, unsigned=False):
    """Whether ``text`` is a valid ``up`` OBJECT.

    ``unsigned``: from a third party, without a chain and perhaps with ``ml`` and ``bp``.
    """
    try:
        return _is_up(read(text), unsigned)
    except Wrong:
        return False


def _pairs(found):
    if len({name for name, _ in found}) != len(found):
        raise Wrong("names")
    return dict(found)


def _whole(digits):
    if digits == "-0" or len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise Wrong("integer")
    return int(digits)


def _never(_text):
    raise Wrong("number")


def _depth(value):
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _int(value, low=-MAX_INTEGER, high=MAX_INTEGER):
    return type(value) is int and low <= value <= high


def _counter(value):
    return _int(value, 1, MAX_COUNTER)


def _like(value, shape):
    return isinstance(value, str) and re.fullmatch(shape, value) is not None


def _is_up(up, unsigned):
    required = ("v", "fw", "era", "boot", "seq", "prev", "up", "t", "ts", "next", "old", "r")
    if any(name not in up for name in required):
        return False
    old, link = up["old"], "[A-Za-z0-9_-]{22}"
    return (
        up["v"] == 1 and type(up["v"]) is int
        and isinstance(up["fw"], str) and len(up["fw"]) <= 24
        and _like(up["era"], "[a-z2-7]{8}")
        and _counter(up["boot"]) and _counter(up["seq"])
        and _like(up["prev"], link if _has_one_before(up) and not unsigned else f"{link}|")
        and _int(up["up"], 0) and _int(up["t"], 0)
        and up["ts"] in ("ntp", "gnss", "net", "gw", "none")
        and (up["t"] == 0) == (up["ts"] == "none")
        and _int(up["next"], 0, 604800)
        and isinstance(old, list) and len(old) == 2 and all(map(_counter, old))
        and all(_int(up[name]) for name in ("ta", "k", "mv", "rssi") if name in up)
        and _all(up["r"], _is_unsigned_reading if unsigned else _is_reading)
        and _all(up.get("e", []), _is_event)
    )  # fmt: skip


def _has_one_before(up):
    return (up["boot"], up["seq"]) != (1, 1)


def _all(value, is_one):
    return isinstance(value, list) and all(isinstance(v, dict) and is_one(v) for v in value)


def _is_unsigned_reading(reading):
    return _is_reading(reading, ("mm", "g", "pa", "ml", "bp"))


def _is_reading(reading, quantities=("mm", "g", "pa")):
    values = [reading[name] for name in quantities if name in reading]
    others = [reading[name] for name in ("sp", "n", "of", "tc", "ch") if name in reading]
    return (
        _int(reading.get("o"), 0)
        and len(values) == 1 and (values[0] is None or _int(values[0]))
        and all(map(_int, others))
    )  # fmt: skip


def _is_event(event):
    return _int(event.get("o"), 0) and isinstance(event.get("k"), str) and event["k"] != ""
