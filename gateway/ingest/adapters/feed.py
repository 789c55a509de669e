"""One feed: a third-party sensor, and the OBJECTs made of its messages."""

import json
from dataclasses import dataclass, field, replace

from gateway.domain.boot_time import is_plausible
from gateway.ingest.adapters import paths
from gateway.ingest.adapters.formats import Adapter, Unreadable, Uplink, dated, number
from gateway.ingest.adapters.paths import Path
from gateway.ingest.adapters.units import FIGURES, LEVELS, Convert
from gateway.wire import FEED_ERA

TEMPERATURE_LASTS_S = 900.0
_BOOT_LENGTH = 1 << 30
_LARGEST = 2**31 - 1
_MAY_BE_NEGATIVE = ("pressure", "weight")  # an offset that drifted
FROM_SENDER = "net"
"""``ts`` of an OBJECT whose time is the network's or the sender's, not that of receipt."""
_MV, _DBM, _TENTHS = (0, 1_000_000), (-1000, 1000), (-2731, 20_000)


@dataclass(frozen=True, slots=True)
class Pick:
    """One figure: in messages of ``topic``, at ``path``, ``convert``ed from its unit."""

    figure: str
    topic: str
    path: Path
    unit: str
    convert: Convert

    def of(self, document: object) -> int | None:
        """The figure as a whole number; None without a measurement.

        Raises Unreadable where the path leads nowhere. Many sensors report -1 or a distance of 0
        for "no echo": that is none, also where an offset would make a level of it.
        """
        value = number(paths.find(document, self.path))
        if value is None or self._is_no_level(value):
            return None
        converted = self.convert(value)
        if converted is None or abs(converted) > _LARGEST or self._is_no_level(converted):
            return None
        return round(converted)

    def _is_no_level(self, value: float) -> bool:
        if self.figure == "distance":
            return value <= 0
        return value < 0 and self.figure in LEVELS and self.figure not in _MAY_BE_NEGATIVE


@dataclass(frozen=True, slots=True)
class TimePick:
    """The sender's time: at ``path`` of every message, in ``unit``, one of ``formats.TIMES``."""

    path: Path
    unit: str

    def of(self, uplink: Uplink, payload: bytes) -> Uplink:
        """The uplink with that time; unchanged where there is none."""
        try:
            value = paths.find(uplink.document, self.path)
        except Unreadable:
            return uplink
        return dated(uplink, value, self.unit, payload)


@dataclass(frozen=True, slots=True)
class Feed:
    """A mapping's row: ``device`` is a row of the registry with ``unsigned = true``."""

    device: str
    adapter: Adapter
    broker: str
    every_s: int
    level: Pick
    others: tuple[Pick, ...] = ()
    time: TimePick | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic of its figures."""
        return tuple(dict.fromkeys(pick.topic for pick in (self.level, *self.others)))


@dataclass(slots=True)
class FeedReader:
    """Turns the messages of one feed into OBJECTs; keeps the last temperature for the readings."""

    feed: Feed
    _temperature: tuple[float, int] | None = field(default=None)

    def read(self, topic: str, payload: bytes, received: float) -> tuple[dict[str, object], Uplink]:
        """The OBJECT's fields, without numbers, and the uplink, also where its level is missing.

        Raises Unreadable.
        """
        uplink = self.feed.adapter.open(payload)
        if self.feed.time is not None:
            uplink = self.feed.time.of(uplink, payload)
        own = [pick for pick in self.feed.others if pick.topic == topic]
        found = {pick.figure: _optional(pick, uplink.document) for pick in own}
        temperature = _within(found.get("temperature"), _TENTHS)
        if temperature is not None:
            self._temperature = (received, temperature)
        readings: list[dict[str, int | None]] = []
        problem = ""
        if topic == self.feed.level.topic:
            reading, problem = self._reading(uplink, received)
            readings.append(reading)
        if not readings and all(value is None for value in found.values()):
            raise Unreadable("none of the mapped figures is in it")
        rssi = found.get("rssi")
        if rssi is None and uplink.rssi_dbm is not None:
            rssi = round(uplink.rssi_dbm)
        at, source = _sealed(uplink.at, received)
        fields: dict[str, object] = {
            "v": 1, "fw": self.feed.adapter.name, "era": FEED_ERA, "prev": "", "up": 0, "t": at,
            "ts": source, "next": self.feed.every_s, "r": readings,
            "mv": _within(found.get("battery"), _MV), "rssi": _within(rssi, _DBM),
        }  # fmt: skip
        present = {name: value for name, value in fields.items() if value is not None}
        return present, replace(uplink, problem=problem)

    def _reading(self, uplink: Uplink, received: float) -> tuple[dict[str, int | None], str]:
        pick = self.feed.level
        quantity = FIGURES[pick.figure].quantity
        assert quantity is not None, "the mapping lets only such figures be a level"
        value, problem = None, ""
        try:
            value = pick.of(uplink.document)
        except Unreadable as error:
            problem = str(error)
        reading: dict[str, int | None] = {"o": 0, quantity: value}
        if self._temperature and received - self._temperature[0] <= TEMPERATURE_LASTS_S:
            reading["tc"] = self._temperature[1]
        return reading, problem


def with_numbers(fields: dict[str, object], entry: int) -> bytes:
    """The OBJECT with boot and seq, which feeds lack, from its journal entry's id."""
    boot, seq = 1 + entry // _BOOT_LENGTH, 1 + entry % _BOOT_LENGTH
    full = fields | {"boot": boot, "seq": seq, "old": [boot, seq]}
    return json.dumps(full, separators=(",", ":")).encode("ascii")


def _optional(pick: Pick, document: object) -> int | None:
    """A figure beside the level, None where it is missing or unreadable."""
    try:
        return pick.of(document)
    except Unreadable:
        return None


def _within(value: int | None, limits: tuple[int, int]) -> int | None:
    return value if value is not None and limits[0] <= value <= limits[1] else None


def _sealed(at: float | None, received: float) -> tuple[int, str]:
    """Unix time and its source: the network's where it is plausible, else our receive time."""
    if at is not None and is_plausible(int(at), received):
        return int(at), FROM_SENDER
    return int(received), "gw"
