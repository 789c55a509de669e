"""From bytes to a message, or to the fields of one that are readable."""

import logging
from functools import lru_cache

import msgspec

from gateway.domain.entry import Entry
from gateway.domain.inputs import Auth
from gateway.domain.message import Message
from gateway.domain.verdict import MessageIdentity
from gateway.wire.fast import decode_fast
from gateway.wire.fields import message_from
from gateway.wire.salvage import salvage
from gateway.wire.strict import Malformed, parse

_log = logging.getLogger(__name__)

FAULT = "unreadable"
"""The flag of a message that this program failed on: no known input causes it."""
FEED_ERA = "unsigned"
"""The era of every third-party feed: eight letters, so that no node's identity equals a feed's."""
AS = "as"
"""The leaf line that holds the OBJECT into which a third-party message was translated."""
_CACHED = 512
"""Decoded messages that are kept. Ingest decodes; watch and store read the same bytes from the
journal moments later and find the result here. A larger cache leaves the processor's own cache."""


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One decoded OBJECT.

    ``flag`` is the reason why it is flagged, None when nothing is wrong. ``message`` is None when
    it is malformed; a flagged message that is there may be used by store and watch. ``identity``,
    ``prev`` and ``old`` are what the ack line needs, None where they are unreadable. ``signed``: a
    signature follows.
    """

    message: Message | None
    flag: str | None
    identity: MessageIdentity | None
    prev: str | None = None
    old: tuple[int, int] | None = None
    key_generation: int | None = None
    signed: bool = False
    auth: Auth = "mac"


def decode(object_bytes: bytes, *, device: str, trust: bool = False, feed: bool = False) -> Decoded:
    """Decode one OBJECT of ``device``. Never raises: a fault sets ``flag``.

    ``trust`` (replay only) neither checks ``prev``, ``old`` and ``era`` nor needs them.
    ``feed``: the OBJECT of an unsigned device, which has no chain.
    """
    if trust:  # a replay reads each message once
        return _decode_once(object_bytes, device, trust, feed)
    return _decode(object_bytes, device, trust, feed)


@lru_cache(maxsize=_CACHED)
def _decode(object_bytes: bytes, device: str, trust: bool, feed: bool) -> Decoded:
    return _decode_once(object_bytes, device, trust, feed)


def _decode_once(object_bytes: bytes, device: str, trust: bool, feed: bool) -> Decoded:
    try:
        message = decode_fast(object_bytes, device, trust=trust)
        if message is None or not (trust or _is_regular(message)):
            return _decode_exactly(object_bytes, device, trust, feed)
        return _decoded(message, message.prev, None)
    except Exception as error:  # noqa: BLE001 - one message must not stop a device's line
        # The message is authentic and is journaled. If this raised, the broker would deliver it
        # again after every restart and no device would get an ack.
        _log.error("device %s: an object could not be decoded: %r", device, error, exc_info=error)
        return Decoded(None, FAULT, None)


def _is_regular(message: Message) -> bool:
    """Whether its clock and its ``prev`` agree with the other fields; else it is flagged."""
    is_first = message.boot == message.seq == 1
    return (message.t == 0) == (message.ts == "none") and bool(message.prev or is_first)


def _decode_exactly(object_bytes: bytes, device: str, trust: bool, feed: bool) -> Decoded:
    """As ``decode``, for any input; names the fault."""
    try:
        message = message_from(parse(object_bytes), device, trust=trust, feed=feed)
    except Malformed as error:
        found = salvage(object_bytes)
        prev = _readable(found.prev, found.identity)
        return Decoded(None, error.reason, found.identity, prev, found.old, found.key_generation)
    flag = None if trust else _oddity(message, feed)
    if flag == "time_source":
        message = message._replace(t=0, ts="none")
    identity = (message.era, message.boot, message.seq)
    return _decoded(message, message.prev if trust else _readable(message.prev, identity), flag)


def _decoded(message: Message, prev: str | None, flag: str | None) -> Decoded:
    identity = (message.era, message.boot, message.seq)
    return Decoded(
        message, flag, identity, prev, message.old, message.key_generation, message.signed
    )


def _oddity(message: Message, feed: bool) -> str | None:
    """The flag of a well-formed message that can be used all the same."""
    if message.t < 0 or (message.t == 0) != (message.ts == "none"):
        return "time_source"
    identity = (message.era, message.boot, message.seq)
    if _readable(message.prev, identity) is None and not feed:  # a feed has no chain
        return "prev_empty"
    return "null_field" if message.has_null else None


def _readable(prev: str | None, identity: MessageIdentity | None) -> str | None:
    """``prev``, or None where it is empty though this is not the era's first message."""
    is_first = identity is None or identity[1:] == (1, 1)
    return prev if prev or is_first else None


def message_of(entry: Entry) -> Decoded:
    """Decode a journal entry of kind ``msg`` or ``fork``; flag and auth are the journal's.

    A third-party message is decoded from the OBJECT into which it was translated on arrival.
    """
    translated = entry.lines.get(AS) if entry.lines else None
    object_bytes = translated.encode() if translated else entry.payload.partition(b"\n")[0]
    decoded = _decode(object_bytes, entry.subject, False, entry.auth == "unsigned")
    flag, auth = entry.flag or decoded.flag, entry.auth or decoded.auth
    if flag == decoded.flag and auth == decoded.auth:
        return decoded
    return msgspec.structs.replace(decoded, flag=flag, auth=auth)
