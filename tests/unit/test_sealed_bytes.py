"""Envelopes, leaves and tree hashes byte for byte, as WIRE.md and RFC 6962 define them."""

import base64
import hashlib
import hmac

import pytest

from gateway.domain import envelope, leaf, merkle
from gateway.domain.envelope import Envelope
from gateway.domain.merkle import Frontier

KEY = bytes(range(32))
TOPIC = "noria/1/k7f3q5/up"
SIG = b"A_-z" * 21 + b"09"


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", b""), (b"\xfb", b"-w"), (b"\xff\xef", b"_-8"), (b"abc", b"YWJj"), (b"\xfb\xff", b"-_8")],
)
def test_base64url_is_without_padding_in_both_directions(raw: bytes, text: bytes) -> None:
    assert envelope.encode_base64url(raw) == text
    assert envelope.decode_base64url(text) == raw


def test_the_mac_is_hmac_sha256_over_topic_line_feed_object() -> None:
    digest = hmac.digest(KEY, TOPIC.encode() + b"\n{}", "sha256")
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
    assert envelope.mac(KEY, TOPIC, b"{}") == expected
    assert len(expected) == 43
    assert envelope.seal(KEY, TOPIC, b"{}") == b"{}\n" + expected


def test_a_payload_opens_into_its_parts_or_not_at_all() -> None:
    mac, sealed = envelope.mac(KEY, TOPIC, b"{}"), envelope.seal(KEY, TOPIC, b"{}")
    assert envelope.open_payload(KEY, TOPIC, sealed) == Envelope(b"{}", mac, None)
    signed = envelope.open_payload(KEY, TOPIC, sealed + b"\n" + SIG)
    assert signed == Envelope(b"{}", mac, SIG)
    for wrong in (
        b"{}", b"{}\n", b"{} \n" + mac, b"{}\n" + mac[:-1], b"{}\n" + mac + b"=", sealed + b"\n",
        sealed + b"\n" + SIG[1:], sealed + b"\n" + SIG + b"A", sealed + b"\n" + SIG + b"\n",
        sealed + b"\n" + SIG[:-1] + b"+", sealed + b"\n" + SIG[:-1] + b"=",
    ):  # fmt: skip
        assert envelope.open_payload(KEY, TOPIC, wrong) is None
    assert envelope.open_payload(KEY, TOPIC + "x", sealed) is None
    assert envelope.open_payload(bytes(32), TOPIC, sealed) is None


def test_prev_is_the_first_sixteen_bytes_of_the_objects_sha_256() -> None:
    digest = hashlib.sha256(b"{}").digest()
    expected = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    assert envelope.chain_hash_of(digest) == expected
    assert len(expected) == 22


def test_topics_and_signed_bytes_are_those_of_the_wire() -> None:
    assert envelope.MAX_OBJECT_BYTES == 8192
    assert envelope.up_topic("d") == "noria/1/d/up"
    assert envelope.ack_topic("d") == "noria/1/d/ack"
    assert envelope.down_topic("d") == "noria/1/d/down"
    assert envelope.part_topic("d", 3, 0) == "noria/1/d/part/3/0"
    assert envelope.signed_bytes("noria/1/d/up", b"{}") == b"noria-sig-1\nnoria/1/d/up\n{}"
    assert envelope.ack_object("e", 1, 2, "h", 3) == (
        b'{"v":1,"era":"e","boot":1,"seq":2,"h":"h","t":3}'
    )


# Leaves


COMMIT = leaf.commit(bytes(range(32)), b"body")


def test_a_commit_hides_the_body_behind_32_random_bytes() -> None:
    digest = hashlib.sha256(b"noria-body-1\n" + bytes(range(32)) + b"body").digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == COMMIT
    assert (leaf.MAX_BYTES, leaf.SALT_BYTES) == (4096, 32)
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match=f"a salt has 32 bytes, not {size}"):
            leaf.commit(bytes(size), b"")


def test_a_leafs_lines_follow_in_order_of_their_names() -> None:
    head = f"noria-leaf-1\nmsg\n1\ng1\nd\n{COMMIT}\n"
    assert leaf.text("msg", 1, "g1", "d", COMMIT).decode() == head
    assert leaf.text("msg", 1, "g1", "d", COMMIT, {}).decode() == head
    lines = {"b_2": " a = b~", "a1": "x"}
    assert leaf.text("msg", 1, "g1", "d", COMMIT, lines).decode() == head + "a1=x\nb_2= a = b~\n"
    assert leaf.text("msg", -1, "g1", "d", COMMIT).startswith(b"noria-leaf-1\nmsg\n-1\n")


@pytest.mark.parametrize("kind", ["ab", "abcdefgh"])
def test_a_kind_has_two_to_eight_letters(kind: str) -> None:
    assert leaf.text(kind, 1, "g", "-", COMMIT).split(b"\n")[1] == kind.encode()


@pytest.mark.parametrize(
    ("kind", "gateway", "subject", "lines", "reason"),
    [
        ("a", "g", "-", {}, "kind 'a' is not 2-8 letters a-z"),
        ("abcdefghi", "g", "-", {}, "kind 'abcdefghi' is not 2-8 letters"),
        ("m1", "g", "-", {}, "kind 'm1' is not 2-8 letters"),
        ("ms\n", "g", "-", {}, r"kind 'ms\\n' is not 2-8 letters"),
        ("msg", "", "-", {}, "a row is empty or is not ASCII text"),
        ("msg", "g", "", {}, "a row is empty or is not ASCII text"),
        ("msg", "g", "é", {}, "a row is empty or is not ASCII text"),
        ("msg", "g\ng", "-", {}, "a row is empty or is not ASCII text"),
        ("msg", "g", "-\nx=1", {}, "a row is empty or is not ASCII text"),
        ("msg", "g", "-", {"flag": ""}, "line flag='' is not ASCII text with a name"),
        ("msg", "g", "-", {"flag": "a\nb=1"}, "line flag="),
        ("msg", "g", "-", {"flag": "\x7f"}, "line flag="),
        ("msg", "g", "-", {"a": "1", "Flag": "x"}, "line Flag='x'"),
        ("msg", "g", "-", {"1a": "x"}, "line 1a='x'"),
        ("msg", "g", "-", {"": "x"}, "line ='x'"),
    ],
)
def test_the_error_names_the_part_that_cannot_be_in_a_leaf(
    kind: str, gateway: str, subject: str, lines: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"cannot be a leaf: {reason}"):
        leaf.text(kind, 1, gateway, subject, COMMIT, lines)


def test_a_leaf_has_at_most_4096_bytes() -> None:
    room = 4096 - len(leaf.text("msg", 1, "g", "-", COMMIT, {"a": "x"})) + 1
    assert len(leaf.text("msg", 1, "g", "-", COMMIT, {"a": "x" * room})) == 4096
    with pytest.raises(ValueError, match="a leaf of 4097 bytes is longer than 4096"):
        leaf.text("msg", 1, "g", "-", COMMIT, {"a": "x" * (room + 1)})


# The tree


def test_leaf_and_node_hashes_have_the_prefixes_of_rfc_6962() -> None:
    assert merkle.HASH_BYTES == 32
    assert merkle.leaf_hash(b"a") == hashlib.sha256(b"\x00a").digest()
    assert merkle.node_hash(b"l", b"r") == hashlib.sha256(b"\x01lr").digest()
    assert Frontier().root() == hashlib.sha256(b"").digest()


def test_a_frontier_keeps_the_roots_of_its_full_subtrees() -> None:
    a, b, c, d, e = (merkle.leaf_hash(bytes([n])) for n in range(5))
    ab, cd = merkle.node_hash(a, b), merkle.node_hash(c, d)
    assert Frontier().grown() == Frontier(0, ())
    assert Frontier().grown(a) == Frontier(1, (a,))
    assert Frontier().grown(a, b) == Frontier(2, (ab,))
    assert Frontier().grown(a, b, c) == Frontier(3, (ab, c))
    abcd = merkle.node_hash(ab, cd)
    assert Frontier(3, (ab, c)).grown(d, e) == Frontier(5, (abcd, e))
    assert Frontier(5, (abcd, e)).root() == merkle.node_hash(abcd, e)
    assert Frontier(5, (abcd, e)).to_bytes() == abcd + e
    assert Frontier.from_bytes(5, abcd + e) == Frontier(5, (abcd, e))
    assert Frontier.from_bytes(0, b"") == Frontier()


@pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (1, 31), (1, 33), (3, 32), (4, 64)])
def test_a_frontier_of_another_length_is_refused(size: int, length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} bytes are not the frontier of {size} leaves"):
        Frontier.from_bytes(size, bytes(length))
