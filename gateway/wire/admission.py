"""Authenticates a message: device, MAC, signature, key generation (the first row of WIRE.md's
table *What the gateway does with what arrives*)."""

import hashlib
from typing import Literal

import msgspec

from gateway.domain import envelope
from gateway.domain.envelope import Envelope
from gateway.domain.registry import Device, Registry
from gateway.domain.verdict import MessageKey
from gateway.wire.decoded import Decoded, decode
from gateway.wire.signature import is_valid

Refusal = Literal["bad_mac", "unknown_device", "revoked", "old_key", "oversize"]


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """An authentic message: its device, exact OBJECT and decoded content.

    ``digest`` is SHA-256(OBJECT).
    """

    device: Device
    object: bytes
    decoded: Decoded
    digest: bytes

    @property
    def link(self) -> str:
        """The ``prev`` of the message that follows it."""
        return envelope.chain_hash_of(self.digest)

    @property
    def key(self) -> MessageKey:
        """The part that its verdict depends on."""
        decoded = self.decoded
        return MessageKey(
            self.device.id, self.digest, decoded.identity, decoded.prev, decoded.old, decoded.flag
        )

    @property
    def is_unverified(self) -> bool:
        """Whether it carries a signature and the device's public key is unknown."""
        return self.decoded.signed and self.device.public_key is None

    @property
    def has_old_key(self) -> bool:
        """Whether it names a key generation before the registry's ``key_number``.

        Nothing is learned from ``k``: one message with a high number, sealed with a key that was
        read out of a taken node, would otherwise shut the re-keyed node out for ever.
        """
        generation = self.decoded.key_generation
        return (
            self.device.key is not None
            and generation is not None
            and generation < self.device.key_number
        )


def admit(
    topic: str, payload: bytes, registry: Registry, *, trust: bool = False
) -> Admitted | Refusal:
    """Authenticate a message, or return why it is refused.

    ``trust`` (replay only) accepts any MAC, signature and ``k``, and payloads without them.
    """
    device = registry.speakers.get(topic)
    if device is None:
        return "unknown_device"
    if device.revoked:
        return "revoked"
    if len(payload) > envelope.MAX_OBJECT_BYTES and (
        payload.find(b"\n", 0, envelope.MAX_OBJECT_BYTES + 1) < 0
    ):
        return "oversize"
    if trust:
        object_bytes = payload.partition(b"\n")[0]
        decoded = decode(object_bytes, device=device.id, trust=True, feed=device.unsigned)
        return admit_decoded(device, object_bytes, decoded)
    found = _authenticated(device, topic, payload)
    if isinstance(found, Admitted) and found.has_old_key:
        return "old_key"
    return found


def _authenticated(device: Device, topic: str, payload: bytes) -> Admitted | Refusal:
    if device.key is None:
        if not device.unsigned or b"\n" in payload:
            return "bad_mac"
        decoded = decode(payload, device=device.id, feed=True)
        return admit_decoded(device, payload, msgspec.structs.replace(decoded, auth="unsigned"))
    parts = envelope.open_payload(device.key, topic, payload)
    if parts is None:
        return "bad_mac"
    decoded = decode(parts.object, device=device.id)
    return admit_decoded(device, parts.object, _with_auth(decoded, device, topic, parts))


def admit_decoded(device: Device, object_bytes: bytes, decoded: Decoded) -> Admitted:
    """A decoded message of ``device``, with its hash."""
    return Admitted(device, object_bytes, decoded, hashlib.sha256(object_bytes).digest())


def _with_auth(decoded: Decoded, device: Device, topic: str, parts: Envelope) -> Decoded:
    """``decoded`` with its ``auth``; flagged where the signature contradicts the OBJECT."""
    if decoded.message is None:
        return decoded
    if decoded.signed != (parts.signature is not None):
        flag = "sig_missing" if decoded.signed else "sig_unexpected"
        return msgspec.structs.replace(decoded, flag=decoded.flag or flag)
    if parts.signature is None or device.public_key is None:
        return decoded  # no signature, or no key to verify it: counts as MAC
    signed = envelope.signed_bytes(topic, parts.object)
    if not _verified(device.public_key, parts.signature, signed):
        return msgspec.structs.replace(decoded, flag=decoded.flag or "sig_wrong")
    return msgspec.structs.replace(decoded, auth="sig")


def _verified(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        raw = envelope.decode_base64url(signature)
    except ValueError:
        return False
    # Where unused bits are set, it is another encoding of the same signature.
    is_canonical = envelope.encode_base64url(raw) == signature
    return is_canonical and is_valid(public_key, raw, signed)
