"""The journal as a recording: the lines that ``noria replay`` reads (WIRE.md, section 3)."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.domain import envelope
from gateway.domain.entry import Entry
from gateway.wire.decoded import AS

_TICK = {"tick": True}
_RUN = {
    "start": {"gateway": "start"},
    "stop": {"gateway": "stop"},
    "heartbeat": _TICK,  # a start without a stop: down since the line before
    "broker_lost": {"broker": "lost"},
    "broker_back": {"broker": "back"},
    "broker_drained": {"broker": "drained"},
}


def lines(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """A line for each message, each change of our own listening and each act of a person.

    In journal order; what else stands in the journal shows that time passed, so that the watch
    of a replay knows as much of our own listening as the gateway's did. ``received`` (Unix s)
    never decreases: where our clock was stepped back, it stands still, and the ``clock`` line
    says by how much.
    """
    newest = 0.0
    for entry in entries:
        line = _line(entry)
        if line is not None or entry.received > newest:
            newest = max(newest, entry.received)
            yield {"received": newest, **(line or _TICK)}


def _line(entry: Entry) -> dict[str, Any] | None:
    if entry.kind in ("msg", "fork"):
        return _message(entry) if entry.body else None
    if entry.kind not in ("run", "clock", "op"):
        return None
    body: dict[str, Any] = json.loads(entry.body) if entry.body else {}
    if entry.kind == "run":
        return _RUN.get(body.get("run", ""))
    if entry.kind == "clock":
        return {"clock": body["step_s"]} if body.get("step_s") else None
    return _operated(body)


def _operated(body: dict[str, Any]) -> dict[str, Any]:
    """A tick to whoever reads version 1; to us what was done about an incident, not by whom."""
    said = {name: value for name, value in body.items() if name not in ("person", "to")}
    return {**_TICK, "operated": said} if "incident" in said else _TICK


def _message(entry: Entry) -> dict[str, Any] | None:
    """As it came; of a third party as it was taken, since only that is WIRE.md's."""
    if entry.auth == "unsigned" and not entry.topic.startswith("noria/1/"):
        taken = entry.lines.get(AS)
        return {"topic": envelope.up_topic(entry.subject), "payload": taken} if taken else None
    return {"topic": entry.topic, **_payload(entry.payload)}


def _payload(payload: bytes) -> dict[str, str]:
    if payload.isascii():
        return {"payload": payload.decode("ascii")}
    return {"payload_b64": base64.b64encode(payload).decode("ascii")}
