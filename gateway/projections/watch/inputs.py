"""Converts journal entries to the watch's inputs."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

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
_Change: TypeAlias = Literal["stop", "start", "lost", "back", "drained"]
_RUN_CHANGES: Mapping[str, _Change] = {
    "start": "start", "stop": "stop",
    "broker_lost": "lost", "broker_back": "back", "broker_drained": "drained",
}  # fmt: skip


def input_of(entry: Entry, interpreter: Interpreter) -> WatchInput:
    """The watch's input for one entry; a ``Tick`` for one that only shows that time has passed.

    A fork is a second claim to one identity: only that it exists counts, not its content. A
    flagged message counts as far as it could be read.
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
        return _fact(entry, msgspec.json.decode(entry.body, type=dict[str, object]))
    return Tick(received)


def _message(entry: Entry, interpreter: Interpreter) -> WatchInput:
    decoded = message_of(entry)
    if decoded.message is None:
        return Tick(entry.received)
    found = interpreter.interpret(
        decoded.message, entry.received, auth=decoded.auth, newest=entry.newest
    )
    return found or Tick(entry.received)


def _fact(entry: Entry, body: Mapping[str, object]) -> WatchInput:
    incident, step_s = body.get("incident"), body.get("step_s")
    if entry.kind == "op" and isinstance(incident, str):
        fields = {name: value for name, value in body.items() if name not in ("incident", "op")}
        return OperatorAction(incident, str(body.get("op")), entry.received, fields)
    if entry.kind == "clock" and step_s and isinstance(step_s, int | float):
        return ListeningChange("clock", entry.received, float(step_s))
    change = _RUN_CHANGES.get(str(body.get("run")))
    if entry.kind == "run" and change is not None:
        return ListeningChange(change, entry.received)
    return Tick(entry.received)
