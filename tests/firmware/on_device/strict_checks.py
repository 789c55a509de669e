"""Strict JSON against the vectors that the gateway reads too."""

import json
import sys

from lib import strict_json

with open(sys.argv[2] + "/objects.json") as _file:
    OBJECTS = json.load(_file)["objects"]


def _taken(text):
    try:
        return strict_json.parse(text.encode())
    except ValueError:
        return None


def test_each_vector_is_taken_or_refused_as_the_gateway_does():
    for case in OBJECTS:
        assert (_taken(case["object"]) is not None) == case["valid"], case["name"]


def test_what_is_taken_is_what_it_spells():
    assert _taken('{"a":[1,{"b":null}],"c":"x","d":-7,"e":true}') == {
        "a": [1, {"b": None}],
        "c": "x",
        "d": -7,
        "e": True,
    }
    assert _taken('{"a":9007199254740991}')["a"] == 2**53 - 1


def test_nesting_without_end_is_refused_and_not_followed():
    assert _taken('{"a":' + "[" * 4000 + "]" * 4000 + "}") is None
    assert _taken('{"a":' * 1600 + "1" + "}" * 1600) is None
