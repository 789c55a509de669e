"""Hostile OBJECTs and topics, the same ones from the same seed on every machine."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

SOUND: tuple[dict[str, Any], ...] = (
    {
        "v": 1, "fw": "0.1.0", "era": "m4xq2lzt", "boot": 3, "seq": 118,
        "prev": "q83vEjRWeJCrze8SNFZ4kA", "up": 70812, "t": 1795212000, "ts": "ntp", "ta": 3600,
        "next": 900, "old": [3, 117], "k": 1, "mv": 3987, "rssi": -71,
        "r": [{"o": 600, "mm": 412, "sp": 4, "n": 7, "of": 7, "tc": 112}, {"o": 0, "mm": None}],
        "e": [{"o": 3, "k": "motion", "mg": 900, "ms": 6000}, {"o": 1, "k": "lid", "open": True}],
    },
    {"v": 1, "era": "m4xq2lzt", "boot": 3, "seq": 118, "h": "kCjeRL9GQnpZsBPcPMyjyQ",
     "t": 1795212003},
    {"v": 1, "n": 1795212003, "set": {"interval_s": 600, "report_s": 1800},
     "once": [{"id": "a1", "do": "resend", "from": ["m4xq2lzt", 1, 1]}], "update": {}},
)  # fmt: skip

_TOKENS = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b" ", b"  ", b"\n", b"\t", b"\r", b"\x00", b"\x7f",
    b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"\\", b'\\"', b"\\u0065", b"'", b"/*x*/", b"//", b"#",
    b"0", b"-0", b"00", b"01", b"-", b"+1", b"1.0", b"1.", b".5", b"1e3", b"1E-2", b"0x1F",
    b"1_000", b"NaN", b"Infinity", b"-Infinity", b"nan", b"None", b"True", b"true", b"false",
    b"null", b"tru", b"nul", b"9007199254740991", b"9007199254740992", b"-9007199254740991",
    b"-9007199254740992", b"99999999999999999999999999999999", b"2147483647", b"2147483648",
    b"-1", b'""', b'"era"', b'"era":"aaaaaaaa"', b'"boot":1', b'"seq":2', b'"k":7', b'"prev":""',
    b',"v":1', b'{"a":1}', b"[[[[[[", b"]]]]]]", b'{"a":{"b":{"c":{"d":1}}}}', b"[" * 900,
    b"9" * 400, b'"' + b"x" * 300 + b'"',
)  # fmt: skip


def objects(seed: int, count: int) -> Iterator[bytes]:
    """``count`` OBJECTs from sound over slightly damaged to nonsense, by ``seed``."""
    chance = random.Random(seed)
    sound = [json.dumps(o, separators=(",", ":")).encode() for o in SOUND]
    spaced = [json.dumps(o, separators=(" , ", " : ")).encode() for o in SOUND]
    for _ in range(count):
        found = chance.choice(chance.choice((sound, spaced)))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 6))):
            found = chance.choice(_DAMAGE)(found, chance)
        yield found


def topics(seed: int) -> Iterator[str]:
    """Topics without end: an enrolled device's as often as not, else what is like one or not."""
    chance = random.Random(seed)
    made = ("noria/1/{}/up", "noria/1/{}/ack", "noria/2/{}/up", "noria/1/{}/up/up", "noria//{}/up",
            "noria/1/{}/UP", "/noria/1/{}/up", "noria/1/{}", "", "\u0000", "noria/1/\U0001f4a7/up",
            "noria/1/../up", "noria/1/+/up", "$SYS/{}/up", "noria/1/{}\n/up", "x" * 60_000,
            )  # fmt: skip
    while True:
        device = chance.choice(("k7f3q5", "k7f3q6", "gone22", "none22", "K7F3Q5", "", "k7f3q5 "))
        yield (
            made[0].format("k7f3q5")
            if chance.random() < 0.5
            else chance.choice(made).format(device)
        )


def _cut(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randrange(1, 9) :]


def _end(text: bytes, chance: random.Random) -> bytes:
    return text[: chance.randrange(len(text) + 1)]


def _put(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_TOKENS) + text[at:]


def _instead(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_TOKENS) + text[at + chance.randrange(1, 4) :]


def _flip(text: bytes, chance: random.Random) -> bytes:
    if not text:
        return text
    at = chance.randrange(len(text))
    return text[:at] + bytes([text[at] ^ (1 << chance.randrange(8))]) + text[at + 1 :]


def _repeat(text: bytes, chance: random.Random) -> bytes:
    at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return text[:end] + text[at:end] + text[end:]


def _of_value(text: bytes, chance: random.Random) -> bytes:
    """Another value behind one of the names: most of what is well-formed and wrong."""
    colons = [i for i, byte in enumerate(text) if byte == 0x3A]
    if not colons:
        return text
    at = chance.choice(colons) + 1
    end = min((i for i in (text.find(b",", at), text.find(b"}", at)) if i >= 0), default=len(text))
    return text[:at] + chance.choice(_TOKENS) + text[end:]


def _name_twice(text: bytes, chance: random.Random) -> bytes:
    names = (b"v", b"era", b"boot", b"seq", b"prev", b"h", b"t", b"n", b"r", b"o")
    return b'{"' + chance.choice(names) + b'":' + chance.choice(_TOKENS) + b"," + text[1:]


def _around(text: bytes, chance: random.Random) -> bytes:
    before, after = chance.choice(
        ((b" ", b""), (b"", b" "), (b"[", b"]"), (b"", b"{}"), (b"{", b"}"))
    )
    return before + text + after


_DAMAGE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _end, _put, _put, _instead, _instead, _flip, _repeat, _of_value, _of_value, _of_value,
    _name_twice, _around,
)  # fmt: skip
