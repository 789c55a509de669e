"""Fields, ranges and flags of an ``up`` message, and what is read of a malformed one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import decode
from gateway.wire import decoded as decoded_module
from gateway.wire.decoded import FAULT
from gateway.wire.salvage import salvage

SOUND: dict[str, Any] = {
    "v": 1, "fw": "0.1.0", "era": "m4xq2lzt", "boot": 3, "seq": 118,
    "prev": "q83vEjRWeJCrze8SNFZ4kA", "up": 70812, "t": 1795212000, "ts": "ntp", "next": 900,
    "old": [3, 117], "r": [{"o": 0, "mm": 431, "sp": 6, "n": 6, "of": 7}],
}  # fmt: skip
REQUIRED = ("v", "fw", "era", "boot", "seq", "prev", "up", "t", "ts", "next", "old", "r")


def read(**changed: Any) -> Any:
    return decode(json.dumps(SOUND | changed).encode(), device="k7f3q5")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_that_is_missing_makes_it_malformed(name: str) -> None:
    left = {n: v for n, v in SOUND.items() if n != name}
    decoded = decode(json.dumps(left).encode(), device="k7f3q5")
    assert decoded.message is None
    assert decoded.flag == "missing_field"
    readable = name not in ("era", "boot", "seq")
    assert decoded.identity == (("m4xq2lzt", 3, 118) if readable else None)


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"v": 2}, "version"),
        ({"v": True}, "version"),
        ({"boot": 0}, "bad_field"),
        ({"seq": 2**31}, "bad_field"),
        ({"seq": True}, "bad_field"),
        ({"era": "M4XQ2LZT"}, "bad_field"),
        ({"prev": "short"}, "bad_field"),
        ({"fw": "x" * 25}, "bad_field"),
        ({"ts": "sun"}, "bad_field"),
        ({"next": 604801}, "bad_field"),
        ({"next": -1}, "bad_field"),
        ({"old": [3]}, "bad_field"),
        ({"old": [0, 1]}, "bad_field"),
        ({"r": [{"o": 0, "mm": 1, "g": 2}]}, "bad_reading"),
        ({"r": [{"o": 0}]}, "bad_reading"),
        ({"r": [{"mm": 1}]}, "bad_reading"),
        ({"r": [{"o": -1, "mm": 1}]}, "bad_field"),
        ({"r": {}}, "bad_field"),
        ({"r": [1]}, "bad_field"),
        ({"e": [{"o": 0}]}, "bad_event"),
    ],
)
def test_what_is_out_of_range_is_flagged_and_kept_from_store_and_watch(
    changed: dict[str, Any], flag: str
) -> None:
    decoded = read(**changed)
    assert (decoded.message, decoded.flag) == (None, flag)


def test_no_echo_is_a_reading_without_a_value() -> None:
    assert read(r=[{"o": 5, "mm": None, "n": 0, "of": 7}]).message.readings[0].value is None


def test_a_signed_weight_and_pressure_may_be_below_zero() -> None:
    message = read(r=[{"o": 0, "g": -150}, {"o": 0, "pa": -20, "ch": 1}]).message
    assert [(r.quantity, r.value, r.channel) for r in message.readings] == [
        ("g", -150, 0),
        ("pa", -20, 1),
    ]


def test_a_clock_ten_years_off_is_no_fault_of_form() -> None:
    assert read(t=1795212000 + 315_360_000).flag is None


def test_a_clock_without_a_source_is_flagged_and_not_used() -> None:
    for changed in ({"ts": "none"}, {"t": 0}, {"t": -1}, {"t": -(2**53) + 1, "ts": "gw"}):
        decoded = read(**changed)
        assert decoded.flag == "time_source"
        assert (decoded.message.t, decoded.message.ts) == (0, "none")


@pytest.mark.parametrize("place", [(3, 118), (1, 2), (2, 1)])
def test_an_empty_prev_past_the_eras_first_message_is_flagged_but_its_readings_count(
    place: tuple[int, int],
) -> None:
    decoded = read(prev="", boot=place[0], seq=place[1], old=[1, 1])
    assert (decoded.flag, decoded.prev, len(decoded.message.readings)) == ("prev_empty", None, 1)
    malformed = read(prev="", boot=place[0], seq=place[1], r=7)
    assert (malformed.identity, malformed.prev) == (("m4xq2lzt", *place), None)


def test_the_eras_first_message_has_an_empty_prev() -> None:
    assert read(prev="", boot=1, seq=1, old=[1, 1]).flag is None


@pytest.mark.parametrize(
    "changed",
    [*({n: None} for n in ("ta", "k", "mv", "rssi")), {"r": [{"o": 1, "g": 9, "sp": None}]}],
)
def test_null_for_a_field_that_may_be_absent_is_flagged_and_read_as_absent(
    changed: dict[str, Any],
) -> None:
    decoded = read(**changed)
    assert (decoded.flag, len(decoded.message.readings)) == ("null_field", 1)


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ('{"era":7,"k":4}', 4),
        ('{"era":7}', 1),  # absent is 1
        ('{"era":7,"k":4,"k":5}', None),
        ('{"era":7,"k":"4"}', None),
        ('{"era":7,', None),  # cut: it may have been there
        ('{"era":7,"k":3,', 3),
    ],
)
def test_a_malformed_messages_key_generation_is_read_where_it_can_be(
    text: str, generation: int | None
) -> None:
    assert salvage(text.encode()).key_generation == generation


def test_events_keep_their_own_fields_by_name() -> None:
    event = read(e=[{"o": 4, "k": "motion", "mg": 900, "ms": 6000, "x": [1]}]).message.events[0]
    assert (event.age_s, event.kind, dict(event.fields)) == (4, "motion", {"mg": 900, "ms": 6000})


def test_trust_fills_what_a_recording_lacks() -> None:
    text = b'{"boot":1,"seq":4,"up":9,"t":1795212000,"next":900,"r":[{"o":0,"mm":400}]}'
    decoded = decode(text, device="k7f3q5", trust=True)
    assert decoded.flag is None
    assert decoded.message is not None
    assert decoded.message.old == (1, 4)
    assert decode(text, device="k7f3q5").flag == "missing_field"


# What is still read of a malformed one


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ('{"era":"m4xq2lzt","boot":1,"seq":2,"r":[', ("m4xq2lzt", 1, 2)),
        ('{"era":"m4xq2lzt","boot":1,"seq":2', None),  # cut: it may have been 23
        ('{"era":"m4xq2lzt","boot":1,"seq":2,"seq":3}', None),
        ('{"era":"m4xq2lzt","boot":1,"seq":2,"r":[],"r":[]}', ("m4xq2lzt", 1, 2)),
        ('{"era":"m4xq2lzt","boot":0,"seq":2}', None),
        ('{"era":"m4xq2lzt","boot":1.5,"seq":2}', None),
        ('{"era":"m4xq2lzt","boot":1,"seq":2147483648}', None),
        ('{"era":"M4XQ2LZT","boot":1,"seq":2}', None),
        ('{"era":"m4xq2lzt","boot":1,"seq":2,"e":[{"seq":9}]}', ("m4xq2lzt", 1, 2)),
        ('{"era":"m4xq2lzt","boot":1,"seq":2,"fw":"é"}', ("m4xq2lzt", 1, 2)),
        ('{"era":"m4xq2lzt","boot":1,"seq":' + "1" * 30 + "}", None),
        ("", None),
        ("[" * 5000, None),
    ],
)
def test_an_identity_is_read_where_exactly_one_is_well_formed(
    text: str, identity: tuple[str, int, int] | None
) -> None:
    assert salvage(text.encode("utf-8")).identity == identity


@given(st.binary(max_size=200))
def test_decoding_never_raises(raw: bytes) -> None:
    decoded = decode(raw, device="k7f3q5")
    assert decoded.flag not in (None, FAULT)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=3))
def test_decoding_a_damaged_message_never_raises(at: int, put: bytes) -> None:
    text = json.dumps(SOUND).encode()
    decoded = decode(text[:at] + put + text[at + len(put) :], device="k7f3q5")
    assert decoded.message is None or decoded.message.device == "k7f3q5"
    assert decoded.flag != FAULT


@pytest.mark.parametrize("space", [b"\xa0", b"\x85", b"\x1f", b"\t", b"\x0b"])
def test_salvage_accepts_no_space_that_only_python_accepts(space: bytes) -> None:
    text = b'{"era":"m4xq2lzt","boot":1,"seq":2,"old":[1%s,1],"k":%s3,' % (space, space)
    seen = salvage(text)
    assert (seen.identity, seen.old, seen.key_generation) == (("m4xq2lzt", 1, 2), None, None)


def test_a_fault_of_the_decoder_flags_the_message_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_text: bytes) -> None:
        raise IndexError("ours")

    monkeypatch.setattr(decoded_module, "parse", fails)
    found = decode(b'{"only":"here"}', device="k7f3q5")
    assert (found.message, found.flag, found.identity) == (None, FAULT, None)
    assert "could not be decoded" in caplog.text
