"""A tank and its node in a watch's memory, in the middle of an episode of handling."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Plan, Registry, Sensor, Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident, Promise, TankState
from gateway.domain.watch.rules import evidence, removal
from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tamper import Episode, Fall
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import T0, ibc, registry_of

CARRIED: dict[str, Any] = {"motion_ms": 20_000, "motion_mg": 900, "motion_at": T0}
SHAKEN: dict[str, Any] = {"motion_ms": 8000, "motion_mg": 900}


def episode_of(**fields: Any) -> Episode:
    """An episode that began at T0, so far without evidence. Its motion is all of one event."""
    is_strong = fields.get("motion_mg", 0) >= evidence.CARRIED_MG
    strong_ms = fields.get("motion_ms", 0) if is_strong else 0
    return replace(Episode(T0, T0, "node-1"), **{"strong_ms": strong_ms, **fields})


def fall_of(**fields: Any) -> Fall:
    """A fall of 300 L in ten minutes, as fast as all taps together."""
    fall = Fall(
        at=T0, until=T0 + 600, from_l=700, to_l=400, lpm=100, taps_ratio=1.0, single_step=False,
        plateau=False, emptied=False, step_s=60,
    )  # fmt: skip
    return replace(fall, **fields)


@dataclass
class HandledTank:
    """One tank at T0, and what the rules need of it."""

    context: WatchContext
    tank: TankState
    row: Tank
    device: DeviceState

    def terms(self, episode: Episode) -> dict[str, Term]:
        """The evidence of an episode by its names."""
        if episode.fall is not None:
            evidence.count_neighbours(self.context, self.tank, self.row, episode.fall)
        found = evidence.terms(self.context, self.tank, self.row, self.device, episode)
        return {term.name: term for term in found}

    def review(self, episode: Episode) -> None:
        """Weigh the evidence of a copy of an episode."""
        self.tank.episode = replace(episode)
        removal.review(self.context, self.tank, self.device)

    @property
    def incident(self) -> Incident | None:
        """The open incident of handling."""
        return self.context.open_incident(removal.FAMILY, self.tank.tank)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Every incident's changes with their kinds."""
        changes = [t for t in self.context.outputs if isinstance(t, IncidentChange)]
        return [(t.change, t.kind) for t in changes]


def handled_tank(
    sensor: Sensor = "a02yyuw", plans: Iterable[Plan] = (), neighbours: int = 0, **fields: Any
) -> HandledTank:
    """A tank at 700 L whose node is present; ``neighbours``: other tanks at its site."""
    row = ibc(**fields)
    tanks = [row, *(ibc(f"north-{n + 2}") for n in range(neighbours))]
    registry = registry_of(tanks, plans=plans)
    devices = {
        name: tuple(replace(d, sensor=sensor) for d in rows)
        for name, rows in registry.devices.items()
    }
    registry = Registry(tanks=registry.tanks, devices=devices, plans=registry.plans)
    context = WatchContext(registry, None, ASSUMED)
    context.now = T0
    tank, device = context.tank(row.id), context.device("node-1", row.id)
    tank.source = "node-1/0"
    tank.settling.smooth_l = 700.0
    device.promises = [Promise("aaaaaaaa", 1, 1, T0, T0, 900, 0.0)]
    return HandledTank(context, tank, row, device)


def opened(**fields: Any) -> HandledTank:
    """A tank with an open incident of an episode with these fields."""
    handled = handled_tank()
    handled.review(episode_of(**fields))
    assert handled.incident is not None
    return handled


def closed_why(handled: HandledTank) -> object:
    """The reason of the newest change, which closed its incident."""
    (*_, last) = (t for t in handled.context.outputs if isinstance(t, IncidentChange))
    assert last.change == "closed"
    return last.figures["closed_why"]
