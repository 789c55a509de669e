"""Fields and ranges of an ``up`` message: converts JSON to ``Message`` (WIRE.md, section 1)."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from gateway.domain.message import Message, Quantity, RawEvent, RawReading, TimeSource
from gateway.wire.strict import MAX_INTEGER, JsonObject, Malformed

MAX_COUNTER = 2**31 - 1
MAX_PROMISE_S = 604_800
MAX_FW = 24

ERA = re.compile(r"[a-z2-7]{8}")
LINK = re.compile(r"[A-Za-z0-9_-]{22}|")

_REQUIRED = ("v", "fw", "era", "boot", "seq", "prev", "up", "t", "ts", "next", "old", "r")
_OPTIONAL = ("ta", "k", "mv", "rssi")
_OF_READING = ("sp", "n", "of", "tc", "ch")
TRUSTED_ERA = "a" * 8
"""The era of recordings that name none."""
_TRUSTED: Mapping[str, object] = {"v": 1, "fw": "", "era": TRUSTED_ERA, "prev": "", "r": []}
_QUANTITIES: tuple[Quantity, ...] = ("mm", "g", "pa")
_FEED_QUANTITIES: tuple[Quantity, ...] = (*_QUANTITIES, "ml", "bp")
_SOURCES: tuple[TimeSource, ...] = ("ntp", "gnss", "net", "gw", "none")


def message_from(
    given: JsonObject, device: str, *, trust: bool = False, feed: bool = False
) -> Message:
    """The message in ``given``; ``trust`` fills what recordings lack. Raises Malformed.

    ``feed``: from an unsigned device, which may also report litres and parts of the capacity.
    """
    if trust:
        given = _trusting(given)
    for name in _REQUIRED:
        if name not in given:
            raise Malformed("missing_field", name)
    if type(given["v"]) is not int or given["v"] != 1:
        raise Malformed("version", repr(given["v"]))
    quantities = _FEED_QUANTITIES if feed else _QUANTITIES
    boot, seq = _integer(given, "boot", 1, MAX_COUNTER), _integer(given, "seq", 1, MAX_COUNTER)
    readings = _list(given, "r")
    return Message(
        device=device,
        fw=_text(given, "fw", MAX_FW),
        era=_matching(given, "era", ERA),
        boot=boot,
        seq=seq,
        prev=_matching(given, "prev", LINK),
        uptime_s=_integer(given, "up"),
        t=_integer(given, "t", -MAX_INTEGER),
        ts=cast(TimeSource, _choice(given, "ts", _SOURCES)),
        next_s=_integer(given, "next", 0, MAX_PROMISE_S),
        old=_old(given["old"]),
        ta_s=_optional(given, "ta", 0, MAX_INTEGER),
        key_generation=_optional(given, "k", 1, MAX_COUNTER) or 1,
        battery_mv=_optional(given, "mv", 0, 1_000_000),
        rssi_dbm=_optional(given, "rssi", -1000, 1000),
        signed=_signed(given),
        readings=tuple(_reading(r, quantities) for r in readings),
        events=tuple(_event(e) for e in _list(given, "e")),
        has_null=_has_null(given, _OPTIONAL) or any(_has_null(r, _OF_READING) for r in readings),
    )


def _trusting(given: JsonObject) -> JsonObject:
    """``given``, with unusable fields replaced where ``replay --trust`` does not check them."""
    filled: JsonObject = {**_TRUSTED, **given}
    for name, shape in (("era", ERA), ("prev", LINK)):
        value = filled[name]
        if not (isinstance(value, str) and shape.fullmatch(value)):
            filled[name] = _TRUSTED[name]
    filled["old"] = [filled.get("boot"), filled.get("seq")]
    filled.setdefault("ts", "ntp" if filled.get("t") else "none")
    return filled


def _integer(given: JsonObject, name: str, low: int = 0, high: int = MAX_INTEGER) -> int:
    value = given[name]
    if type(value) is not int:  # bool is an int to isinstance
        raise Malformed("bad_field", f"{name} is not an integer")
    if not low <= value <= high:
        raise Malformed("bad_field", f"{name} = {value}, not within {low}..{high}")
    return value


def _optional(given: JsonObject, name: str, low: int, high: int) -> int | None:
    return None if given.get(name) is None else _integer(given, name, low, high)


def _has_null(given: JsonObject, names: Iterable[str]) -> bool:
    """Whether any of these is null: it counts as absent, but only a reading's value may be null."""
    return any(name in given and given[name] is None for name in names)


def _text(given: JsonObject, name: str, longest: int) -> str:
    value = given[name]
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed("bad_field", f"{name} is not a text of at most {longest} characters")
    return value


def _matching(given: JsonObject, name: str, shape: re.Pattern[str]) -> str:
    value = given[name]
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise Malformed("bad_field", f"{name} is not of the form {shape.pattern}")
    return value


def _choice(given: JsonObject, name: str, allowed: Iterable[str]) -> str:
    value = given[name]
    if not isinstance(value, str) or value not in allowed:
        raise Malformed("bad_field", f"{name} is none of {', '.join(allowed)}")
    return value


def _list(given: JsonObject, name: str) -> list[JsonObject]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise Malformed("bad_field", f"{name} is not a list")
    items = cast(list[object], value)
    if not all(isinstance(item, dict) for item in items):
        raise Malformed("bad_field", f"{name} has an item that is not an object")
    return cast(list[JsonObject], items)


def _old(value: object) -> tuple[int, int]:
    old = old_from(value)
    if old is None:
        raise Malformed("bad_field", "old is not [boot, seq]")
    return old


def old_from(value: object) -> tuple[int, int] | None:
    """(boot, seq) where ``value`` is a well-formed ``old``, else None."""
    if not isinstance(value, list):
        return None
    match cast(list[object], value):
        case [int(boot), int(seq)] if is_counter(boot) and is_counter(seq):
            return boot, seq
        case _:
            return None


def is_counter(value: object) -> bool:
    """Whether ``value`` can be a ``boot`` or ``seq``."""
    return type(value) is int and 1 <= value <= MAX_COUNTER


def _signed(given: JsonObject) -> bool:
    return type(given.get("sg")) is int and given["sg"] == 1


def _reading(given: JsonObject, quantities: tuple[Quantity, ...]) -> RawReading:
    present: list[Quantity] = [q for q in quantities if q in given]
    if len(present) != 1:
        raise Malformed("bad_reading", f"exactly one of {', '.join(quantities)}")
    if "o" not in given:
        raise Malformed("bad_reading", "no o")
    (quantity,) = present
    low = 0 if quantity == "mm" else -MAX_COUNTER
    return RawReading(
        age_s=_integer(given, "o"),
        quantity=quantity,
        value=_optional(given, quantity, low, MAX_COUNTER),
        spread=_optional(given, "sp", 0, MAX_COUNTER),
        valid=_optional(given, "n", 0, MAX_COUNTER),
        tried=_optional(given, "of", 0, MAX_COUNTER),
        temperature_dc=_optional(given, "tc", -MAX_COUNTER, MAX_COUNTER),
        channel=_optional(given, "ch", 0, MAX_COUNTER) or 0,
    )


_Scalar = int | str | bool | None


def _event(given: JsonObject) -> RawEvent:
    kind = given.get("k")
    if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_FW or "o" not in given:
        raise Malformed("bad_event", "an event has o and k")
    scalars = {
        name: cast(_Scalar, value)
        for name, value in given.items()
        if name not in ("o", "k") and (value is None or isinstance(value, int | str))
    }
    return RawEvent(age_s=_integer(given, "o"), kind=kind, fields=scalars)
