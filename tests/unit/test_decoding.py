"""From OBJECT to message: the chain's fields, each oddity's flag, and what the journal adds."""

import json
import logging
from typing import Any

import msgspec
import pytest

from gateway.domain import envelope
from gateway.domain.entry import Entry
from gateway.wire import decoded
from gateway.wire.decoded import AS, FAULT, FEED_ERA, Decoded, decode, message_of
from gateway.wire.fields import message_from
from gateway.wire.strict import Malformed

KEY = bytes(range(32))
TOPIC = "noria/1/k7f3q5/up"
HASH = "q83vEjRWeJCrze8SNFZ4kA"
SOUND: dict[str, Any] = {
    "v": 1, "fw": "1", "era": "m4xq2lzt", "boot": 1, "seq": 2, "prev": HASH, "up": 1,
    "t": 1795212000, "ts": "ntp", "next": 900, "old": [1, 1], "r": [{"o": 0, "mm": 400}],
}  # fmt: skip


def written(**more: Any) -> bytes:
    return json.dumps(SOUND | more, separators=(",", ":")).encode()


def sealed(**more: Any) -> bytes:
    return envelope.seal(KEY, TOPIC, written(**more))


def read(how: dict[str, bool] | None = None, **more: Any) -> Decoded:
    return decode(written(**more), device="k7f3q5", **(how or {}))


def test_a_sound_message_has_its_chain_fields_and_no_flag() -> None:
    events: dict[str, Any] = {"e": [{"o": 1, "k": "lid"}]}
    for more in ({}, events):  # fast and exact
        found = read(k=3, sg=1, **more)
        chain = (found.identity, found.prev, found.old, found.key_generation, found.signed)
        assert chain == (("m4xq2lzt", 1, 2), HASH, (1, 1), 3, True)
        assert (found.flag, found.auth) == (None, "mac")
        assert found.message is not None
        assert (found.message.device, found.message.key_generation) == ("k7f3q5", 3)
        assert found.message is found.message
    assert read().key_generation == 1
    assert Decoded(None, None, None) == Decoded(None, None, None, None, None, None, False, "mac")
    assert Decoded(None, None, None).message is None


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ({}, None),
        ({"t": 0}, "time_source"),
        ({"t": 0, "ts": "gnss"}, "time_source"),
        ({"t": 0, "ts": "net"}, "time_source"),
        ({"t": 0, "ts": "gw"}, "time_source"),
        ({"ts": "none"}, "time_source"),
        ({"t": 0, "ts": "none"}, None),
        ({"t": -1}, "time_source"),
        ({"t": -1, "ts": "none"}, "time_source"),
        ({"t": 1}, None),
        ({"prev": ""}, "prev_empty"),
        ({"prev": "", "boot": 2, "seq": 1}, "prev_empty"),
        ({"prev": "", "boot": 2, "seq": 2}, "prev_empty"),
        ({"prev": "", "boot": 1, "seq": 1}, None),
        ({"prev": HASH, "boot": 1, "seq": 1}, None),
        ({"mv": None}, "null_field"),
        ({"t": 0, "prev": "", "mv": None}, "time_source"),
        ({"prev": "", "mv": None}, "prev_empty"),
    ],
    ids=str,
)
@pytest.mark.parametrize("events", [{}, {"e": [{"o": 1, "k": "lid"}]}], ids=["fast", "exact"])
def test_an_oddity_flags_a_message_that_is_used_all_the_same(
    more: dict[str, Any], flag: str | None, events: dict[str, Any]
) -> None:
    found = read(**more, **events)
    assert found.flag == flag
    assert found.message is not None
    expected = (0, "none") if flag == "time_source" else (more.get("t", SOUND["t"]),
                                                          more.get("ts", "ntp"))  # fmt: skip
    assert (found.message.t, found.message.ts) == expected
    prev = more.get("prev", HASH)
    is_first = found.identity == ("m4xq2lzt", 1, 1)
    assert found.prev == (prev if prev or is_first else None)
    assert read({"trust": True}, **more, **events).flag is None
    assert read({"trust": True}, **more, **events).prev == prev


def test_a_feed_has_no_chain_and_may_report_litres() -> None:
    found = read({"feed": True}, prev="", r=[{"o": 0, "ml": 5}])
    assert (found.flag, found.prev) == (None, None)
    assert read({"feed": True}, t=0).flag == "time_source"
    assert read(r=[{"o": 0, "ml": 5}]).flag == "bad_reading"
    assert FEED_ERA == "unsigned"


def test_the_chain_of_a_malformed_message_is_salvaged() -> None:
    found = read(r=7, k=4)
    assert (found.flag, found.message, found.signed) == ("bad_field", None, False)
    assert (found.identity, found.prev, found.old) == (("m4xq2lzt", 1, 2), HASH, (1, 1))
    assert found.key_generation == 4
    assert (read(r=7, prev="").prev, read(r=7, prev="", seq=1).prev) == (None, "")
    unknown = read(r=7, prev="", era="X")
    assert (unknown.identity, unknown.prev) == (None, "")


def test_a_usual_message_takes_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    usual: list[dict[str, Any]] = [
        {}, {"up": 2}, {"prev": "", "boot": 1, "seq": 1}, {"t": 0, "ts": "none"},
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.delattr(decoded, "_decode_exactly")
        for more in usual:
            assert read(fw="fast", **more).message is not None, more
        for more in (*usual, {"prev": ""}, {"t": 0}):
            assert read({"trust": True}, fw="fast", **more).message is not None, more
    trusted = read({"trust": True}, fw="fast")
    assert trusted.old == (1, 2), "replay declares no gap"


def test_the_same_bytes_are_decoded_once() -> None:
    assert read() is read()
    assert decoded._decode.cache_parameters()["maxsize"] == 512, "what watch and store lag behind"
    assert decode(written(), device="other") is not read()


def test_a_fault_of_the_program_flags_the_message_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken: Any = _Broken(b"{}")
    with caplog.at_level(logging.ERROR):
        found = decode(broken, device="k7f3q5")
    assert found == Decoded(None, FAULT, None)
    assert FAULT == "unreadable"
    assert "device k7f3q5: an object could not be decoded: IndexError" in caplog.text
    assert caplog.records[0].exc_info


class _Broken(bytes):
    """Bytes that no decoder can read."""

    def startswith(self, *_: Any) -> bool:
        raise IndexError


def entry(body: bytes, **fields: Any) -> Entry:
    return Entry(1, 2.0, "msg", "k7f3q5", TOPIC.encode() + b"\n" + body, **fields)


def test_a_journal_entry_is_decoded_with_the_journals_flag_and_auth() -> None:
    assert message_of(entry(sealed())) is read()
    assert message_of(entry(sealed(), auth="mac")) is read()
    signed = message_of(entry(sealed() + b"\n" + b"A" * 86, auth="sig"))
    assert (signed.auth, signed.flag, signed.message) == ("sig", None, read().message)
    flagged = message_of(entry(sealed(), flag="sig_wrong", auth="mac"))
    assert (flagged.auth, flagged.flag) == ("mac", "sig_wrong")
    odd = message_of(entry(sealed(mv=None), flag="sig_missing"))
    assert odd.flag == "sig_missing"
    assert message_of(entry(sealed(mv=None))).flag == "null_field"
    both = message_of(entry(sealed(mv=None), flag="null_field", auth="mac"))
    assert both is read(mv=None)
    bare = b'{"boot":1,"seq":2,"up":3,"t":5,"next":6}\nMAC'
    assert message_of(entry(bare)).flag == "missing_field"


def test_a_third_party_message_is_decoded_from_its_translation() -> None:
    text = written(prev="", r=[{"o": 0, "bp": 5000}])
    found = message_of(entry(b"{}", auth="unsigned", lines={AS: text.decode()}))
    assert (found.auth, found.flag) == ("unsigned", None)
    assert found.message is not None
    assert found.message.readings[0].value == 5000
    assert AS == "as"
    untranslated = message_of(entry(written(prev=""), auth="unsigned", lines={"flag": "x"}))
    assert untranslated.identity == ("m4xq2lzt", 1, 2)
    assert msgspec.structs.replace(untranslated, auth="mac").message is not None


def test_the_error_names_the_field_and_what_is_allowed() -> None:
    table: tuple[tuple[dict[str, Any], str], ...] = (
        ({"boot": 0}, "boot = 0, not within 1..2147483647"),
        ({"boot": "x"}, "boot is not an integer"),
        ({"fw": "x" * 25}, "fw is not a text of at most 24 characters"),
        ({"era": "x"}, "era is not of the form"),
        ({"ts": "sun"}, "ts is none of ntp, gnss, net, gw, none"),
        ({"r": 1}, "r is not a list"),
        ({"r": [1]}, "r has an item that is not an object"),
        ({"old": 1}, r"old is not \[boot, seq\]"),
        ({"v": 2}, "version: 2"),
        ({"r": [{}]}, "exactly one of mm, g, pa"),
        ({"r": [{"g": 1}]}, "no o"),
        ({"e": [{}]}, "an event has o and k"),
    )
    for changed, detail in table:
        with pytest.raises(Malformed, match=detail):
            message_from(SOUND | changed, "k7f3q5")
    with pytest.raises(Malformed, match="missing_field: v"):
        message_from({}, "k7f3q5")
