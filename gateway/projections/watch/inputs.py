"""From journal entries to what the watch hears."""

import json
from typing import Any, cast, get_args

from gateway.domain.entry import Entry
from gateway.domain.inputs import (
    ForkedMessage,
    ListeningChange,
    OperatorAction,
    RegistryChanged,
    Tick,
    WatchInput,
)
from gateway.domain.interpret import Interpreter
from gateway.wire import message_of

REGISTRY_KINDS = ("reg", "plan", "cal", "cust")
_LISTENING = {
    "start": "start",
    "stop": "stop",
    "broker_lost": "lost",
    "broker_back": "back",
    "broker_drained": "drained",
}
assert set(_LISTENING.values()) | {"clock"} == set(
    get_args(ListeningChange.__annotations__["change"])
)


def input_of(entry: Entry, interpreter: Interpreter) -> WatchInput:
    """What one entry means to the watch; what means nothing to it still says that time passed.

    A fork is a second claim to one identity: that there is one is told, and nothing of what it
    says is believed. A flagged message is heard as far as it could be read.
    """
    received = entry.received
    if entry.kind == "msg":
        return _message(entry, interpreter)
    if entry.kind == "fork":
        decoded = message_of(entry)
        era = decoded.identity[0] if decoded.identity else ""
        return ForkedMessage(entry.subject, era, received, decoded.auth)
    if entry.kind in REGISTRY_KINDS:
        return RegistryChanged(received)
    if entry.kind in ("run", "clock", "op"):
        return _fact(entry, cast(dict[str, Any], json.loads(entry.body)))
    return Tick(received)


def _message(entry: Entry, interpreter: Interpreter) -> WatchInput:
    decoded = message_of(entry)
    if decoded.message is None:
        return Tick(entry.received)
    found = interpreter.hear(
        decoded.message, entry.received, auth=decoded.auth, newest=entry.newest
    )
    return found.heard or Tick(entry.received)


def _fact(entry: Entry, body: dict[str, Any]) -> WatchInput:
    if entry.kind == "op" and isinstance(body.get("incident"), str):
        fields = {name: value for name, value in body.items() if name not in ("incident", "op")}
        return OperatorAction(body["incident"], str(body.get("op")), entry.received, fields)
    if entry.kind == "clock" and body.get("step_s"):
        return ListeningChange("clock", entry.received, float(body["step_s"]))
    change = _LISTENING.get(str(body.get("run")))
    if entry.kind == "run" and change is not None:
        return ListeningChange(change, entry.received)  # pyright: ignore[reportArgumentType] - checked above
    return Tick(entry.received)
