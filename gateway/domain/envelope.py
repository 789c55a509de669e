"""The envelope of ``up``, ``ack`` and ``down``: OBJECT LF MAC, optionally LF SIG (WIRE.md, 1)."""

import base64
import binascii
import hmac
import re
from typing import NamedTuple

MAX_OBJECT_BYTES = 8192
"""A larger OBJECT is refused; nodes keep to 2048."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SIG = re.compile(rb"[A-Za-z0-9_-]{86}")


class Envelope(NamedTuple):
    """The parts of a payload; ``mac`` and ``signature`` as base64url text."""

    object: bytes
    mac: bytes
    signature: bytes | None = None


def encode_base64url(raw: bytes) -> bytes:
    """Base64url without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


def decode_base64url(text: bytes) -> bytes:
    """Inverse of ``encode_base64url``; accepts unused bits: compare text where it matters."""
    return base64.urlsafe_b64decode(text + b"==")  # more padding than needed is ignored


def mac(key: bytes, topic: str, object_bytes: bytes) -> bytes:
    """The MAC's 43 characters for ``object_bytes`` on ``topic`` under a device's key."""
    message = topic.encode("ascii") + b"\n" + object_bytes
    # hmac.digest releases the GIL on each call, and a busy thread then keeps it for 5 ms.
    return encode_base64url(hmac.new(key, message, "sha256").digest())


def open_payload(key: bytes, topic: str, payload: bytes) -> Envelope | None:
    """The parts of a payload; None where the MAC is wrong or the number of parts is.

    The MAC is compared as text in constant time, so its shape needs no check.
    """
    object_bytes, _, proofs = payload.partition(b"\n")
    given, separator, signature = proofs.partition(b"\n")
    if not hmac.compare_digest(mac(key, topic, object_bytes), given):
        return None
    if not separator:
        return Envelope(object_bytes, given)
    return Envelope(object_bytes, given, signature) if _SIG.fullmatch(signature) else None


def seal(key: bytes, topic: str, object_bytes: bytes) -> bytes:
    """The payload that carries ``object_bytes`` on ``topic``."""
    return object_bytes + b"\n" + mac(key, topic, object_bytes)


def chain_hash_of(object_hash: bytes) -> str:
    """The ``prev`` of the next message: 16 bytes of SHA-256(OBJECT), in 22 characters."""
    return encode_base64url(object_hash[:16]).decode("ascii")


def signed_bytes(topic: str, object_bytes: bytes) -> bytes:
    """The bytes that SIG signs."""
    return b"noria-sig-1\n" + topic.encode("ascii") + b"\n" + object_bytes


def up_topic(device: str) -> str:
    """The topic that a device writes and that its MAC covers, even where a bridge renames it."""
    return f"noria/1/{device}/up"


def ack_topic(device: str) -> str:
    """The topic of acks, which report the messages that the gateway has on disk."""
    return f"noria/1/{device}/ack"


def down_topic(device: str) -> str:
    """The topic of the desired state."""
    return f"noria/1/{device}/down"


def part_topic(device: str, version: int, number: int) -> str:
    """The topic of one part of a release."""
    return f"noria/1/{device}/part/{version}/{number}"


def ack_object(era: str, boot: int, seq: int, h: str, t: int) -> bytes:
    """The OBJECT of an ack: all of ``era`` up to (boot, seq) is safe; ``t`` in Unix seconds."""
    # An era and a link hold no quotes (WIRE.md), so they need no escaping.
    text = f'{{"v":1,"era":"{era}","boot":{boot},"seq":{seq},"h":"{h}","t":{t}}}'
    return text.encode("ascii")
