"""Exports the journal as the lines that ``noria replay`` reads (WIRE.md, section 3)."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping

from gateway.domain import envelope
from gateway.domain.entry import Entry
from gateway.wire.decoded import AS

_TICK: dict[str, object] = {"tick": True}
_RUN: dict[str, dict[str, object]] = {
    "start": {"gateway": "start"},
    "stop": {"gateway": "stop"},
    "heartbeat": _TICK,  # a start without a stop: down since the line before
    "broker_lost": {"broker": "lost"},
    "broker_back": {"broker": "back"},
    "broker_drained": {"broker": "drained"},
}


def lines(entries: Iterable[Entry]) -> Iterator[dict[str, object]]:
    """A line for each message, each change of the gateway's listening and each act of a person.

    In journal order. Other entries become ticks, which show that time passed, so that a replay's
    watch knows as much of the gateway's listening as the gateway's own. ``received`` (Unix s)
    never decreases: after the clock was stepped back it stays constant, and the ``clock`` line
    has the step.
    """
    newest = 0.0
    for entry in entries:
        line = _line(entry)
        if line is not None or entry.received > newest:
            newest = max(newest, entry.received)
            yield {"received": newest, **(line or _TICK)}


def _line(entry: Entry) -> dict[str, object] | None:
    if entry.kind in ("msg", "fork"):
        return _message(entry) if entry.body else None
    if entry.kind not in ("run", "clock", "op"):
        return None
    body: dict[str, str | float] = json.loads(entry.body) if entry.body else {}
    if entry.kind == "run":
        return _RUN.get(str(body.get("run", "")))
    if entry.kind == "clock":
        return {"clock": body["step_s"]} if body.get("step_s") else None
    return _operated(body)


def _operated(body: Mapping[str, object]) -> dict[str, object]:
    """A tick in version 1; ``operated`` adds what was done about an incident, not by whom."""
    action = {name: value for name, value in body.items() if name not in ("person", "to")}
    return {**_TICK, "operated": action} if "incident" in action else _TICK


def _message(entry: Entry) -> dict[str, object] | None:
    """As received; a third-party message as translated, since only that is in WIRE.md's format."""
    if entry.auth == "unsigned" and not entry.topic.startswith("noria/1/"):
        taken = entry.lines.get(AS)
        return {"topic": envelope.up_topic(entry.subject), "payload": taken} if taken else None
    return {"topic": entry.topic, **_payload(entry.payload)}


def _payload(payload: bytes) -> dict[str, str]:
    if payload.isascii():
        return {"payload": payload.decode("ascii")}
    return {"payload_b64": base64.b64encode(payload).decode("ascii")}
