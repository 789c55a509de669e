"""OBJECT, MAC and hash, against the vectors that the gateway reads too."""

import binascii
import json
import sys

from node.storage import clock, envelope, message_json, records
from sealing import seal

with open(sys.argv[2] + "/envelope.json") as _file:
    VECTORS = json.load(_file)

KEY = envelope.Key(binascii.unhexlify(VECTORS["key_hex"]))
TOPIC = "noria/1/%s/up" % VECTORS["device"]


def test_each_vector_seals_to_its_mac():
    for case in VECTORS["cases"]:
        payload = seal(KEY, case["topic"], case["object"].encode())
        assert payload.decode() == case["object"] + "\n" + case["mac"], case["name"]


def test_each_vector_opens_to_its_object():
    for case in VECTORS["cases"]:
        payload = (case["object"] + "\n" + case["mac"]).encode()
        assert envelope.verified(KEY, case["topic"], payload) == case["object"].encode()


def test_the_digest_is_what_the_next_message_carries():
    case = VECTORS["cases"][0]
    assert envelope.b64url(envelope.digest(case["object"].encode())).decode() == case["digest"]


def test_whatever_has_another_mac_or_shape_stays_shut():
    for case in VECTORS["refused"]:
        assert envelope.verified(KEY, TOPIC, case["payload"].encode()) is None, case["name"]


def test_a_message_for_one_topic_does_not_open_on_another():
    payload = seal(KEY, TOPIC, b"{}")
    assert envelope.verified(KEY, TOPIC.replace("/up", "/down"), payload) is None


def test_an_oversize_payload_is_not_even_hashed():
    payload = seal(KEY, TOPIC, b"{" + b" " * 8191 + b"}")
    assert envelope.verified(KEY, TOPIC, payload) is None


def test_composing_spells_the_vector_byte_for_byte():
    head = records.Header()
    head.fw, head.era, head.boot, head.seq = "0.1.0", b"m4xq2lzt", 3, 118
    head.prev = binascii.a2b_base64("q83vEjRWeJCrze8SNFZ4kA==")
    head.up, head.t, head.ts, head.ta, head.next = 70812, 1795212000, clock.NTP, 3600, 900
    head.old_boot, head.old_seq, head.mv, head.rssi = 3, 117, 3987, -71
    text = message_json.head_text(head)
    body = message_json.Body(len(text))
    for sample in (
        records.Sample(70212, "mm", 412, 4, 7, 7, 112),
        records.Sample(70812, "mm", 431, 6, 6, 7, 110),
    ):
        body.add(_Kept(sample), head.up - sample.up)
    assert b"".join(body.object(text)).decode() == VECTORS["cases"][0]["object"]


class _Kept:
    kind = records.SAMPLE

    def __init__(self, sample):
        self.payload = sample.packed()


def test_a_sample_without_any_echo_is_null_without_spread():
    text = message_json.reading_text(records.Sample(10, "mm", None, None, 0, 6), 5)
    assert text == '{"o":5,"mm":null,"n":0,"of":6}', text


def test_a_sample_survives_the_flash_at_its_limits():
    for value, tc in ((2**31 - 1, -400), (-(2**31) + 1, None), (None, 32767)):
        kept = records.sample(records.Sample(2**32 - 1, "g", value, 70000, 7, 7, tc, 3).packed())
        assert (kept.value, kept.tc, kept.spread, kept.channel) == (value, tc, 65535, 3)
        assert kept.up == 2**32 - 1 and kept.quantity == "g"


def test_time_is_zero_exactly_when_it_has_no_source():
    head = records.Header()
    head.era = b"a" * 8
    assert '"t":0,"ts":"none","next"' in message_json.head_text(head)
