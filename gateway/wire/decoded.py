"""From bytes to a message, or to as much of one as can be read."""

import logging
from functools import lru_cache

import msgspec

from gateway.domain.entry import Entry
from gateway.domain.inputs import Auth
from gateway.domain.message import Message
from gateway.wire.errors import Malformed
from gateway.wire.fast import FastMessage, decode_fast
from gateway.wire.fields import message_from
from gateway.wire.salvage import salvage
from gateway.wire.strict import parse

_log = logging.getLogger(__name__)

FAULT = "unreadable"
"""The flag of a message that this program failed on: none is known."""
FEED_ERA = "unsigned"
"""The era of every third-party feed: eight letters, so each identity says by itself what it is."""
AS = "as"
"""The leaf line that holds what a third-party message was taken as: an OBJECT of its own."""
_REMEMBERED = 512
"""Watch and store read the same bytes within moments of one another. Not ingest: while whole
batches wait nothing would be found again, and to remember costs as much as to read. Nor many: who
is far behind finds none of them, and so much goes into a processor's cache."""


class _Sealed(msgspec.Struct, gc=False):
    """What an OBJECT says, made into a ``Message`` when that is first asked for."""

    said: FastMessage | Message
    device: str

    @property
    def message(self) -> Message:
        """The message."""
        if isinstance(self.said, FastMessage):
            self.said = self.said.message(self.device)
        return self.said


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One OBJECT, read.

    ``flag`` says why it is flagged, None when nothing is wrong. ``message`` is None when it is
    malformed; a flagged message that is there is sound enough for store and watch. ``identity``
    is (era, boot, seq), ``prev`` and ``old`` what the line needs: None where they cannot be read.
    ``signed`` says that a signature follows.
    """

    sealed: _Sealed | None
    flag: str | None
    identity: tuple[str, int, int] | None
    prev: str | None = None
    old: tuple[int, int] | None = None
    key_generation: int | None = None
    signed: bool = False
    auth: Auth = "mac"

    @property
    def message(self) -> Message | None:
        """The message, or None when it is malformed."""
        return self.sealed.message if self.sealed else None


def decode(
    object_bytes: bytes,
    *,
    device: str,
    trust: bool = False,
    feed: bool = False,
    judged: bool = False,
) -> Decoded:
    """Read one OBJECT of ``device``. Never raises: what is wrong becomes ``flag``.

    ``trust`` (replay only) neither looks at ``prev``, ``old`` and ``era`` nor needs them.
    ``feed``: of an unsigned device, which has no chain. ``judged``: it was read before, and
    nothing was wrong with it.
    """
    try:
        found = None if trust or feed else decode_fast(object_bytes, judged=judged)
        if found is None or _is_odd(found):
            return _exactly_decoded(object_bytes, device, trust, feed)
        identity = (found.era, found.boot, found.seq)
        return Decoded(
            _Sealed(found, device), None, identity, found.prev, found.old, found.generation,
            found.signed,
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on
        # A fault of ours, not a rule: the message is authentic and is kept. Raised on, it would
        # come again after every restart and stop everybody's line.
        _log.error("device %s: an object could not be read: %r", device, error, exc_info=error)
        return Decoded(None, FAULT, None)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(object_bytes: bytes, device: str, trust: bool, feed: bool, judged: bool) -> Decoded:
    return decode(object_bytes, device=device, trust=trust, feed=feed, judged=judged)


def _is_odd(found: FastMessage) -> bool:
    """Whether there is something to flag: its clock or its ``prev`` do not fit the rest."""
    is_first = found.boot == found.seq == 1
    return (found.t == 0) != (found.ts == "none") or not (found.prev or is_first)


def _exactly_decoded(object_bytes: bytes, device: str, trust: bool, feed: bool = False) -> Decoded:
    """As ``decode``, of whatever may come; names what is wrong."""
    try:
        message = message_from(parse(object_bytes), device, trust=trust, feed=feed)
    except Malformed as error:
        seen = salvage(object_bytes)
        prev = _readable(seen.prev, seen.identity)
        return Decoded(None, error.reason, seen.identity, prev, seen.old, seen.key_generation)
    flag = None if trust else _oddity(message, feed)
    if flag == "time_source":
        message = message._replace(t=0, ts="none")
    identity = (message.era, message.boot, message.seq)
    return Decoded(
        sealed=_Sealed(message, device),
        flag=flag,
        identity=identity,
        prev=message.prev if trust else _readable(message.prev, identity),
        old=message.old,
        key_generation=message.key_generation,
        signed=message.signed,
    )


def _oddity(message: Message, feed: bool) -> str | None:
    """Why a well-formed message is flagged all the same, though it can be used."""
    if message.t < 0 or (message.t == 0) != (message.ts == "none"):
        return "time_source"
    identity = (message.era, message.boot, message.seq)
    if _readable(message.prev, identity) is None and not feed:  # a feed has no chain
        return "prev_empty"
    return "null_field" if message.has_null else None


def _readable(prev: str | None, identity: tuple[str, int, int] | None) -> str | None:
    """``prev``, or None where it is empty though another message stands before this one."""
    is_first = identity is None or identity[1:] == (1, 1)
    return prev if prev or is_first else None


def message_of(entry: Entry, *, trust: bool = False) -> Decoded:
    """Decode a journal entry of kind ``msg`` or ``fork``; flag and auth are the journal's.

    A third-party message is read as the OBJECT that was made of it on arrival.
    """
    translated = entry.lines.get(AS) if entry.lines else None
    object_bytes = translated.encode() if translated else entry.payload.split(b"\n", 1)[0]
    decoded = _remembered(
        object_bytes, entry.subject, trust, entry.auth == "unsigned", entry.flag is None
    )
    flag, auth = entry.flag or decoded.flag, entry.auth or decoded.auth
    if flag == decoded.flag and auth == decoded.auth:
        return decoded
    return msgspec.structs.replace(decoded, flag=flag, auth=auth)
