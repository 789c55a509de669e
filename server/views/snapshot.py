"""The current state of all tanks and incidents, read in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from gateway.database.engine import newest_version
from gateway.database.tables import account, tank_now
from gateway.domain.outputs import THEFT_KINDS, WATER_KINDS, TankNow
from gateway.domain.registry import Registry, Site, Tank
from server.views import incident as incidents
from server.views.freshness import Freshness, freshness
from server.views.incident import Incident

_BACK_PART = 0.03
"""The watch's hysteresis, as a part of the capacity (``watch/tracks/level.py``)."""
_RANK: Mapping[str, int] = {
    "seized": 0, "unknown": 0, "empty": 1, "drained": 2, "slashed": 2, "critical": 3,
    "lid_open": 4, "access_blocked": 4, "low": 5,
}  # fmt: skip
"""The urgent kinds, the most urgent first (LOOK: taken, dry, low)."""
UNSEEN, FINE = 8, 9
_tank_now = msgspec.json.Decoder(TankNow).decode


@dataclass(frozen=True, slots=True)
class TankView:
    """One tank: its row, the watch's latest state, and its open incidents.

    ``incident`` is the most urgent one that needs a person, ``others`` are the rest;
    ``network`` is the outage that hides the tank. ``live`` is false while the gateway is away.
    """

    tank: Tank
    now: TankNow
    incident: Incident | None
    others: tuple[Incident, ...]
    network: Incident | None
    live: bool

    @property
    def name(self) -> str:
        """The tank's name, else its id."""
        return self.tank.name or self.tank.id

    @property
    def seen(self) -> bool:
        """Whether the level is current: valid, on time and received."""
        known = self.now.state not in ("unknown", "fault") and self.now.volume_l is not None
        taken = self.incident is not None and self.incident.kind == "seized"
        return known and self.live and not taken and self.network is None

    @property
    def rank(self) -> int:
        """Order of urgency: smaller comes first."""
        if self.incident is not None:
            return _RANK[self.incident.kind]
        return FINE if self.seen else UNSEEN

    @property
    def is_taken(self) -> bool:
        """Whether it may have been taken."""
        return self.incident is not None and self.incident.kind in ("seized", "unknown")

    @property
    def is_filling(self) -> bool:
        """Whether its incident is about water, and the newest level is above that again.

        The incident stays open until the level is steady, which ends it as a refill.
        """
        if self.incident is None or self.incident.kind not in WATER_KINDS or not self.seen:
            return False
        capacity_l = self.tank.capacity_l
        least_l = self.tank.low_pct * capacity_l / 100 + _BACK_PART * capacity_l
        return (self.now.volume_l or 0.0) > least_l

    @property
    def is_disturbed(self) -> bool:
        """Whether an open incident of a theft kind is about it."""
        return self.incident is not None and self.incident.kind in (*THEFT_KINDS, "unknown")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``now`` in Unix s of the installation's clock; ``version`` grows with every change."""

    now: float
    version: int
    registry: Registry
    tanks: tuple[TankView, ...]
    incidents: tuple[Incident, ...]
    names: Mapping[str, str]
    fresh: Freshness

    def tank(self, tank: str) -> TankView | None:
        """The view of one tank, or None."""
        return next((view for view in self.tanks if view.tank.id == tank), None)

    def sites(self) -> list[tuple[Site, list[TankView]]]:
        """The sites with their tanks, in the registry's order."""
        found = [(site_rows[-1], self.at_site(name)) for name, site_rows in self._sites()]
        return [(site, tanks) for site, tanks in found if tanks]

    def _sites(self) -> list[tuple[str, tuple[Site, ...]]]:
        return list(self.registry.sites.items())

    def at_site(self, site: str) -> list[TankView]:
        """The tanks of one site."""
        return [view for view in self.tanks if view.tank.site == site]

    def behind(self, uplink: str) -> list[TankView]:
        """The tanks whose devices share this uplink."""
        ids = _tanks_behind(self.registry, uplink)
        return [view for view in self.tanks if view.tank.id in ids]

    def person(self, person: str | None) -> str | None:
        """The name of a person, or None without one."""
        return self.names.get(person) if person else None


def take(
    engine: sa.Engine, registry: Registry, now: float, real_now: float, speed: float = 1.0
) -> Snapshot:
    """Read the current state. ``real_now``: real Unix s; ``speed``: how fast ``now`` runs."""
    with engine.connect() as connection:
        version = newest_version(connection)
        values = connection.scalars(sa.select(sa.cast(tank_now.c.value, sa.Text)))
        known = {now.tank: now for now in map(_tank_now, values)}
        open_ones = incidents.open_ones(connection)
        names = {r.id: r.name for r in connection.execute(sa.select(account.c.id, account.c.name))}
        fresh = freshness(connection, now, real_now, speed)
    views = _views(registry, known, open_ones, fresh.live or not fresh.started)
    return Snapshot(now, version, registry, views, tuple(open_ones), names, fresh)


def _views(
    registry: Registry, known: Mapping[str, TankNow], open_ones: list[Incident], live: bool
) -> tuple[TankView, ...]:
    hidden = {
        tank: outage
        for outage in open_ones
        if outage.uplink is not None
        for tank in _tanks_behind(registry, outage.uplink)
    }
    views: list[TankView] = []
    for name, tank_rows in registry.tanks.items():
        now = known.get(name) or TankNow(tank=name, state="unknown", state_since=None)
        mine = [i for i in open_ones if i.tank == name]
        urgent = sorted((i for i in mine if i.kind in _RANK), key=lambda i: _RANK[i.kind])
        worst = urgent[0] if urgent else None
        network = hidden.get(name) if now.state == "unknown" else None
        others = tuple(i for i in mine if i is not worst)
        views.append(TankView(tank_rows[-1], now, worst, others, network, live))
    return tuple(views)


def _tanks_behind(registry: Registry, uplink: str) -> set[str]:
    newest = (device_rows[-1] for device_rows in registry.devices.values())
    return {d.tank for d in newest if d.uplink == uplink and not d.revoked}
