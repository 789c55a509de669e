"""From bytes to a message, or to as much of one as can be read."""

from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.domain.heard import Auth
from gateway.domain.message import Message
from gateway.journal.entry import Entry
from gateway.wire.errors import Malformed
from gateway.wire.fields import message_from
from gateway.wire.glimpse import glimpse
from gateway.wire.strict import parse

_REMEMBERED = 4096
"""Ingest, watch and store read the same bytes within moments of one another."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One OBJECT, read.

    ``flag`` says why it is flagged, None when nothing is wrong. ``message`` is None when it is
    malformed; a flagged message that is there is sound enough for store and watch. ``identity``
    is (era, boot, seq), ``prev`` and ``old`` what the line needs: None where they cannot be read.
    """

    message: Message | None
    flag: str | None
    identity: tuple[str, int, int] | None
    prev: str | None = None
    old: tuple[int, int] | None = None
    key_generation: int | None = None
    auth: Auth = "mac"


def decode(object_bytes: bytes, *, device: str, trust: bool = False) -> Decoded:
    """Read one OBJECT of ``device``. Never raises: what is wrong becomes ``flag``.

    ``trust`` (replay only) neither looks at ``prev``, ``old`` and ``era`` nor needs them.
    """
    return _decoded(object_bytes, device, trust)


@lru_cache(maxsize=_REMEMBERED)
def _decoded(object_bytes: bytes, device: str, trust: bool) -> Decoded:
    try:
        message = message_from(parse(object_bytes), device, trust=trust)
    except Malformed as error:
        seen = glimpse(object_bytes)
        prev = _readable(seen.prev, seen.identity)
        return Decoded(None, error.reason, seen.identity, prev, seen.old, seen.key_generation)
    flag = None if trust else _oddity(message)
    if flag == "time_source":
        message = replace(message, t=0, ts="none")
    identity = (message.era, message.boot, message.seq)
    return Decoded(
        message=message,
        flag=flag,
        identity=identity,
        prev=message.prev if trust else _readable(message.prev, identity),
        old=message.old,
        key_generation=message.key_generation,
    )


def _oddity(message: Message) -> str | None:
    """Why a well-formed message is flagged all the same, though it can be used."""
    if message.t < 0 or (message.t == 0) != (message.ts == "none"):
        return "time_source"
    if _readable(message.prev, (message.era, message.boot, message.seq)) is None:
        return "prev_empty"
    return "null_field" if message.has_null else None


def _readable(prev: str | None, identity: tuple[str, int, int] | None) -> str | None:
    """``prev``, or None where it is empty though another message stands before this one."""
    is_first = identity is None or identity[1:] == (1, 1)
    return prev if prev or is_first else None


def message_of(entry: Entry, *, trust: bool = False) -> Decoded:
    """Decode a journal entry of kind ``msg`` or ``fork``; flag and auth are the journal's."""
    object_bytes = entry.payload.split(b"\n", 1)[0]
    decoded = decode(object_bytes, device=entry.subject, trust=trust)
    return replace(decoded, flag=entry.flag or decoded.flag, auth=entry.auth or decoded.auth)
