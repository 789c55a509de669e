"""The journal as a recording: the lines that ``noria replay`` reads (WIRE.md, section 3)."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.journal.entry import Entry

_RUN = {
    "start": {"gateway": "start"},
    "stop": {"gateway": "stop"},
    "heartbeat": {"tick": True},  # a start without a stop: down since the line before
    "broker_lost": {"broker": "lost"},
    "broker_back": {"broker": "back"},
    "broker_drained": {"broker": "drained"},
}


def lines(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """One line for each message and for each change of our own listening, in journal order.

    ``received`` (Unix s) never decreases: where our clock was stepped back, it stands still, and
    the ``clock`` line says by how much.
    """
    newest = 0.0
    for entry in entries:
        line = _line(entry)
        if line is not None:
            newest = max(newest, entry.received)
            yield {"received": newest, **line}


def _line(entry: Entry) -> dict[str, Any] | None:
    if entry.kind in ("msg", "fork"):
        return {"topic": entry.topic, **_payload(entry.payload)} if entry.body else None
    if entry.kind == "run":
        return _RUN.get(json.loads(entry.body)["run"])
    if entry.kind == "clock":
        step_s = json.loads(entry.body).get("step_s", 0)
        return {"clock": step_s} if step_s else None
    return None


def _payload(payload: bytes) -> dict[str, str]:
    if payload.isascii():
        return {"payload": payload.decode("ascii")}
    return {"payload_b64": base64.b64encode(payload).decode("ascii")}
