"""Decodes the usual message fast: compact JSON without nulls, events or unusual numbers.

``strict`` and ``fields`` accept everything that is accepted here, with the same values; the rest is
left to them, and they name the fault. This takes an eighth of their time (3.4 and 26 us).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.domain.message import Message, Quantity, RawReading, TimeSource
from gateway.wire.fields import MAX_COUNTER, MAX_FW, MAX_PROMISE_S
from gateway.wire.strict import MAX_DEPTH, MAX_INTEGER

_Natural = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
_Number = Annotated[int, Meta(ge=1, le=MAX_COUNTER)]
_Count = Annotated[int, Meta(ge=0, le=MAX_COUNTER)]
_Signed = Annotated[int, Meta(ge=-MAX_COUNTER, le=MAX_COUNTER)]


class _Reading(msgspec.Struct, kw_only=True, gc=False):
    """A reading's fields in WIRE.md's order; only a value may be null."""

    o: _Natural
    mm: _Count | UnsetType | None = UNSET
    g: _Signed | UnsetType | None = UNSET
    pa: _Signed | UnsetType | None = UNSET
    sp: _Count | UnsetType = UNSET
    n: _Count | UnsetType = UNSET
    of: _Count | UnsetType = UNSET
    tc: _Signed | UnsetType = UNSET
    ch: _Count | UnsetType = UNSET


class FastMessage(msgspec.Struct, kw_only=True, gc=False):
    """A well-formed message without events; WIRE.md's fields in their order."""

    v: Annotated[int, Meta(ge=1, le=1)]
    fw: Annotated[str, Meta(pattern=rf"^[ !#-\[\]-~]{{0,{MAX_FW}}}$")]
    era: Annotated[str, Meta(pattern="^[a-z2-7]{8}$")]
    boot: _Number
    seq: _Number
    prev: Annotated[str, Meta(pattern="^(?:[A-Za-z0-9_-]{22})?$")]
    up: _Natural
    t: _Natural
    ts: TimeSource
    ta: _Natural | UnsetType = UNSET
    next: Annotated[int, Meta(ge=0, le=MAX_PROMISE_S)]
    old: tuple[_Number, _Number]
    k: _Number | UnsetType = UNSET
    mv: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    rssi: Annotated[int, Meta(ge=-1000, le=1000)] | UnsetType = UNSET
    sg: Any = UNSET
    r: list[_Reading]
    e: Annotated[list[Any], Meta(max_length=0)] | UnsetType = UNSET

    @property
    def signed(self) -> bool:
        """Whether a signature follows."""
        return type(self.sg) is int and self.sg == 1

    @property
    def generation(self) -> int:
        """The key generation."""
        return 1 if self.k is UNSET else self.k

    def message(self, device: str) -> Message:
        """The message of ``device``."""
        return Message(
            device, self.fw, self.era, self.boot, self.seq, self.prev, self.up, self.t, self.ts,
            self.next, self.old, _or_none(self.ta), self.generation, _or_none(self.mv),
            _or_none(self.rssi), self.signed, tuple([_reading(reading) for reading in self.r]),
        )  # fmt: skip


_typed = msgspec.json.Decoder(FastMessage).decode
_plain: Callable[[bytes], Any] = msgspec.json.Decoder().decode
_written = msgspec.json.Encoder().encode
_TELLING = (b".", b"e", b"E", b"\\")
"""Of a number or an escape that is not written as usual."""
# The constructor of a NamedTuple takes twice as long.
_new = cast(
    "Callable[[type[RawReading], tuple[object, ...]], RawReading]", cast(object, tuple).__new__
)
_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
# -0, a fraction, an exponent, or digits enough for 2^53.
_ODD_NUMBER = re.compile(rb"-0|[0-9][.eE]|[0-9]{16}")


def decode_fast(object_bytes: bytes) -> FastMessage | None:
    """The message in OBJECT, or None where only ``strict`` and ``fields`` can decide."""
    try:
        found = _typed(object_bytes)
        if not _is_written(found, object_bytes):
            return None
    except (ValueError, RecursionError):  # of which msgspec's and UTF-8's errors are kinds
        return None
    for reading in found.r:
        others = (reading.g is UNSET) + (reading.pa is UNSET)
        if others != (1 if reading.mm is UNSET else 2):
            return None
    return found


def _is_written(found: FastMessage, object_bytes: bytes) -> bool:
    """Whether OBJECT has no unknown or duplicate name, no blank, no -0: ``strict`` accepts it.

    Encoded again, ``found`` is then OBJECT, or OBJECT with its fields in another order. Any other
    OBJECT is longer, or holds an exponent.
    """
    again = _written(found)
    if again == object_bytes:
        return True
    if len(again) == len(object_bytes) and type(found.sg) in (int, UnsetType):
        return all(object_bytes.count(odd) == again.count(odd) for odd in _TELLING)
    return _sound(object_bytes)


def _sound(object_bytes: bytes) -> bool:
    """The same for an OBJECT with unknown names, by its structure."""
    text = object_bytes.decode("ascii")
    if not text.isprintable() or "\\" in text or _written(_plain(object_bytes)) != object_bytes:
        return False
    # Without backslashes a string runs from quote to quote; the rest is structure and numbers.
    structure = b"".join(object_bytes.split(b'"')[::2])
    if _ODD_NUMBER.search(structure):
        return False
    return _shallow(structure.translate(None, _NOT_BRACKETS))


@lru_cache(maxsize=256)
def _shallow(brackets: bytes) -> bool:
    """Whether brackets, as in ``{[][{}]}``, nest no deeper than is allowed."""
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest <= MAX_DEPTH


def _or_none(value: int | UnsetType) -> int | None:
    return None if value is UNSET else value


def _reading(given: _Reading) -> RawReading:
    quantity: Quantity = "mm"
    value = given.mm
    if value is UNSET:
        quantity, value = ("pa", given.pa) if given.g is UNSET else ("g", given.g)
    spread, valid, tried, air_dc, channel = given.sp, given.n, given.of, given.tc, given.ch
    found = (
        given.o, quantity, None if value is UNSET else value, None if spread is UNSET else spread,
        None if valid is UNSET else valid, None if tried is UNSET else tried,
        None if air_dc is UNSET else air_dc, 0 if channel is UNSET else channel,
    )  # fmt: skip
    return _new(RawReading, found)
