"""Admission: MAC, signature, key generation, size; the first row of WIRE.md's table."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain import envelope
from gateway.domain.registry import Device, Registry
from gateway.wire import Admitted, admit

KEY = bytes(range(32))
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
PUBLIC = SIGNER.public_key().public_bytes_raw()
TOPIC = "noria/1/k7f3q5/up"
REGISTRY = Registry(
    devices={
        "k7f3q5": (Device("k7f3q5", "t", key=KEY, public_key=PUBLIC),),
        "gone22": (Device("gone22", "t", key=KEY, revoked=True),),
        "feed22": (Device("feed22", "t", unsigned=True),),
    }
)


def sound(**more: Any) -> bytes:
    body: dict[str, Any] = {
        "v": 1, "fw": "1", "era": "m4xq2lzt", "boot": 1, "seq": 1, "prev": "", "up": 1,
        "t": 1795212000, "ts": "ntp", "next": 900, "old": [1, 1], "r": [],
    }  # fmt: skip
    return json.dumps(body | more, separators=(",", ":")).encode()


def signed(text: bytes, topic: str = TOPIC) -> bytes:
    raw = SIGNER.sign(b"noria-sig-1\n" + topic.encode() + b"\n" + text)
    return envelope.seal(KEY, TOPIC, text) + b"\n" + base64.urlsafe_b64encode(raw).rstrip(b"=")


def admitted(payload: bytes, **more: Any) -> Admitted:
    found = admit(TOPIC, payload, REGISTRY, **more)
    assert isinstance(found, Admitted), found
    return found


def test_a_right_mac_is_admitted_as_mac() -> None:
    found = admitted(envelope.seal(KEY, TOPIC, sound()))
    assert (found.device.id, found.decoded.auth, found.decoded.flag) == ("k7f3q5", "mac", None)


def test_a_right_signature_counts_as_sig() -> None:
    found = admitted(signed(sound(sg=1)))
    assert (found.decoded.auth, found.decoded.flag) == ("sig", None)


@pytest.mark.parametrize(
    ("payload", "flag"),
    [
        (envelope.seal(KEY, TOPIC, sound(sg=1)), "sig_missing"),
        (signed(sound(sg=1), topic="noria/1/k7f3q5/ack"), "sig_wrong"),
        (signed(sound()), "sig_unexpected"),
    ],
)
def test_a_missing_or_wrong_signature_is_flagged_and_counts_as_mac(
    payload: bytes, flag: str
) -> None:
    found = admitted(payload)
    assert (found.decoded.auth, found.decoded.flag) == ("mac", flag)
    assert found.decoded.message is not None


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (TOPIC, sound(), "bad_mac"),
        (TOPIC, envelope.seal(bytes(32), TOPIC, sound()), "bad_mac"),
        (TOPIC, envelope.seal(KEY, TOPIC, sound()) + b"=", "bad_mac"),
        (TOPIC, envelope.seal(KEY, TOPIC, sound()) + b"\n", "bad_mac"),
        (TOPIC, envelope.seal(KEY, TOPIC, sound()) + b"\n" + b"A" * 85, "bad_mac"),
        (TOPIC, envelope.seal(KEY, TOPIC.replace("up", "ack"), sound()), "bad_mac"),
        (TOPIC, signed(sound(sg=1)) + b"\nx", "bad_mac"),
        (TOPIC, b"", "bad_mac"),
        ("noria/1/gone22/up", envelope.seal(KEY, "noria/1/gone22/up", sound()), "revoked"),
        ("noria/1/none22/up", envelope.seal(KEY, "noria/1/none22/up", sound()), "unknown_device"),
        ("noria/1/NOT-ONE/up", b"x", "unknown_device"),
        (TOPIC, b"x" * 9216, "oversize"),
        (TOPIC, envelope.seal(KEY, TOPIC, sound(x="x" * 9000)), "oversize"),
    ],
)
def test_what_is_not_authentic_is_refused_by_reason(
    topic: str, payload: bytes, reason: str
) -> None:
    assert admit(topic, payload, REGISTRY) == reason


def test_an_object_of_8192_bytes_is_admitted_and_a_larger_one_is_not() -> None:
    padding = envelope.MAX_OBJECT_BYTES - len(sound(x=""))
    assert admitted(envelope.seal(KEY, TOPIC, sound(x="x" * padding))).decoded.flag is None
    larger = envelope.seal(KEY, TOPIC, sound(x="x" * (padding + 1)))
    assert admit(TOPIC, larger, REGISTRY) == "oversize"


def test_the_registrys_key_number_decides_which_generation_is_refused() -> None:
    rekeyed = Registry(devices={"k7f3q5": (Device("k7f3q5", "t", key=KEY, key_number=2),)})
    old, new = (envelope.seal(KEY, TOPIC, sound(**k)) for k in ({}, {"k": 2}))
    assert admit(TOPIC, old, rekeyed) == "old_key"
    for payload in (old, new, envelope.seal(KEY, TOPIC, sound(k=2**31 - 1)), old):
        assert isinstance(admit(TOPIC, payload, REGISTRY), Admitted)


def test_an_unsigned_feed_brings_an_object_alone() -> None:
    found = admit("noria/1/feed22/up", sound(), REGISTRY)
    assert isinstance(found, Admitted)
    assert found.decoded.auth == "unsigned"
    sealed = envelope.seal(KEY, "noria/1/feed22/up", sound())
    assert admit("noria/1/feed22/up", sealed, REGISTRY) == "bad_mac"
