"""OBJECT, MAC and hash (WIRE.md, section 1, *Envelope*)."""

import binascii
import hashlib

from micropython import const

_BLOCK = const(64)  # SHA-256's, RFC 2104
_MAC_LENGTH = const(43)
OBJECT_LIMIT = 8192


class Key:
    """A device's HMAC key, 32 bytes. No hmac module: micropython-lib's defaults to MD5."""

    def __init__(self, key):
        padded = key + bytes(_BLOCK - len(key))
        self._inner = bytes(byte ^ 0x36 for byte in padded)
        self._outer = bytes(byte ^ 0x5C for byte in padded)

    def mac(self, topic, *obj):
        """The 43 characters that authenticate ``obj`` on ``topic`` (text), as bytes; ``obj`` may
        be in parts (bytes)."""
        inner = hashlib.sha256(self._inner)
        inner.update(topic.encode())
        inner.update(b"\n")
        for part in obj:
            inner.update(part)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return b64url(outer.digest())


def b64url(raw):
    """Base64url without padding, as bytes."""
    text = binascii.b2a_base64(raw).rstrip(b"\n=")
    return text.replace(b"+", b"-").replace(b"/", b"_")


def digest(*obj):
    """The first 16 bytes of SHA-256(OBJECT): the next message's ``prev``. It may be in parts."""
    sum_ = hashlib.sha256()
    for part in obj:
        sum_.update(part)
    return sum_.digest()[:16]


def tail(key, topic, signature, *obj):
    """The end of a payload, after OBJECT: line feed, MAC; with a signature line feed and SIG."""
    mac = b"\n" + key.mac(topic, *obj)
    return mac + b"\n" + signature if signature else mac


def verified(key, topic, payload):
    """The OBJECT (bytes) of ``payload`` (bytes) if its MAC is right, else None."""
    if len(payload) > OBJECT_LIMIT + 1 + _MAC_LENGTH:
        return None
    parts = bytes(payload).split(b"\n")
    if len(parts) != 2 or not _same(parts[1], key.mac(topic, parts[0])):
        return None
    return parts[0]


def verified_part(key, topic, payload):
    """The part of a release in a memoryview ``payload``, if its MAC is right, else None: any
    bytes, LF, MAC."""
    end = len(payload) - _MAC_LENGTH - 1
    if end < 0 or payload[end : end + 1] != b"\n":
        return None
    return payload[:end] if _same(payload[end + 1 :], key.mac(topic, payload[:end])) else None


def _same(one, other):
    """Compare in constant time over equal lengths: a timing difference would reveal the MAC."""
    if len(one) != len(other):
        return False
    difference = 0
    for left, right in zip(one, other):  # noqa: B905 - MicroPython's zip has no strict
        difference |= left ^ right
    return difference == 0
