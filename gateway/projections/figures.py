"""What the watch told, as points in InfluxDB for Grafana: presence, tank events, incidents.

Follows ``noria.db``; every point has a place of its own, so writing one again replaces it.
Presence is repeated every few minutes: where its points stop, the gateway itself is away, and an
alert rule can say so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from gateway.database.tables import tank_event, tank_now
from gateway.domain.registry import Registry
from gateway.projections import changes
from gateway.projections.changes import Row
from gateway.runtime.clock import Clock
from gateway.stores.influxdb.line import point

NAME = "figures"
MEASUREMENTS = ("presence", "event", "incident")
REPEAT_S = 300.0
_LATE_NEWS_S = 2 * 86400.0  # events may still be written or grow this long after the newest
_LOOK_ANYWAY_S = 5.0
_NS = 1_000_000_000

_Event = tuple[str, str, float]


class Points(Protocol):
    """Where points go (``InfluxStore``)."""

    def write_points(self, lines: Sequence[str]) -> None:
        """Returns when they are safe; StoreError when to try again."""
        ...


class FigureWriter:
    """Its ``turn`` is run by a ``Loop`` that is rung when the watch has saved."""

    def __init__(
        self, engine: sa.Engine, points: Points, registry: Callable[[], Registry], clock: Clock
    ) -> None:
        self._engine = engine
        self._points = points
        self._registry = registry
        self._clock = clock
        self._version = 0
        self._events: dict[_Event, tuple[float, float | None]] = {}
        self._repeated = float("-inf")

    def turn(self) -> float:
        """Write what changed; returns how long to wait (real s). Raises StoreError."""
        now = self._clock.now()
        repeat = now >= self._repeated + REPEAT_S
        tags = _Tags(self._registry())
        found = changes.since(self._engine, self._version)
        tanks = self._all_tanks() if repeat else found.tanks
        events = self._new_events(everything=repeat and self._hourly(now))
        lines = [
            *(line for tank, value in tanks.items() for line in _presence(tags, tank, value, now)),
            *(_event(tags, key, *value) for key, value in events.items()),
            *(_incident(tags, row) for row in found.incidents),
        ]
        if lines:
            self._points.write_points(lines)
        self._version = found.version
        self._events |= events
        self._repeated = now if repeat else self._repeated
        return min(_LOOK_ANYWAY_S, self._clock.real_s(REPEAT_S))

    def _hourly(self, now: float) -> bool:
        return now // 3600 != self._repeated // 3600

    def _all_tanks(self) -> Mapping[str, Row]:
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(tank_now.c.tank, tank_now.c.value))
            return {row.tank: row.value for row in rows}

    def _new_events(self, *, everything: bool) -> dict[_Event, tuple[float, float | None]]:
        """Tank events not yet written as they stand now; the table has no version."""
        query = sa.select(tank_event)
        if not everything and self._events:
            newest = max(until for until, _ in self._events.values())
            query = query.where(tank_event.c.until >= newest - _LATE_NEWS_S)
        with self._engine.connect() as connection:
            rows = {(r.tank, r.kind, r.at): (r.until, r.litres) for r in connection.execute(query)}
        return {key: value for key, value in rows.items() if self._events.get(key) != value}


class _Tags:
    """Random ids: names of tanks, sites and uplinks stay at home."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, tank: str) -> dict[str, str]:
        """The tags of a tank."""
        row = self._registry.tank(tank)
        site = self._registry.site(row.site) if row else None
        return {"tank": row.rid if row else "-", "site": site.rid if site else "-"}

    def of_uplink(self, uplink: str) -> dict[str, str]:
        """The tags of an uplink: the site that hangs on it, no tank."""
        for device in self.devices():
            row = self._registry.device(device)
            if row and row.uplink == uplink:
                return self.of(row.tank) | {"tank": "-"}
        return {"tank": "-", "site": "-"}

    def devices(self, tank: str | None = None) -> list[str]:
        """The devices in use, of one tank or of all."""
        rows = (devices[-1] for devices in self._registry.devices.values())
        return [d.id for d in rows if not d.revoked and tank in (None, d.tank)]


def _presence(tags: _Tags, tank: str, value: Row, now: float) -> list[str]:
    presence = str(value.get("presence"))
    fields: dict[str, Any] = {
        "presence": presence,
        "silent": int(presence == "silent"),
        "late": int(presence == "late"),
        "state": str(value.get("state")),
        "heard": _float(value.get("received")),
        "due": _float(value.get("due")),
        "pct": _float(value.get("pct")),
        "volume_l": _float(value.get("volume_l")),
        "battery_mv": value.get("battery_mv"),
    }
    head = tags.of(tank)
    return [
        point("presence", head | {"device": device}, fields, _ns(now))
        for device in tags.devices(tank) or ["-"]
    ]


def _event(tags: _Tags, key: _Event, until: float, litres: float | None) -> str:
    tank, kind, at = key
    fields = {"litres": _float(litres), "until": float(until)}
    return point("event", tags.of(tank) | {"kind": kind}, fields, _ns(at))


def _incident(tags: _Tags, row: Row) -> str:
    """One point for each incident, at the moment it was opened; changes replace its fields."""
    head = tags.of(row["tank"]) if row["tank"] else tags.of_uplink(str(row["uplink"]))
    fields = {
        "kind": str(row["kind"]),
        "open": int(row["closed"] is None),
        "probability": _float(row["probability"]),
        "at": _float(row["at"]),
        "updated": _float(row["updated"]),
        "closed": _float(row["closed"]) or 0.0,
        "claimed": int(row["claimed_by"] is not None),
    }
    return point("incident", head | {"incident": str(row["id"])}, fields, _ns(row["opened"]))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _ns(at: float) -> int:
    return round(at * 1000) * (_NS // 1000)
