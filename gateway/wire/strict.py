"""Strict JSON: accepts what WIRE.md allows in an OBJECT and nothing else.

``msgspec`` decodes fast but accepts duplicate names, escaped names, ``-0`` and integers of any
length, and raises RecursionError on deep nesting. This module checks all of that.
"""

import re
from typing import cast

import msgspec

JsonObject = dict[str, object]

MAX_DEPTH = 4
MAX_INTEGER = 2**53 - 1


class Malformed(Exception):
    """An OBJECT breaks a rule; ``reason`` is the leaf's ``flag``: one word of ``[a-z_]``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


_OUTSIDE = re.compile(rb"[^\x20-\x7e]")
_STRING = re.compile(rb'"[^"]*"')
_NAME = re.compile(rb'" *:')
_MINUS_ZERO = re.compile(rb"-0")


def parse(object_bytes: bytes) -> JsonObject:
    """The names and values of one OBJECT. Raises Malformed."""
    if _OUTSIDE.search(object_bytes):
        raise Malformed("bytes", "only 0x20-0x7e may be in an object")
    if b"\\" in object_bytes:
        raise Malformed("backslash")
    if not (object_bytes.startswith(b"{") and object_bytes.endswith(b"}")):
        raise Malformed("json", "not one object from { to }")
    try:
        value: object = msgspec.json.decode(object_bytes)
    except RecursionError as error:
        raise Malformed("depth") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed("json", str(error)) from error
    # Without backslashes a string runs from quote to quote; the rest is structure and numbers.
    structure = _STRING.sub(b'"', object_bytes)
    if _MINUS_ZERO.search(structure):
        raise Malformed("number", "-0")
    if _names(value, 1) != len(_NAME.findall(structure)):
        raise Malformed("duplicate_name")
    return cast(JsonObject, value)


def _names(value: object, depth: int) -> int:
    """The number of names in ``value``. Raises Malformed for its depth or a number."""
    if isinstance(value, dict):
        inside = cast(JsonObject, value)
        _check_depth(depth)
        return len(inside) + sum(_names(v, depth + 1) for v in inside.values())
    if isinstance(value, list):
        _check_depth(depth)
        return sum(_names(v, depth + 1) for v in cast(list[object], value))
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > MAX_INTEGER):
        raise Malformed("number", f"{value!r:.40} is not an integer within 2^53-1")
    return 0


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Malformed("depth", f"deeper than {MAX_DEPTH}")
