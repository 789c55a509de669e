"""Replay: a recording through the very watch that the gateway runs (WIRE.md, section 3).

Reads JSON lines (messages, time passing, our own downtime), answers with rows ready to print.
Writes nowhere.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from gateway.domain.inputs import ForkedMessage, ListeningChange, OperatorAction, Tick, WatchInput
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message
from gateway.domain.outputs import Forecast, IncidentChange, Level, Span, TankEvent, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from gateway.wire import Admitted, Decoded, admit

Row = dict[str, Any]

ROW_TYPES = ("level", "event", "incident", "forecast")

_GATEWAY: tuple[Any, ...] = ("stop", "start")
_BROKER: tuple[Any, ...] = ("lost", "back", "drained")


class _Unusable(Exception):
    """A line that cannot be used; its argument is the reason that is counted."""


@dataclass(slots=True)
class _Known:
    """What was heard of one device: enough for the gateway's verdicts on what follows."""

    objects: set[bytes] = field(default_factory=set[bytes])  # 16 bytes of each one's hash
    places: set[tuple[str, int, int]] = field(default_factory=set[tuple[str, int, int]])
    prevs: set[str] = field(default_factory=set[str])
    newest: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    key: int = 0


class Replay:
    """One recording in progress. ``counts`` says what became of the lines, by verdict or reason.

    ``trust`` takes messages without looking at MAC, SIG, ``prev``, ``old`` and ``era``.
    """

    def __init__(self, registry: Registry, *, trust: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.unusable: Counter[str] = Counter()
        self._trust = trust
        self._registry = registry
        self._interpreter = Interpreter(registry)
        self._watch = Watch(registry)
        self._known: dict[str, _Known] = {}
        self._now = float("-inf")

    def rows(self, lines: Iterable[str | bytes]) -> Iterator[Row]:
        """Every answer to every line, in order."""
        for line in lines:
            if line.strip():
                yield from map(row_of, self.line(line))

    def line(self, line: str | bytes) -> list[WatchOutput]:
        """Take one line. What cannot be used is counted, and still says that time has passed."""
        try:
            given = _read(line)
            received = self._time(given)
        except _Unusable as error:
            self.unusable[str(error)] += 1
            return []
        try:
            return self._take(given, received)
        except _Unusable as error:
            self.unusable[str(error)] += 1
            return self._watch.step(Tick(received), received)

    def _time(self, given: Mapping[str, Any]) -> float:
        received = given.get("received")
        if isinstance(received, bool) or not isinstance(received, int | float):
            raise _Unusable("no_received")
        if not 0 <= received < 1e11:  # also refuses NaN and infinity
            raise _Unusable("no_received")
        if received < self._now:
            raise _Unusable("received_decreases")
        self._now = float(received)
        return self._now

    def _take(self, given: Mapping[str, Any], received: float) -> list[WatchOutput]:
        if "topic" in given:
            return self._message(given, received)
        if given.get("tick") is True:
            self.counts["tick"] += 1
            return self._watch.step(_operated(given, received) or Tick(received), received)
        listening = _listening(given, received)
        self.counts["listening"] += 1
        return self._watch.step(listening, received)

    def _message(self, given: Mapping[str, Any], received: float) -> list[WatchOutput]:
        topic = given["topic"]
        if not isinstance(topic, str):
            raise _Unusable("unknown_line")
        device_id = topic.split("/")[-2] if topic.count("/") >= 3 else ""
        known = self._known.get(device_id)
        newest_key = known.key if known else 0
        admitted = admit(topic, _payload(given), self._registry, newest_key, trust=self._trust)
        if isinstance(admitted, str):
            raise _Unusable(admitted)
        if known is None:
            known = self._known[device_id] = _Known()
        digest = admitted.digest[:16]
        if digest in known.objects:
            self.counts["duplicate"] += 1
            return self._watch.step(Tick(received), received)
        known.objects.add(digest)
        return self._judge(known, admitted, received)

    def _judge(self, known: _Known, admitted: Admitted, received: float) -> list[WatchOutput]:
        """The verdict that the journal would give, then what it means to the watch."""
        decoded = admitted.decoded
        fork = self._is_fork(known, decoded)
        if decoded.flag is None:
            known.key = max(known.key, decoded.key_generation or 1)
        if fork:
            self.counts["fork"] += 1
            era = decoded.identity[0] if decoded.identity else ""
            said = ForkedMessage(admitted.device.id, era, received, decoded.auth)
            # What --trust does not look at proves no twin.
            return self._watch.step(Tick(received) if self._trust else said, received)
        if decoded.message is None:
            raise _Unusable(decoded.flag or "malformed")
        return self._hear(known, decoded.message, admitted, received)

    def _hear(
        self, known: _Known, message: Message, admitted: Admitted, received: float
    ) -> list[WatchOutput]:
        place, flag = (message.boot, message.seq), admitted.decoded.flag
        newest = flag is None and place > known.newest.get(message.era, (0, 0))
        if newest:
            known.newest[message.era] = place
        self.counts["stored" if newest else "flagged" if flag else "late"] += 1
        auth = "unsigned" if admitted.device.unsigned else admitted.decoded.auth
        found = self._interpreter.hear(message, received, auth=auth, newest=newest)
        if found.heard is None:
            raise _Unusable("no_tank")
        return self._watch.step(found.heard, received)

    def _is_fork(self, known: _Known, decoded: Decoded) -> bool:
        """The same identity or the same non-empty ``prev`` a second time, in another OBJECT."""
        fork = False
        if decoded.identity is not None:
            fork = decoded.identity in known.places
            known.places.add(decoded.identity)
        if decoded.prev and not self._trust:
            fork = fork or decoded.prev in known.prevs
            known.prevs.add(decoded.prev)
        return fork


def _listening(given: Mapping[str, Any], received: float) -> ListeningChange:
    change = given.get("gateway", given.get("broker"))
    allowed = _GATEWAY if "gateway" in given else _BROKER if "broker" in given else ()
    if change in allowed:
        return ListeningChange(change, received)
    step = given.get("clock")
    if isinstance(step, int | float) and not isinstance(step, bool):
        return ListeningChange("clock", received, float(step))
    raise _Unusable("unknown_line")


def _operated(given: Mapping[str, Any], received: float) -> WatchInput | None:
    """What a person did about an incident, where an exported tick tells of it."""
    said: object = given.get("operated")
    if not isinstance(said, dict):
        return None
    fields = dict(cast(dict[str, Any], said))
    incident, op = fields.pop("incident", None), fields.pop("op", None)
    if not isinstance(incident, str) or not isinstance(op, str):
        return None
    return OperatorAction(incident, op, received, fields)


def _read(line: str | bytes) -> Mapping[str, Any]:
    try:
        given: object = msgspec.json.decode(line)
    except (ValueError, RecursionError) as error:  # what is not UTF-8 is a ValueError too
        raise _Unusable("not_json") from error
    if not isinstance(given, dict):
        raise _Unusable("not_json")
    return cast(dict[str, Any], given)


def _payload(given: Mapping[str, Any]) -> bytes:
    text, packed = given.get("payload"), given.get("payload_b64")
    if isinstance(text, str):
        return text.encode()
    if not isinstance(packed, str):
        raise _Unusable("no_payload")
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Unusable("no_payload") from error


def row_of(told: WatchOutput) -> Row:
    """One answer as WIRE.md prints it: exactly the named fields."""
    if isinstance(told, Level):
        return {
            "type": "level", "at": told.at, "tank": told.tank, "volume_l": told.volume_l,
            "sd_l": told.sd_l, "state": told.state,
        }  # fmt: skip
    if isinstance(told, TankEvent):
        return {
            "type": "event", "at": told.at, "until": told.until, "tank": told.tank,
            "kind": told.kind, "litres": told.litres,
        }  # fmt: skip
    if isinstance(told, Forecast):
        return {
            "type": "forecast", "at": told.at, "tank": told.tank, "low_at": _span(told.low_at),
            "empty_at": _span(told.empty_at),
        }  # fmt: skip
    return _incident(told)


def _span(span: Span | None) -> Row | None:
    if span is None:
        return None
    return {"at": round(span.at, 1), "lo": round(span.lo, 1), "hi": round(span.hi, 1)}


def _incident(told: IncidentChange) -> Row:
    where = {"tank": told.tank} if told.tank is not None else {"uplink": told.uplink}
    because: list[Row] = [
        {"term": b.term, "weight": b.weight, "basis": b.basis, **b.values} for b in told.because
    ]
    return {
        "type": "incident", "id": told.id, "change": told.change, "at": told.at,
        "received": told.received, **where, "kind": told.kind, "probability": told.probability,
        "causes": dict(told.causes), "because": because, "auth": told.auth, "alert": told.alert,
    }  # fmt: skip
