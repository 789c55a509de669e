"""Runs a recording through the same watch as the gateway (WIRE.md, section 3).

Reads JSON lines (messages, passing time, downtime) and returns rows ready to print. Writes nothing.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

import msgspec

from gateway.domain.chain import NOWHERE
from gateway.domain.inputs import ForkedMessage, ListeningChange, OperatorAction, Tick, WatchInput
from gateway.domain.interpret import Interpreter
from gateway.domain.outputs import Forecast, IncidentChange, Level, Span, TankEvent, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.verdict import MessageIdentity, MessageKey, Verdict, judge
from gateway.domain.watch import Watch
from gateway.wire import admit

Row: TypeAlias = dict[str, object]
_Line: TypeAlias = Mapping[str, object]
_Change: TypeAlias = Literal["stop", "start", "lost", "back", "drained"]

_decode = msgspec.json.Decoder(dict[str, object]).decode

_TYPES: Mapping[type[WatchOutput], str] = {
    Level: "level", TankEvent: "event", IncidentChange: "incident", Forecast: "forecast",
}  # fmt: skip
ROW_TYPES = tuple(_TYPES.values())


class _Unusable(Exception):
    """A line that cannot be used; its argument is the reason that is counted."""


@dataclass(slots=True)
class _Received:
    """The messages of one device so far (``domain.verdict.KnownMessages``)."""

    trust: bool
    objects: set[bytes] = field(default_factory=set[bytes])  # 16 bytes of each SHA-256
    identities: set[MessageIdentity] = field(default_factory=set[MessageIdentity])
    prevs: set[str] = field(default_factory=set[str])
    places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def has_object(self, message: MessageKey) -> bool:
        return message.hash[:16] in self.objects

    def has_identity(self, _device: str, identity: MessageIdentity) -> bool:
        return identity in self.identities

    def has_prev(self, _device: str, prev: str) -> bool:
        return prev in self.prevs

    def newest(self, _device: str, era: str) -> tuple[int, int] | None:
        return self.places.get(era)

    def register(self, message: MessageKey) -> Verdict:
        """Judge and add the next message."""
        verdict = judge(message, self)
        self.objects.add(message.hash[:16])
        if message.prev and not self.trust:
            self.prevs.add(message.prev)
        if message.identity:
            era, place = message.identity[0], message.identity[1:]
            self.identities.add(message.identity)
            self.places[era] = place if verdict.is_newest else self.places.get(era, NOWHERE)
        return verdict


class Replay:
    """One recording in progress. ``counts``: usable lines by verdict; ``unusable``: by reason.

    ``trust`` accepts messages without checks of MAC, SIG, ``prev``, ``old`` and ``era``. ``watch``
    is another than a new one with the fitted weights.
    """

    def __init__(
        self, registry: Registry, *, trust: bool = False, watch: Watch | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.unusable: Counter[str] = Counter()
        self._trust = trust
        self._registry = registry
        self._interpreter = Interpreter(registry)
        self._watch = watch or Watch(registry)
        self._received: dict[str, _Received] = {}  # by topic
        self._now = float("-inf")

    def rows(
        self, lines: Iterable[str | bytes], only: Collection[str] = ROW_TYPES
    ) -> Iterator[Row]:
        """The rows of the outputs for ``lines``, in order; ``only``: their types."""
        for line in lines:
            if line.strip():
                for output in self.line(line):
                    if _TYPES[type(output)] in only:
                        yield row_of(output)

    def line(self, line: str | bytes) -> list[WatchOutput]:
        """The outputs for one line. An unusable one is counted, and time passes to it."""
        try:
            given = _read(line)
            now = self._time(given)
        except _Unusable as error:
            self.unusable[str(error)] += 1
            return []
        try:
            event = self._event(given, now)
        except _Unusable as error:
            self.unusable[str(error)] += 1
            event = Tick(now)
        return self._watch.step(event, now)

    def _time(self, given: _Line) -> float:
        received = given.get("received")
        if not isinstance(received, (int, float)) or isinstance(received, bool):
            raise _Unusable("no_received")
        if not 0 <= received < 1e11:  # also refuses NaN and infinity
            raise _Unusable("no_received")
        if received < self._now:
            raise _Unusable("received_decreases")
        self._now = float(received)
        return self._now

    def _event(self, given: _Line, now: float) -> WatchInput:
        if "topic" in given:
            return self._message(given, now)
        if given.get("tick") is True:
            self.counts["tick"] += 1
            return _action(given, now) or Tick(now)
        change = _listening_change(given, now)
        self.counts["listening"] += 1
        return change

    def _message(self, given: _Line, now: float) -> WatchInput:
        topic = given["topic"]
        if not isinstance(topic, str):
            raise _Unusable("unknown_line")
        received = self._received.get(topic)
        admitted = admit(topic, _payload(given), self._registry, trust=self._trust)
        if isinstance(admitted, str):
            raise _Unusable(admitted)
        if received is None:
            received = self._received[topic] = _Received(self._trust)
        verdict = received.register(admitted.key)
        if verdict.name == "duplicate":
            self.counts["duplicate"] += 1
            return Tick(now)
        decoded = admitted.decoded
        if verdict.name == "fork":
            self.counts["fork"] += 1
            era = decoded.identity[0] if decoded.identity else ""
            if self._trust:  # what is not checked proves no clone
                return Tick(now)
            return ForkedMessage(admitted.device.id, era, now, decoded.auth)
        if decoded.message is None:
            raise _Unusable(decoded.flag or "malformed")
        self.counts[verdict.name] += 1
        auth = "unsigned" if admitted.device.unsigned else decoded.auth
        found = self._interpreter.interpret(
            decoded.message, now, auth=auth, newest=verdict.is_newest
        )
        if found is None:
            raise _Unusable("no_tank")
        return found


def _listening_change(given: _Line, now: float) -> ListeningChange:
    change = given.get("gateway", given.get("broker"))
    allowed = ("stop", "start") if "gateway" in given else ("lost", "back", "drained")
    if change in allowed:
        return ListeningChange(cast(_Change, change), now)
    step = given.get("clock")
    if isinstance(step, int | float) and not isinstance(step, bool):
        return ListeningChange("clock", now, float(step))
    raise _Unusable("unknown_line")


def _action(given: _Line, now: float) -> WatchInput | None:
    """What an operator did about an incident, which an exported tick may contain."""
    action = given.get("operated")
    if not isinstance(action, dict):
        return None
    fields = dict(cast(dict[str, object], action))
    incident, op = fields.pop("incident", None), fields.pop("op", None)
    if not isinstance(incident, str) or not isinstance(op, str):
        return None
    return OperatorAction(incident, op, now, fields)


def _read(line: str | bytes) -> _Line:
    try:
        return _decode(line)
    except (ValueError, RecursionError) as error:  # text that is not UTF-8 is a ValueError too
        raise _Unusable("not_json") from error


def _payload(given: _Line) -> bytes:
    text, packed = given.get("payload"), given.get("payload_b64")
    if isinstance(text, str):
        return text.encode()
    if not isinstance(packed, str):
        raise _Unusable("no_payload")
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Unusable("no_payload") from error


def row_of(output: WatchOutput) -> Row:
    """One output with exactly the fields that WIRE.md names."""
    if isinstance(output, Level):
        return {
            "type": "level", "at": output.at, "tank": output.tank, "volume_l": output.volume_l,
            "sd_l": output.sd_l, "state": output.state,
        }  # fmt: skip
    if isinstance(output, TankEvent):
        return _event(output)
    if isinstance(output, Forecast):
        return {
            "type": "forecast", "at": output.at, "tank": output.tank,
            "low_at": _span(output.low_at), "empty_at": _span(output.empty_at),
            **_optional(output),
        }  # fmt: skip
    return _incident(output)


def _optional(forecast: Forecast) -> Row:
    """The fields of a forecast that are left out where they are not known."""
    fields: Row = {
        "critical_at": _span(forecast.critical_at), "dry_before_round": forecast.dry_before_round,
        "next_round_at": forecast.next_round_at and round(forecast.next_round_at, 1),
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


def _event(event: TankEvent) -> Row:
    row: Row = {
        "type": "event", "at": event.at, "until": event.until, "tank": event.tank,
        "kind": event.kind, "litres": event.litres,
    }  # fmt: skip
    if event.least_l is None or event.most_l is None:
        return row
    return {**row, "least_l": event.least_l, "most_l": event.most_l}


def _span(span: Span | None) -> Row | None:
    if span is None:
        return None
    return {"at": round(span.at, 1), "lo": round(span.lo, 1), "hi": round(span.hi, 1)}


def _incident(change: IncidentChange) -> Row:
    subject = {"tank": change.tank} if change.tank is not None else {"uplink": change.uplink}
    because: list[Row] = [
        {"term": b.term, "weight": b.weight, "basis": b.basis, **b.values} for b in change.because
    ]
    return {
        "type": "incident", "id": change.id, "change": change.change, "at": change.at,
        "received": change.received, **subject, "kind": change.kind,
        "probability": change.probability, "causes": dict(change.causes), "because": because,
        "auth": change.auth, "alert": change.alert,
    }  # fmt: skip
