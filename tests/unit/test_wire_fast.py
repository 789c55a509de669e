"""What the fast decoder accepts, the exact one accepts with the same values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.fast import decode_fast
from gateway.wire.fields import message_from
from gateway.wire.strict import Malformed, parse
from tests.properties import examples

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


def exact(object_bytes: bytes, *, trust: bool = False) -> Any:
    try:
        return message_from(parse(object_bytes), "k7f3q5", trust=trust)
    except Malformed:
        return None


def fast(object_bytes: bytes, *, trust: bool = False) -> Any:
    return decode_fast(object_bytes, "k7f3q5", trust=trust)


def agrees(object_bytes: bytes) -> bool:
    return all(
        fast(object_bytes, trust=trust) in (None, exact(object_bytes, trust=trust))
        for trust in (False, True)
    )


@pytest.mark.parametrize(
    "more",
    [{}, {"k": 2, "sg": 1, "mv": 3987, "rssi": -71}, {"sg": 0}],
    ids=["plain", "signed", "sg"],
)
def test_a_message_as_nodes_write_it_is_decoded_fast(more: dict[str, int]) -> None:
    head = {name: SOUND[name] for name in SOUND if name not in ("mv", "rssi", "r")}
    text = written({**head, **more, "r": [READING, {"o": 5, "mm": None, "n": 0, "of": 7}]})
    found = fast(text)
    assert found is not None
    assert found == exact(text)


def test_a_message_in_another_order_is_decoded_fast_with_the_same_values() -> None:
    text = written({**dict(reversed(SOUND.items())), "r": [dict(reversed(READING.items()))]})
    found = fast(text)
    assert found is not None
    assert found == exact(text)


def test_blanks_between_names_and_values_are_decoded_fast() -> None:
    text = json.dumps(SOUND).encode()
    assert b", " in text and b": " in text
    assert fast(text) == exact(text)
    assert fast(text) is not None
    for odd in (b" " + text, text + b" ", text.replace(b", ", b",\t"), text.replace(b", ", b",\n"),
                text.replace(b", ", b",\r")):  # fmt: skip
        assert (fast(odd), exact(odd)) == (None, None), odd


def test_a_recording_is_decoded_fast_without_what_trust_fills() -> None:
    lacks = ("v", "fw", "era", "prev", "ts", "old", "r")
    for t in (SOUND["t"], 0):
        bare = {name: value for name, value in SOUND.items() if name not in lacks} | {"t": t}
        assert fast(written(bare), trust=True) == exact(written(bare), trust=True)
        assert fast(written(bare), trust=True) is not None
        assert fast(written(bare)) is None
    whole = written(SOUND)
    assert fast(whole, trust=True) == fast(whole)._replace(old=(3, 118))
    for name in lacks:
        less = written({n: value for n, value in SOUND.items() if n != name})
        assert fast(less) is None, name
        assert fast(less, trust=True) == exact(less, trust=True)
        assert fast(less, trust=True) is not None, name


@pytest.mark.parametrize(
    "fields",
    [
        {"x": [{"y": "1.5"}], **SOUND},
        {**SOUND, "e": [{"o": 1, "k": "knock"}]},
        {**SOUND, "mv": None},
    ],
    ids=["unknown name", "event", "null"],
)
def test_all_else_is_left_to_the_exact_decoder(fields: dict[str, Any]) -> None:
    assert exact(written(fields)) is not None
    assert fast(written(fields)) is None


@pytest.mark.parametrize("name", ["fw", "era", "prev"])
def test_a_text_that_ends_with_an_escaped_line_end_is_not_taken_for_one_without(name: str) -> None:
    text = written({**SOUND, name: SOUND[name] + "\n"})
    assert (fast(text), exact(text)) == (None, None)


@examples(times=4)
@given(
    st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=3),
    st.sets(NAMES, max_size=4),
)  # fmt: skip
def test_for_any_value_of_a_field_both_decoders_agree(
    fields: dict[str, Any], of_reading: dict[str, Any], lacks: set[str]
) -> None:
    given = {**SOUND, "r": [{**READING, **of_reading}], **fields}
    assert agrees(written(given))
    assert agrees(written({name: value for name, value in given.items() if name not in lacks}))


@examples(times=6)
@given(st.data())
def test_for_any_inserted_bytes_both_decoders_agree(data: st.DataObject) -> None:
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


@examples(times=6)
@given(st.data())
def test_for_any_replaced_bytes_both_decoders_agree(data: st.DataObject) -> None:
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


def test_an_exponent_of_the_same_length_is_not_decoded_fast() -> None:
    text = written({**dict(reversed(SOUND.items())), "up": 1_000_000})
    odd = text.replace(b"1000000", b"1e6    ")
    assert len(odd) == len(text)
    assert fast(odd) is None
    assert agrees(odd)
