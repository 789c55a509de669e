"""Presence, tank events and incidents as points in InfluxDB, for Grafana.

Follows ``noria.db``; every point has its own series and time, so writing one again replaces it.
Presence is written every few minutes even without a change: where its points end, the gateway is
down, and an alert rule can report that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from gateway.database.tables import tank_event, tank_now
from gateway.domain.registry import Registry
from gateway.projections.changes import Row, changes_since
from gateway.projections.cursor import JSON
from gateway.runtime.clock import Clock
from gateway.stores.influxdb import InfluxStore
from gateway.stores.influxdb.line import point

NAME = "figures"
MEASUREMENTS = ("presence", "event", "incident")
_REPEAT_S = 300.0
_LATE_EVENT_S = 2 * 86400.0  # events may still be written or grow this long after the newest
_POLL_S = 5.0

_Event = tuple[str, str, float]
"""The key of a tank event: tank, kind, at (Unix s)."""
_Written = tuple[float, float | None]
"""Its end (Unix s) and its litres."""


@dataclass
class FigureWriter:
    """A ``Worker`` that is woken when the watch has saved runs its ``turn``."""

    engine: sa.Engine
    store: InfluxStore
    registry: Callable[[], Registry]
    clock: Clock
    _version: int = 0
    _events: dict[_Event, _Written] = field(default_factory=dict[_Event, _Written])
    _repeated_at: float = float("-inf")

    def turn(self) -> float:
        """Write what changed; returns how long to wait (real s). Raises StoreError."""
        now = self.clock.now()
        repeat = now >= self._repeated_at + _REPEAT_S
        new_hour = now // 3600 != self._repeated_at // 3600
        tags = _Tags(self.registry())
        changes = changes_since(self.engine, self._version)
        tanks = self._all_tanks() if repeat else changes.tanks
        events = self._new_events(everything=repeat and new_hour)
        lines = [
            *(line for tank, value in tanks.items() for line in _presence(tags, tank, value, now)),
            *(_event(tags, key, *value) for key, value in events.items()),
            *(_incident(tags, row) for row in changes.incidents),
        ]
        if lines:
            self.store.write_points(lines)
        self._version = changes.version
        self._events |= events
        self._repeated_at = now if repeat else self._repeated_at
        return min(_POLL_S, self.clock.real_s(_REPEAT_S))

    def _all_tanks(self) -> Mapping[str, Row]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(tank_now.c.tank, tank_now.c.value))
            return {row.tank: row.value for row in rows}

    def _new_events(self, *, everything: bool) -> dict[_Event, _Written]:
        """Tank events that differ from what was written; the table has no version to ask by."""
        query = sa.select(tank_event)
        if not everything and self._events:
            newest = max(until for until, _ in self._events.values())
            query = query.where(tank_event.c.until >= newest - _LATE_EVENT_S)
        with self.engine.connect() as connection:
            rows = {(r.tank, r.kind, r.at): (r.until, r.litres) for r in connection.execute(query)}
        return {key: value for key, value in rows.items() if self._events.get(key) != value}


@dataclass(frozen=True, slots=True)
class _Tags:
    """Tags are random ids: names of tanks, sites and uplinks are never written to InfluxDB."""

    registry: Registry

    def for_tank(self, tank: str) -> dict[str, str]:
        """The tags of a tank."""
        row = self.registry.tank(tank)
        site = self.registry.site(row.site) if row else None
        return {"tank": row.rid if row else "-", "site": site.rid if site else "-"}

    def for_uplink(self, uplink: str) -> dict[str, str]:
        """The tags of an uplink: the site that uses it, no tank."""
        for device in self.devices():
            row = self.registry.device(device)
            if row and row.uplink == uplink:
                return self.for_tank(row.tank) | {"tank": "-"}
        return {"tank": "-", "site": "-"}

    def devices(self, tank: str | None = None) -> list[str]:
        """The devices in use, of one tank or of all."""
        rows = (devices[-1] for devices in self.registry.devices.values())
        return [d.id for d in rows if not d.revoked and tank in (None, d.tank)]


def _presence(tags: _Tags, tank: str, value: Row, now: float) -> list[str]:
    presence = str(value.get("presence"))
    fields = {
        "presence": presence,
        "silent": int(presence == "silent"),
        "late": int(presence == "late"),
        "state": str(value.get("state")),
        "heard": _float(value.get("received")),
        "due": _float(value.get("due")),
        "pct": _float(value.get("pct")),
        "volume_l": _float(value.get("volume_l")),
        "battery_mv": _integer(value.get("battery_mv")),
    }
    head = tags.for_tank(tank)
    return [
        point("presence", head | {"device": device}, fields, _ns(now))
        for device in tags.devices(tank) or ["-"]
    ]


def _event(tags: _Tags, key: _Event, until: float, litres: float | None) -> str:
    tank, kind, at = key
    fields = {"litres": _float(litres), "until": float(until)}
    return point("event", tags.for_tank(tank) | {"kind": kind}, fields, _ns(at))


def _incident(tags: _Tags, row: Row) -> str:
    """One point an incident, at the time when it was opened; a change replaces its fields."""
    head = tags.for_tank(str(row["tank"])) if row["tank"] else tags.for_uplink(str(row["uplink"]))
    fields = {
        "kind": str(row["kind"]),
        "open": int(row["closed"] is None),
        "probability": _float(row["probability"]),
        "at": _float(row["at"]),
        "updated": _float(row["updated"]),
        "closed": _float(row["closed"]) or 0.0,
        "claimed": int(row["claimed_by"] is not None),
    }
    return point(
        "incident", head | {"incident": str(row["id"])}, fields, _ns(_float(row["opened"]) or 0.0)
    )


def _float(value: JSON) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _integer(value: JSON) -> int | None:
    return value if isinstance(value, int) else None


def _ns(at: float) -> int:
    return round(at * 1000) * 1_000_000
