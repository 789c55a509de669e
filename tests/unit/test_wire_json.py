"""The strict JSON of an OBJECT, against the standard library's parser with the same strictness."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.strict import MAX_INTEGER, Malformed, parse
from tests.hostile import objects
from tests.properties import EXAMPLES
from tests.wire_node import validity

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "objects.json").read_text("utf-8"))

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'))
NUMBER = st.integers(-MAX_INTEGER, MAX_INTEGER)
SCALAR = st.none() | st.booleans() | NUMBER | TEXT
SPACE = st.sampled_from(["", "", " ", "  "])


def nested(depth: int) -> st.SearchStrategy[Any]:
    if depth == 0:
        return SCALAR
    inner = nested(depth - 1)
    return SCALAR | st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)


OBJECTS = st.dictionaries(TEXT, nested(3), max_size=5)


def refused(text: str | bytes) -> str:
    with pytest.raises(Malformed) as caught:
        parse(text if isinstance(text, bytes) else text.encode())
    return caught.value.reason


@given(OBJECTS)
def test_every_allowed_object_is_decoded_unchanged(value: dict[str, Any]) -> None:
    assert parse(json.dumps(value, separators=(",", ":")).encode()) == value
    assert parse(json.dumps(value, separators=(" , ", " : ")).encode()) == value


PIECES = st.sampled_from(
    ['"a"', '"b"', ":", ",", "{", "}", "[", "]", "1", "-0", "0", "1.0", "1e3", "true", "null", " ",
     "9007199254740992", "-9007199254740991", "NaN", '":', "\\", "é", "\t", '"a":1', '"b":[{}]']
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_bytes_get_the_same_verdict_from_another_parser(inside: str) -> None:
    text = "{" + inside + "}"
    try:
        expected = validity.read(text.encode())
    except validity.Wrong:
        refused(text)
    else:
        assert parse(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a":1,"a":1}', "duplicate_name"),
        ('{"e":[{"k":1,"o":2,"k":3}]}', "duplicate_name"),
        ('{"a":{"b":{"c":{"d":{}}}}}', "depth"),
        ('{"a":[[[[]]]]}', "depth"),
        ('{"a":9007199254740992}', "number"),
        ('{"a":-9007199254740992}', "number"),
        ('{"a":' + "1" * 30 + "}", "number"),
        ('{"a":' + "1" * 5000 + "}", "json"),
        ('{"a":-0}', "number"),
        ('{"a":1.0}', "number"),
        ('{"a":1e2}', "number"),
        ('{"a":NaN}', "json"),
        ('{"a":01}', "json"),
        ('{"a":"\\u0062"}', "backslash"),
        ('{"\\u0061":1}', "backslash"),
        ('{"a":1}{}', "json"),
        ('{"a":1} ', "json"),
        (' {"a":1}', "json"),
        ("[]", "json"),
        ("", "json"),
        ('{"a":"é"}', "bytes"),
        ('{"a":\t1}', "bytes"),
        ('{"a":"\x7f"}', "bytes"),
        ('{"a":' * 1600 + "1" + "}" * 1600, "depth"),
        ('{"a":' + "[" * 4000 + "]" * 4000 + "}", "depth"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, reason: str) -> None:
    assert refused(text) == reason


def test_the_largest_integers_and_depth_are_allowed() -> None:
    assert parse(b'{"a":9007199254740991,"b":-9007199254740991}')["a"] == MAX_INTEGER
    assert parse(b'{"a":[{"b":[]}]}') == {"a": [{"b": []}]}
    assert parse(b'{"a":"-0 : \'{[","b":"-0"}')["b"] == "-0"


@pytest.mark.parametrize("case", VECTORS["objects"], ids=lambda case: case["name"])
def test_each_vector_is_accepted_or_refused_as_by_the_node(case: dict[str, Any]) -> None:
    text = case["object"].encode()
    if case["valid"]:
        assert parse(text) == json.loads(text)
    else:
        refused(text)


def test_hostile_objects_get_the_same_verdict_from_another_parser() -> None:
    count, verdicts = 200 * EXAMPLES, [0, 0]
    for text in objects(seed=7, count=count):
        try:
            expected = validity.read(text)
        except validity.Wrong:
            refused(text)
            verdicts[0] += 1
        else:
            assert parse(text) == expected
            verdicts[1] += 1
    assert min(verdicts) > count // 10
