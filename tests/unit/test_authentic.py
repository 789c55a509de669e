"""What is authentic and what it then is: each refusal, each flag of a signature, each replay."""

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain import envelope
from gateway.domain.registry import Device, Registry
from gateway.domain.verdict import MessageKey
from gateway.wire.admission import Admitted, Refusal, admit, admit_decoded

KEY = bytes(range(32))
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
PUBLIC = SIGNER.public_key().public_bytes_raw()
NODE = Device("k7f3q5", "t", key=KEY, public_key=PUBLIC)
TOPIC, FEED_TOPIC = "noria/1/k7f3q5/up", "noria/1/feed22/up"
HASH = "q83vEjRWeJCrze8SNFZ4kA"
SOUND: dict[str, Any] = {
    "v": 1, "fw": "1", "era": "m4xq2lzt", "boot": 1, "seq": 2, "prev": HASH, "up": 1,
    "t": 1795212000, "ts": "ntp", "next": 900, "old": [1, 1], "r": [{"o": 0, "mm": 400}],
}  # fmt: skip


def registry(*devices: Device) -> Registry:
    return Registry(devices={device.id: (device,) for device in devices})


ALL = registry(NODE, Device("feed22", "t", unsigned=True), Device("bare22", "t"))


def written(**more: Any) -> bytes:
    return json.dumps(SOUND | more, separators=(",", ":")).encode()


def sealed(**more: Any) -> bytes:
    return envelope.seal(KEY, TOPIC, written(**more))


def signature(text: bytes) -> bytes:
    raw = SIGNER.sign(b"noria-sig-1\n" + TOPIC.encode() + b"\n" + text)
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def admitted(payload: bytes, known: Registry = ALL, topic: str = TOPIC, **how: Any) -> Admitted:
    found = admit(topic, payload, known, **how)
    assert isinstance(found, Admitted), found
    return found


def test_an_admitted_message_has_the_hashes_of_its_object() -> None:
    found = admitted(sealed())
    text = written()
    link = envelope.chain_hash_of(hashlib.sha256(text).digest())
    assert (found.device, found.object, found.link) == (NODE, text, link)
    assert found.key == MessageKey("k7f3q5", found.digest, ("m4xq2lzt", 1, 2), HASH, (1, 1), None)
    assert envelope.chain_hash_of(found.digest) == found.link
    assert admit_decoded(NODE, text, found.decoded) == found


def test_admitted_and_decoded_messages_are_immutable_and_untracked() -> None:
    found = admitted(sealed())
    for value, name in ((found, "link"), (found.decoded, "flag")):
        with pytest.raises(AttributeError):
            setattr(value, name, "x")
        assert (value.__struct_config__.frozen, value.__struct_config__.gc) == (True, False)


@pytest.mark.parametrize(
    ("k", "in_force", "refused"),
    [(None, 1, False), (None, 2, True), (2, 2, False), (2, 3, True), (3, 2, False),
     (2**31 - 1, 1, False)],
)  # fmt: skip
def test_a_key_generation_before_the_registrys_is_refused(
    k: int | None, in_force: int, refused: bool
) -> None:
    payload = sealed() if k is None else sealed(k=k)
    known = registry(replace(NODE, key_number=in_force))
    assert (admit(TOPIC, payload, known) == "old_key") == refused
    assert admitted(payload, known, trust=True).has_old_key == refused


def test_a_message_whose_key_generation_is_unreadable_is_not_older() -> None:
    found = admitted(sealed(k="x"), registry(replace(NODE, key_number=9)))
    assert (found.decoded.flag, found.decoded.key_generation) == ("bad_field", None)
    assert not found.has_old_key


def test_a_feed_has_no_key_and_so_no_older_one() -> None:
    feed = Device("feed22", "t", unsigned=True, key_number=9)
    found = admitted(written(), registry(feed), FEED_TOPIC)
    assert found.decoded.auth == "unsigned"
    assert not found.has_old_key


@pytest.mark.parametrize("more", [{"prev": ""}, {"r": [{"o": 0, "ml": 5000}]}])
def test_only_a_feed_has_no_chain_and_may_report_litres(more: dict[str, Any]) -> None:
    assert admitted(written(**more), topic=FEED_TOPIC).decoded.flag is None
    assert admitted(sealed(**more)).decoded.flag in ("prev_empty", "bad_reading")


def test_a_signature_of_an_unknown_public_key_is_unverified() -> None:
    known = registry(replace(NODE, public_key=None))
    text = written(sg=1)
    payload = envelope.seal(KEY, TOPIC, text) + b"\n" + signature(text)
    found = admitted(payload, known)
    assert (found.is_unverified, found.decoded.auth, found.decoded.flag) == (True, "mac", None)
    assert not admitted(payload).is_unverified
    assert not admitted(sealed(), known).is_unverified


def test_each_contradiction_of_a_signature_has_its_flag() -> None:
    plain, announced = written(), written(sg=1)

    def found(text: bytes, *more: bytes) -> tuple[str, str | None]:
        payload = b"\n".join([envelope.seal(KEY, TOPIC, text), *more])
        decoded = admitted(payload).decoded
        return decoded.auth, decoded.flag

    good = signature(announced)
    assert found(plain) == ("mac", None)
    assert found(announced, good) == ("sig", None)
    assert found(announced) == ("mac", "sig_missing")
    assert found(plain, signature(plain)) == ("mac", "sig_unexpected")
    assert found(announced, signature(plain)) == ("mac", "sig_wrong")
    assert found(announced, b"A" * 86) == ("mac", "sig_wrong")


# The last of 86 characters has two bits of the signature and four that are unused.
@pytest.mark.parametrize(("seq", "last"), [(2, b"A"), (4, b"Q"), (3, b"g"), (5, b"w")])
def test_a_signature_with_unused_bits_set_is_wrong(seq: int, last: bytes) -> None:
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = written(sg=1, seq=seq)
    good = signature(text)
    assert good.endswith(last)
    at = letters.index(last)
    for other in letters[at + 1 : at + 16]:
        copy = good[:-1] + bytes([other])
        assert envelope.decode_base64url(copy) == envelope.decode_base64url(good)
        decoded = admitted(envelope.seal(KEY, TOPIC, text) + b"\n" + copy).decoded
        assert (decoded.auth, decoded.flag) == ("mac", "sig_wrong")


@pytest.mark.parametrize("more", [{"ts": "none"}, {"mv": None}])
def test_a_flag_of_the_object_precedes_that_of_its_signature(more: dict[str, Any]) -> None:
    flag = "time_source" if "ts" in more else "null_field"
    text = written(sg=1, **more)
    for end in ((), (b"A" * 86,)):
        payload = b"\n".join([envelope.seal(KEY, TOPIC, text), *end])
        assert admitted(payload).decoded.flag == flag
    good = b"\n".join([envelope.seal(KEY, TOPIC, text), signature(text)])
    assert (admitted(good).decoded.flag, admitted(good).decoded.auth) == (flag, "sig")


def test_a_malformed_object_counts_as_mac_whatever_follows() -> None:
    text = written(sg=1, r=7)
    payload = envelope.seal(KEY, TOPIC, text) + b"\n" + signature(text)
    decoded = admitted(payload).decoded
    assert (decoded.auth, decoded.flag, decoded.message) == ("mac", "bad_field", None)


def test_a_public_key_of_the_wrong_length_verifies_nothing() -> None:
    text = written(sg=1)
    payload = envelope.seal(KEY, TOPIC, text) + b"\n" + signature(text)
    known = registry(replace(NODE, public_key=b"short"))
    assert admitted(payload, known).decoded.flag == "sig_wrong"


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("noria/1/none22/up", sealed(), "unknown_device"),
        (TOPIC.upper(), sealed(), "unknown_device"),
        ("noria/1/bare22/up", written(), "bad_mac"),  # neither a key nor a feed
        (FEED_TOPIC, written() + b"\n", "bad_mac"),
        (TOPIC, written(), "bad_mac"),
        (TOPIC, b"x" * 8192, "bad_mac"),
        (TOPIC, b"x" * 8192 + b"\n", "bad_mac"),
        (TOPIC, b"\n" + b"x" * 9000, "bad_mac"),
        (TOPIC, b"x" * 8193, "oversize"),
        (TOPIC, b"x" * 8193 + b"\n", "oversize"),
        (FEED_TOPIC, b"x" * 8193, "oversize"),
    ],
)
def test_what_is_not_authentic_is_refused_with_its_reason(
    topic: str, payload: bytes, reason: str
) -> None:
    assert admit(topic, payload, ALL) == reason
    assert reason in get_args(Refusal)


def test_a_revoked_device_is_refused_before_its_mac_is_read() -> None:
    known = registry(replace(NODE, revoked=True))
    for payload in (sealed(), b"x" * 9000):
        assert admit(TOPIC, payload, known) == "revoked"
        assert admit(TOPIC, payload, known, trust=True) == "revoked"
    # WIRE.md, section 3: the names that ``status`` counts by.
    assert set(get_args(Refusal)) == {
        "bad_mac", "unknown_device", "revoked", "old_key", "oversize"
    }  # fmt: skip


def test_replay_with_trust_accepts_any_mac_and_none() -> None:
    for payload in (written(), written() + b"\nx\ny\nz", sealed()):
        found = admitted(payload, registry(replace(NODE, key_number=9)), trust=True)
        assert (found.object, found.decoded.auth, found.decoded.flag) == (written(), "mac", None)
    bare = b'{"boot":1,"seq":2,"up":3,"t":5,"next":6}'
    assert admitted(bare, trust=True).decoded.identity == ("aaaaaaaa", 1, 2)
    assert admit(TOPIC, b"x" * 9000, ALL, trust=True) == "oversize"
    litres = written(r=[{"o": 0, "ml": 5}])
    assert admitted(litres, topic=FEED_TOPIC, trust=True).decoded.flag is None
    assert admitted(litres, trust=True).decoded.flag == "bad_reading"
    with pytest.raises(TypeError):
        admit(TOPIC, bare, ALL, True)  # type: ignore[misc]
