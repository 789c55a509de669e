"""The line or the tick that an export has of each entry."""

import json

import pytest

from gateway.domain.entry import Entry
from gateway.journal.export import lines
from tests.unit.journaled import DEVICE, NOW


def _entry(kind: str, body: object, received: float = NOW, n: int = 1) -> Entry:
    return Entry(n, received, kind, "-", json.dumps(body).encode() if body is not None else b"")


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        ("run", {"run": "start"}, {"gateway": "start"}),
        ("run", {"run": "stop"}, {"gateway": "stop"}),
        ("run", {"run": "heartbeat"}, {"tick": True}),
        ("run", {"run": "broker_lost"}, {"broker": "lost"}),
        ("run", {"run": "broker_back"}, {"broker": "back"}),
        ("run", {"run": "broker_drained"}, {"broker": "drained"}),
        ("run", {"run": "unknown"}, {"tick": True}),
        ("run", None, {"tick": True}),
        ("clock", {"source": "system", "step_s": -3.5}, {"clock": -3.5}),
        ("clock", {"source": "system", "step_s": 0}, {"tick": True}),
        ("op", {"action": "seen", "incident": "i1", "person": "p", "to": "q"},
         {"tick": True, "operated": {"action": "seen", "incident": "i1"}}),
        ("op", {"action": "login", "person": "p"}, {"tick": True}),
        ("reg", {"n": 1}, {"tick": True}),
        ("msg", None, {"tick": True}),
    ],
)  # fmt: skip
def test_an_export_has_a_line_or_a_tick(kind: str, body: object, line: dict[str, object]) -> None:
    assert list(lines([_entry(kind, body)])) == [{"received": NOW, **line}]


def test_ticks_show_only_that_time_passed_and_time_never_decreases() -> None:
    entries = [
        _entry("reg", {}, NOW), _entry("reg", {}, NOW), _entry("run", {"run": "stop"}, NOW - 5),
        _entry("reg", {}, NOW - 1), _entry("reg", {}, NOW + 1),
    ]  # fmt: skip
    assert list(lines(entries)) == [
        {"received": NOW, "tick": True},
        {"received": NOW, "gateway": "stop"},
        {"received": NOW + 1, "tick": True},
    ]


@pytest.mark.parametrize("kind", ["msg", "fork"])
def test_a_message_is_exported_as_received(kind: str) -> None:
    text = Entry(1, NOW, kind, DEVICE, b"other/topic\npay\nload", auth="mac")
    binary = Entry(1, NOW, kind, DEVICE, b"other/topic\n\xff\x00", auth="mac")
    assert list(lines([text, binary])) == [
        {"received": NOW, "topic": "other/topic", "payload": "pay\nload"},
        {"received": NOW, "topic": "other/topic", "payload_b64": "/wA="},
    ]


def test_a_third_partys_message_is_exported_as_translated() -> None:
    feed = Entry(1, NOW, "msg", DEVICE, b"ttn/up\nx", {"as": "{}"}, auth="unsigned")
    own = feed._replace(body=b"noria/1/k7f3q5/up\nx")
    assert list(lines([feed, feed._replace(lines={}), own])) == [
        {"received": NOW, "topic": f"noria/1/{DEVICE}/up", "payload": "{}"},
        {"received": NOW, "topic": "noria/1/k7f3q5/up", "payload": "x"},
    ]
