"""WIRE.md's vectors, which the firmware's tests read too."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway.domain import envelope, leaf, merkle
from gateway.domain.registry import Device, Registry
from gateway.wire import Admitted, admit, decode

VECTORS = Path(__file__).parents[1] / "vectors"
ENVELOPE = json.loads((VECTORS / "envelope.json").read_text("utf-8"))
LEAF = json.loads((VECTORS / "leaf.json").read_text("utf-8"))
KEY = bytes.fromhex(ENVELOPE["key_hex"])
UP = ENVELOPE["cases"][0]
REGISTRY = Registry(devices={"k7f3q5": (Device("k7f3q5", "north-1", key=KEY),)})


@pytest.mark.parametrize("case", ENVELOPE["cases"], ids=lambda c: c["name"])
def test_each_object_has_its_mac(case: dict[str, str]) -> None:
    sealed = envelope.seal(KEY, case["topic"], case["object"].encode())
    assert sealed.decode() == f"{case['object']}\n{case['mac']}"


def test_the_next_message_carries_the_digest_as_prev() -> None:
    digest = hashlib.sha256(UP["object"].encode()).digest()
    assert envelope.chain_hash_of(digest) == UP["digest"]


def test_the_vectors_message_is_admitted_and_read() -> None:
    payload = f"{UP['object']}\n{UP['mac']}".encode()
    admitted = admit(UP["topic"], payload, REGISTRY)
    assert isinstance(admitted, Admitted)
    message = admitted.decoded.message
    assert message is not None
    assert admitted.decoded.flag is None
    assert (message.era, message.boot, message.seq) == ("m4xq2lzt", 3, 118)
    assert [r.value for r in message.readings] == [412, 431]
    assert (message.battery_mv, message.rssi_dbm, message.old) == (3987, -71, (3, 117))


@pytest.mark.parametrize("case", ENVELOPE["refused"], ids=lambda c: c["name"])
def test_what_has_another_mac_or_shape_is_a_bad_mac(case: dict[str, str]) -> None:
    assert admit(UP["topic"], case["payload"].encode(), REGISTRY) == "bad_mac"


def test_the_gateways_ack_object_is_the_vectors() -> None:
    made = envelope.ack_object("m4xq2lzt", 3, 118, UP["digest"], 1795212003)
    assert made.decode() == ENVELOPE["cases"][1]["object"]


def test_the_leaf_has_its_hash() -> None:
    commit = leaf.commit(bytes.fromhex(LEAF["salt_hex"]), LEAF["body"].encode())
    text = leaf.text(LEAF["kind"], LEAF["time_ms"], LEAF["gateway"], LEAF["subject"], commit)
    assert merkle.leaf_hash(text).hex() == LEAF["leaf_hash"]


def test_a_leafs_lines_are_sorted_and_its_rules_are_kept() -> None:
    commit = leaf.commit(bytes(32), b"{}")
    text = leaf.text("msg", 1, "g1", "-", commit, {"flag": "json", "a": "1"})
    assert text.decode().splitlines()[6:] == ["a=1", "flag=json"]
    for kind, subject, lines in (
        ("MSG", "-", {}),
        ("m", "-", {}),
        ("msg", "", {}),
        ("msg", "é", {}),
        ("msg", "-", {"flag": ""}),
        ("msg", "-", {"flag": "two\nlines"}),
        ("msg", "-", {"flag": "x" * 4096}),
    ):
        with pytest.raises(ValueError, match=r"kind|line|leaf"):
            leaf.text(kind, 1, "g1", subject, commit, lines)


def test_the_message_survives_unknown_names() -> None:
    text = UP["object"].replace('"v":1', '"v":1,"xx":[1,{"y":null}]')
    assert decode(text.encode(), device="k7f3q5").flag is None
