"""The fast reading of a usual message never accepts, or reads, what the exact one would not."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.fast import decode_fast
from gateway.wire.fields import message_from
from gateway.wire.strict import Malformed, parse

READING = {"o": 0, "mm": 431, "sp": 6, "n": 6, "of": 7, "tc": 110}
SOUND: dict[str, Any] = {
    "v": 1, "fw": "0.1.0", "era": "m4xq2lzt", "boot": 3, "seq": 118,
    "prev": "q83vEjRWeJCrze8SNFZ4kA", "up": 70812, "t": 1795212000, "ts": "ntp", "ta": 3600,
    "next": 900, "old": [3, 117], "mv": 3987, "rssi": -71, "r": [READING],
}  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab1.:{[]} \x7fé", max_size=30),
    st.lists(st.integers(0, 5), max_size=3),
    st.just([[[[1]]]]),
    st.just([READING, {**READING, "g": 1}]),
)
NAMES = st.sampled_from([*SOUND, *READING, "k", "sg", "e", "x", "pa", "g", "ch"])


def written(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def exact(object_bytes: bytes) -> Any:
    try:
        return message_from(parse(object_bytes), "k7f3q5")
    except Malformed:
        return None


def agrees(object_bytes: bytes) -> bool:
    found = decode_fast(object_bytes)
    return found is None or found.message("k7f3q5") == exact(object_bytes)


def test_a_message_as_nodes_write_it_is_usual() -> None:
    found = decode_fast(written(SOUND))
    assert found is not None
    assert found.message("k7f3q5") == exact(written(SOUND))


def test_new_names_and_another_order_are_usual_too() -> None:
    other = {"x": [{"y": "1.5"}], **dict(reversed(SOUND.items()))}
    found = decode_fast(written(other))
    assert found is not None
    assert found.message("k7f3q5") == exact(written(other))


@settings(max_examples=400)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=3))
def test_whatever_stands_in_a_field_both_readings_agree(
    fields: dict[str, Any], of_reading: dict[str, Any]
) -> None:
    assert agrees(written({**SOUND, "r": [{**READING, **of_reading}], **fields}))


@settings(max_examples=600)
@given(st.data())
def test_whatever_bytes_are_put_in_both_readings_agree(data: st.DataObject) -> None:
    text = written(SOUND)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(
        st.sampled_from(
            [b"", b"-0", b"1.0", b"e1", b'"', b"\\", b" ", b"\x7f", b"\xc3\xa9", b"0", b"99999999",
             b'"boot":3,', b"[[[[", b"]]]]", b'"x":[[[[1]]]],', b"null", b"\n", b'"r":[],']
        )
    )  # fmt: skip
    cut = data.draw(st.integers(0, 3))
    assert agrees(text[:at] + put + text[at + cut :])


@settings(max_examples=600)
@given(st.data())
def test_whatever_bytes_stand_instead_both_readings_agree(data: st.DataObject) -> None:
    fields = {**SOUND, "up": 70000, "t": 1_795_212_000, "sg": 1}
    names = data.draw(st.permutations(list(fields)))
    text = bytearray(written({name: fields[name] for name in names}))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        put = data.draw(
            st.sampled_from(
                [b"7e4", b"7E4  ", b"1e9,", b"-0,", b"1.0", b'"sg":1', b'"mv":1', b" ", b"\\u0031",
                 b'"k":1,', b"e", b".", b"E", b'"x":1,']
            )
        )  # fmt: skip
        text[at : at + data.draw(st.integers(0, 8))] = put
    assert agrees(bytes(text))


def test_an_exponent_that_makes_room_for_something_odd_is_not_usual() -> None:
    text = written({**dict(reversed(SOUND.items())), "up": 1_000_000})
    odd = text.replace(b"1000000", b"1e6    ")
    assert len(odd) == len(text)
    assert decode_fast(odd) is None
    assert agrees(odd)
