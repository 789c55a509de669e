"""Decodes a usual message fast: as nodes write it, its fields in any order, without events.

``strict`` and ``fields`` accept everything that is accepted here, with the same values; the rest is
left to them, and they name the fault. This takes an eighth of their time (3 and 26 us), of 150 us
that a message costs in all.
"""

from collections.abc import Callable
from typing import Annotated, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.domain.message import Message, Quantity, RawReading, TimeSource
from gateway.wire.fields import MAX_COUNTER, MAX_FW, MAX_PROMISE_S
from gateway.wire.strict import MAX_INTEGER

_Natural = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
_Number = Annotated[int, Meta(ge=1, le=MAX_COUNTER)]
_Count = Annotated[int, Meta(ge=0, le=MAX_COUNTER)]
_Signed = Annotated[int, Meta(ge=-MAX_COUNTER, le=MAX_COUNTER)]


class _Reading(msgspec.Struct, gc=False):
    """A reading's fields, in the order in which nodes write them; only a value may be null."""

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
    """A well-formed message without events, its fields in the order in which nodes write them."""

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
    sg: int | UnsetType = UNSET
    mv: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    rssi: Annotated[int, Meta(ge=-1000, le=1000)] | UnsetType = UNSET
    r: list[_Reading]
    e: Annotated[list[int], Meta(max_length=0)] | UnsetType = UNSET

    @property
    def signed(self) -> bool:
        """Whether a signature follows."""
        return self.sg == 1

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


_decode = msgspec.json.Decoder(FastMessage).decode
_encode = msgspec.json.Encoder().encode
_PLAIN = bytes(set(range(256)) - set(b'"\\-.eE'))
# The constructor of a NamedTuple takes twice as long.
_new = cast(
    "Callable[[type[RawReading], tuple[object, ...]], RawReading]", cast(object, tuple).__new__
)


def decode_fast(object_bytes: bytes) -> FastMessage | None:
    """The message in OBJECT, or None where only ``strict`` and ``fields`` can decide."""
    try:
        found = _decode(object_bytes)
    except (ValueError, RecursionError):  # of which msgspec's and UTF-8's errors are kinds
        return None
    again = _encode(found)
    if again != object_bytes and not _is_reordered(again, object_bytes):
        return None
    for reading in found.r:
        others = (reading.g is UNSET) + (reading.pa is UNSET)
        if others != (1 if reading.mm is UNSET else 2):
            return None
    return found


def _is_reordered(again: bytes, object_bytes: bytes) -> bool:
    """Whether OBJECT is ``again``, the message encoded again, with its names in another order.

    An unknown or duplicate name has quotes, an escape a backslash, an unusual number one of
    ``-.eE``: OBJECT has more of them then. Without those, blanks make it longer.
    """
    if len(again) != len(object_bytes):
        return False
    return len(again.translate(None, _PLAIN)) == len(object_bytes.translate(None, _PLAIN))


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
