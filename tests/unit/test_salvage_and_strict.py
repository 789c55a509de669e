"""Malformed OBJECTs: the reason that is named, and the chain's fields that are still readable."""

import json

import pytest

from gateway.wire.salvage import Salvaged, salvage
from gateway.wire.strict import Malformed, parse

HASH = "q83vEjRWeJCrze8SNFZ4kA"
WHOLE = f'"era":"m4xq2lzt","boot":3,"seq":118,"prev":"{HASH}","old":[3,117],"k":2'
FOUND = Salvaged("m4xq2lzt", 3, 118, HASH, (3, 117), 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{" + WHOLE + "}", FOUND),
        ("{" + WHOLE + ',"r":[', FOUND),  # cut
        ("{" + WHOLE + "]", FOUND),
        ("{" + WHOLE.replace(":", " : ").replace(",", " , "), Salvaged(
            "m4xq2lzt", 3, 118, HASH, (3, 117), None)),  # 2 may have been 23
        ("{" + WHOLE.replace("[3,", "[ 3 ,").replace("117]", "117 ]") + ",", FOUND),
        ('{"prev":"","boot":1,', Salvaged(prev="", boot=1)),
        ('{"prev":""}', Salvaged(prev="", key_generation=1)),
        ('{"boot":2147483647,"seq":2147483648,', Salvaged(boot=2147483647)),
        ('{"boot":2147483647,"seq":2147483648}',
         Salvaged(boot=2147483647, key_generation=1)),
        ('{"boot":0,"seq":01,"k":-1,', Salvaged()),
        ('{"boot":12345678901,"seq":1234567890,', Salvaged(seq=1234567890)),
        ('{"boot":1,"boot":2,"seq":3,', Salvaged(seq=3)),
        ('{"boot":1,"boot":1,', Salvaged()),
        ('{"boot":1,"boot":"x"}', Salvaged(boot=1, key_generation=1)),  # one is well formed
        ('{"e":[{"k":9,"boot":5}],"boot":1}', Salvaged(boot=1, key_generation=1)),
        ('{"k":"9"}', Salvaged()),
        ('{"old":[3]}', Salvaged(key_generation=1)),
        ('{"old":[3,0],', Salvaged()),
        ('{"old":[3,2147483648],', Salvaged()),
        ('{"era":"m4xq2lz","prev":"short","old":3}', Salvaged(key_generation=1)),
        ('{"era":"m4xq2lzt1","x":1,', Salvaged()),
        ("[1]", Salvaged()),
        ('[{"boot":1}]', Salvaged(boot=1)),  # no object: by pattern
        ("7", Salvaged()),
        ("", Salvaged()),
        ("{}", Salvaged(key_generation=1)),
        ('{"boot":true,"seq":1.0}', Salvaged(key_generation=1)),
    ],
)  # fmt: skip
def test_a_field_is_read_where_exactly_one_value_is_well_formed(text: str, found: Salvaged) -> None:
    assert salvage(text.encode()) == found


def test_bytes_outside_ascii_hide_no_other_field() -> None:
    assert salvage(b'{"fw":"\xff","boot":1,').boot == 1
    assert salvage(b"{" * 100_000).boot is None


@pytest.mark.parametrize(
    ("era", "boot", "seq", "identity"),
    [
        ("m4xq2lzt", 3, 118, ("m4xq2lzt", 3, 118)),
        (None, 3, 118, None),
        ("m4xq2lzt", None, 118, None),
        ("m4xq2lzt", 3, None, None),
    ],
)
def test_an_identity_needs_all_three_of_its_fields(
    era: str | None, boot: int | None, seq: int | None, identity: object
) -> None:
    assert Salvaged(era, boot, seq).identity == identity


def test_what_was_salvaged_is_immutable() -> None:
    with pytest.raises(AttributeError):
        FOUND.boot = 4  # type: ignore[misc]
    assert not hasattr(FOUND, "__dict__")


# Strict JSON


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a":"\x1f"}', "bytes: only 0x20-0x7e may be in an object"),
        (b'{"a":"\x7f"}', "bytes: only 0x20-0x7e may be in an object"),
        (b'{"a":"\x80"}', "bytes: only 0x20-0x7e may be in an object"),
        (b'{"a":"\\""}', "backslash"),
        (b"[{}", "json: not one object from { to }"),
        (b"{}]", "json: not one object from { to }"),
        (b"{}{}", "json: JSON is malformed"),
        (b'{"a":-0}', "number: -0"),
        (b'{"a":[-0]}', "number: -0"),
        (b'{"a":1,"a":1}', "duplicate_name"),
        (b'{"b":[{"a":1,"a":1}]}', "duplicate_name"),
        (b'{"a":1,"a" :1}', "duplicate_name"),
        (b'{"a":1.5}', "number: 1.5 is not an integer within 2^53-1"),
        (b'{"a":9007199254740992}', "number: 9007199254740992 is not"),
        (b'{"a":[-9007199254740992]}', "number: -9007199254740992 is not"),
        (b'{"a":[[[[]]]]}', "depth: deeper than 4"),
        (b'{"a":{"b":{"c":{"d":{}}}}}', "depth: deeper than 4"),
        (b'{"a":[{"b":[{}]}]}', "depth: deeper than 4"),
        (b'{"a":[[[[1.5]]]]}', "depth: deeper than 4"),
    ],
)
def test_the_reason_and_its_detail_are_in_the_error(text: bytes, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert caught.value.reason == message.partition(":")[0]


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b'{" ":"~ !"}',
        b'{"a":[[[]]]}',
        b'{"a":{"b":{"c":{}}}}',
        b'{"a":{"b":{"c":[1]}},"b":[[{"a":1}]]}',
        b'{"a":9007199254740991,"b":-9007199254740991,"c":-1,"d":0}',
        b'{"a":"-0","b":"x\' :","c" : {"a":-10}}',
        b'{"a":true,"b":false,"c":null}',
    ],
)
def test_all_that_the_wire_allows_is_parsed(text: bytes) -> None:
    assert parse(text) == json.loads(text)


def test_a_long_number_is_cut_in_the_error() -> None:
    with pytest.raises(Malformed) as caught:
        parse(b'{"a":' + b"9" * 100 + b"}")
    assert str(caught.value) == f"number: {'9' * 40} is not an integer within 2^53-1"
