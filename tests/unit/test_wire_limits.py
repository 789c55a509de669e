"""Every field of an ``up`` message at its limits, in the exact and in the fast decoder alike."""

import json
from typing import Any

import pytest

from gateway.domain.message import Message, RawEvent, RawReading
from gateway.wire.fast import decode_fast
from gateway.wire.fields import (
    MAX_COUNTER,
    MAX_FW,
    MAX_PROMISE_S,
    is_counter,
    message_from,
    old_from,
)
from gateway.wire.strict import MAX_DEPTH, MAX_INTEGER, Malformed, parse

HASH = "q83vEjRWeJCrze8SNFZ4kA"
HEAD: dict[str, Any] = {
    "v": 1, "fw": "0.1.0", "era": "m4xq2lzt", "boot": 3, "seq": 118, "prev": HASH, "up": 70812,
    "t": 1795212000, "ts": "ntp", "ta": 3600, "next": 900, "old": [3, 117], "k": 2, "sg": 1,
    "mv": 3987, "rssi": -71, "r": [],
}  # fmt: skip
READING = {"o": 600, "mm": 412, "sp": 4, "n": 6, "of": 7, "tc": 112, "ch": 1}
COUNTER, INTEGER = 2**31 - 1, 2**53 - 1


def written(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def exact(fields: dict[str, Any], **how: bool) -> Message | str:
    """The message, or the reason why it is none."""
    try:
        return message_from(parse(written(fields)), "k7f3q5", **how)
    except Malformed as error:
        return error.reason


def fast(fields: dict[str, Any]) -> Message | None:
    return decode_fast(written(fields), "k7f3q5")


def test_the_limits_are_those_of_the_wire() -> None:
    # WIRE.md, section 1.
    assert (MAX_COUNTER, MAX_INTEGER, MAX_PROMISE_S) == (2**31 - 1, 2**53 - 1, 604_800)
    assert (MAX_FW, MAX_DEPTH) == (24, 4)


def test_a_message_with_every_field_is_decoded_to_every_field() -> None:
    given = HEAD | {"r": [READING, {"o": 0, "mm": None}]}
    expected = Message(
        "k7f3q5", "0.1.0", "m4xq2lzt", 3, 118, HASH, 70812, 1795212000, "ntp", 900, (3, 117), 3600,
        2, 3987, -71, True,
        (RawReading(600, "mm", 412, 4, 6, 7, 112, 1), RawReading(0, "mm", None)),
    )  # fmt: skip
    assert exact(given) == fast(given) == expected


def test_a_message_with_no_optional_field_has_their_defaults() -> None:
    given = {n: v for n, v in HEAD.items() if n not in ("ta", "k", "sg", "mv", "rssi")}
    given |= {"prev": "", "r": [{"o": 0, "g": -5}, {"o": 1, "pa": 7, "tc": -3}]}
    expected = Message(
        "k7f3q5", "0.1.0", "m4xq2lzt", 3, 118, "", 70812, 1795212000, "ntp", 900, (3, 117), None,
        1, None, None, False,
        (RawReading(0, "g", -5), RawReading(1, "pa", 7, temperature_dc=-3)),
    )  # fmt: skip
    assert exact(given) == fast(given) == expected


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("v", [1], [0, 2, True, "1", None]),
        ("fw", ["", "x" * 24], ["x" * 25, 1, None]),
        ("era", ["a2345672", "zzzzzzzz"],
         ["a234567", "a23456722", "a2345671", "a2345678", "A2345672", 7, None]),
        ("boot", [1, COUNTER], [0, -1, COUNTER + 1, True, "1", None]),
        ("seq", [1, COUNTER], [0, -1, COUNTER + 1, True, "1", None]),
        ("prev", ["", "A_-z" * 5 + "09"], ["A" * 21, "A" * 23, "A" * 21 + "+", 1, None]),
        ("up", [0, INTEGER], [-1, True, "1", None]),
        ("t", [1, INTEGER], [True, "1", None]),
        ("ts", ["ntp", "gnss", "net", "gw", "none"], ["NTP", "sun", "", 1, None]),
        ("ta", [0, INTEGER], [-1, True, "1"]),
        ("next", [0, 604_800], [-1, 604_801, True, "1", None]),
        ("old", [[1, 1], [COUNTER, COUNTER]],
         [[0, 1], [1, 0], [COUNTER + 1, 1], [1, COUNTER + 1], [1], [1, 1, 1], [True, 1],
          [1, True], [1, "1"], [], {}, 1, None]),
        ("k", [1, COUNTER], [0, -1, COUNTER + 1, True, "1"]),
        ("mv", [0, 1_000_000], [-1, 1_000_001, True, "1"]),
        ("rssi", [-1000, 1000], [-1001, 1001, True, "1"]),
        ("r", [[]], [{}, 1, None, [1], [None], [[]]]),
        ("e", [[]], [{}, 1, [1], [None], [[]]]),
    ],
)  # fmt: skip
def test_each_field_has_its_range(name: str, allowed: list[Any], refused: list[Any]) -> None:
    for value in allowed:
        given = HEAD | {name: value}
        assert isinstance(exact(given), Message), value
        assert fast(given) == exact(given), value
    for value in refused:
        given = HEAD | {name: value}
        assert exact(given) == ("version" if name == "v" else "bad_field"), value
        assert fast(given) is None, value


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("o", [0, INTEGER], [-1, True, "1", None]),
        ("mm", [0, COUNTER, None], [-1, COUNTER + 1, True, "1"]),
        ("g", [-COUNTER, COUNTER, None], [-COUNTER - 1, COUNTER + 1, True, "1"]),
        ("pa", [-COUNTER, COUNTER, None], [-COUNTER - 1, COUNTER + 1, True, "1"]),
        ("sp", [0, COUNTER], [-1, COUNTER + 1, True, "1"]),
        ("n", [0, COUNTER], [-1, COUNTER + 1, True, "1"]),
        ("of", [0, COUNTER], [-1, COUNTER + 1, True, "1"]),
        ("tc", [-COUNTER, COUNTER], [-COUNTER - 1, COUNTER + 1, True, "1"]),
        ("ch", [0, COUNTER], [-1, COUNTER + 1, True, "1"]),
    ],
)
def test_each_field_of_a_reading_has_its_range(
    name: str, allowed: list[Any], refused: list[Any]
) -> None:
    order = ("o", "mm", "g", "pa", "sp", "n", "of", "tc", "ch")

    def reading(value: Any) -> dict[str, Any]:
        others = {n: v for n, v in READING.items() if n != "mm" or name not in ("g", "pa")}
        return dict(sorted((others | {name: value}).items(), key=lambda one: order.index(one[0])))

    for value in allowed:
        given = HEAD | {"r": [reading(value)]}
        found = exact(given)
        assert isinstance(found, Message), value
        assert fast(given) == found, value
        if name in ("mm", "g", "pa"):
            assert (found.readings[0].quantity, found.readings[0].value) == (name, value)
    for value in refused:
        given = HEAD | {"r": [READING, reading(value)]}
        assert exact(given) == "bad_field", value
        assert fast(given) is None, value


@pytest.mark.parametrize(
    "reading",
    [{"o": 1}, {"mm": 1}, {"o": 1, "mm": 1, "g": 1}, {"o": 1, "mm": 1, "pa": 1},
     {"o": 1, "g": 1, "pa": 1}, {"o": 1, "mm": 1, "g": 1, "pa": 1}, {"o": 1, "mm": None, "g": None},
     {"o": 1, "ml": 1}, {"o": 1, "bp": 1}],
    ids=str,
)  # fmt: skip
def test_a_reading_has_its_age_and_exactly_one_quantity(reading: dict[str, Any]) -> None:
    given = HEAD | {"r": [READING, reading]}
    assert exact(given) == "bad_reading"
    assert fast(given) is None


def test_a_feed_alone_may_report_litres_and_parts_of_the_capacity() -> None:
    given = HEAD | {"r": [{"o": 1, "ml": -5}, {"o": 1, "bp": 9999}]}
    found = exact(given, feed=True)
    assert isinstance(found, Message)
    assert [(r.quantity, r.value) for r in found.readings] == [("ml", -5), ("bp", 9999)]
    assert exact(HEAD | {"r": [{"o": 1, "ml": 1, "bp": 1}]}, feed=True) == "bad_reading"


@pytest.mark.parametrize(
    ("changed", "accepted"),
    [
        ({"ta": None}, True), ({"k": None}, True), ({"mv": None}, True), ({"rssi": None}, True),
        *(({"r": [READING, READING | {n: None}]}, True) for n in ("sp", "n", "of", "tc", "ch")),
        ({"r": [READING | {"mm": None}]}, False),
        ({}, False),
        ({"sg": None}, False),
    ],
    ids=str,
)  # fmt: skip
def test_null_for_a_field_that_may_be_absent_is_marked(
    changed: dict[str, Any], accepted: bool
) -> None:
    found = exact(HEAD | changed)
    assert isinstance(found, Message)
    assert found.has_null is accepted
    if accepted:
        assert fast(HEAD | changed) is None
        absent = {n: v for n, v in HEAD.items() if n not in changed or n == "r"}
        readings = [{n: v for n, v in r.items() if v is not None} for r in changed.get("r", [])]
        assert found._replace(has_null=False) == exact(absent | {"r": readings})


@pytest.mark.parametrize(("sg", "signed"), [(1, True), (0, False), (2, False), (True, False)])
def test_only_the_number_1_announces_a_signature(sg: object, signed: bool) -> None:
    found = exact(HEAD | {"sg": sg})
    assert isinstance(found, Message)
    assert found.signed is signed
    quick = fast(HEAD | {"sg": sg})
    assert quick is None or quick == found


def test_a_negative_time_is_well_formed_and_left_to_the_exact_decoder() -> None:
    for t in (-1, -INTEGER):
        found = exact(HEAD | {"t": t})
        assert isinstance(found, Message)
        assert found.t == t
        assert fast(HEAD | {"t": t}) is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"o": 1}, "bad_event"),
        ({"k": "lid"}, "bad_event"),
        ({"o": 1, "k": ""}, "bad_event"),
        ({"o": 1, "k": 7}, "bad_event"),
        ({"o": 1, "k": None}, "bad_event"),
        ({"o": 1, "k": "x" * 25}, "bad_event"),
        ({"o": -1, "k": "lid"}, "bad_field"),
        ({"o": True, "k": "lid"}, "bad_field"),
    ],
    ids=str,
)
def test_an_event_has_its_age_and_a_kind_of_1_to_24_characters(
    event: dict[str, Any], reason: str
) -> None:
    assert exact(HEAD | {"e": [{"o": 1, "k": "lid"}, event]}) == reason


def test_events_keep_their_scalar_fields() -> None:
    events = [
        {"o": 0, "k": "x"},
        {"o": INTEGER, "k": "x" * 24, "a": None, "b": True, "c": "t", "d": -1, "e": [], "f": {}},
    ]
    found = exact(HEAD | {"e": events})
    assert isinstance(found, Message)
    fields = {"a": None, "b": True, "c": "t", "d": -1}
    assert found.events == (RawEvent(0, "x"), RawEvent(INTEGER, "x" * 24, fields))
    assert fast(HEAD | {"e": events}) is None
    without = exact(HEAD)
    assert isinstance(without, Message)
    assert without.events == ()


def test_replay_fills_what_a_recording_lacks_and_keeps_what_it_has() -> None:
    bare = {"boot": 1, "seq": 4, "up": 9, "t": 5, "next": 900}
    expected = Message("k7f3q5", "", "a" * 8, 1, 4, "", 9, 5, "ntp", 900, (1, 4))
    assert exact(bare, trust=True) == expected
    assert exact(bare) == "missing_field"
    assert exact(bare | {"t": 0}, trust=True) == expected._replace(t=0, ts="none")
    odd = bare | {"era": "X", "prev": 7, "old": 7, "ts": "gw"}
    assert exact(odd, trust=True) == expected._replace(ts="gw")
    kept = bare | {"era": "bbbbbbbb", "prev": HASH, "fw": "9", "r": [{"o": 1, "mm": 2}]}
    assert exact(kept, trust=True) == expected._replace(
        era="bbbbbbbb", prev=HASH, fw="9", readings=(RawReading(1, "mm", 2),)
    )
    assert exact(bare | {"v": 2}, trust=True) == "version"
    assert exact(bare | {"boot": 0}, trust=True) == "bad_field"
    assert exact({"seq": 4}, trust=True) == "missing_field"


def test_old_and_counters_are_pairs_of_positive_31_bit_integers() -> None:
    assert old_from([1, COUNTER]) == (1, COUNTER)
    for value in ([0, 1], [1, COUNTER + 1], [1, True], [1, 1.0], [1], (1, 1), None, "11"):
        assert old_from(value) is None, value
    assert [is_counter(v) for v in (0, 1, COUNTER, COUNTER + 1)] == [False, True, True, False]
    assert [is_counter(v) for v in (True, 1.0, "1", None)] == [False] * 4


def test_the_fast_decoder_takes_ascii_of_the_wire_alone() -> None:
    for fw in (" ", "!", "#", "[", "]", "~"):
        assert fast(HEAD | {"fw": fw}) == exact(HEAD | {"fw": fw})
    for raw in (b"\x7f", b"\x1f", b"\xc3\xa9", b"\xff"):
        assert decode_fast(written(HEAD | {"fw": "?"}).replace(b"?", raw), "k7f3q5") is None
    assert decode_fast(b"[" * 5000, "k7f3q5") is None
    assert decode_fast(b"", "k7f3q5") is None


def test_a_fast_message_has_its_key_generation_and_whether_it_is_signed() -> None:
    found = fast(HEAD)
    assert found is not None
    assert (found.key_generation, found.signed) == (2, True)
    bare = fast({n: v for n, v in HEAD.items() if n not in ("k", "sg")})
    assert bare is not None
    assert (bare.key_generation, bare.signed) == (1, False)
