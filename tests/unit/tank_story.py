"""Steps a watch through a story: messages of nodes, time, downtime, and the outputs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from gateway.domain.inputs import Auth, ForkedMessage, ListeningChange, OperatorAction, Tick
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message, RawEvent, RawReading
from gateway.domain.outputs import Forecast, IncidentChange, Level, TankEvent, WatchOutput
from gateway.domain.registry import Device, Plan, Registry, Tank
from gateway.domain.watch import Watch
from gateway.domain.watch.tracks.weights import Weights
from gateway.evaluation.assumed import ASSUMED

T0 = 1_795_212_000  # 2026-11-20, 22:00 UTC
HOUR = 3600
DAY = 24 * HOUR
LITRES_PER_MM = 1.0716


def ibc(tank: str = "north-1", **fields: Any) -> Tank:
    """An IBC with four taps and its sensor 1100 mm above the floor."""
    row = Tank(tank, f"rid-{tank}", "north", sensor_height_mm=1100, empty_l=20, taps=4)
    return replace(row, **fields)


def registry_of(
    tanks: Sequence[Tank] | None = None, uplink: str | None = None, plans: Iterable[Plan] = ()
) -> Registry:
    """One node, ``node-1``, ``node-2``…, in each tank; ``uplink`` shared by all."""
    rows = tanks if tanks is not None else (ibc(),)
    devices = {
        f"node-{i}": (Device(f"node-{i}", tank.id, key=bytes(32), uplink=uplink),)
        for i, tank in enumerate(rows, 1)
    }
    by_tank: dict[str, tuple[Plan, ...]] = {}
    for plan in plans:
        by_tank[plan.tank] = (*by_tank.get(plan.tank, ()), plan)
    return Registry(tanks={t.id: (t,) for t in rows}, devices=devices, plans=by_tank)


def motion(ms: int, mg: int = 900, ago: int = 0) -> RawEvent:
    """The node has moved."""
    return RawEvent(ago, "motion", {"ms": ms, "mg": mg})


def tilt(deg: int, ago: int = 0) -> RawEvent:
    """The node is tilted."""
    return RawEvent(ago, "tilt", {"deg": deg})


class Story:
    """A watch, its nodes, and all outputs. ``at`` is seconds since T0.

    It weighs as assumed, so that no refit changes a test of a rule.
    """

    def __init__(self, registry: Registry | None = None, weights: Weights = ASSUMED) -> None:
        self.registry = registry or registry_of()
        self.watch = Watch(self.registry, weights=weights)
        self.interpreter = Interpreter(self.registry)
        self.outputs: list[WatchOutput] = []
        self.at = 0.0
        self._seq: dict[str, int] = {}

    def sends(
        self, litres: float | None = None, *, node: str = "node-1", mm: int | None = None,
        events: tuple[RawEvent, ...] = (), next_s: int = 900, mv: int | None = 3990,
        at: float | None = None, newest: bool = True, sealed: float | None = None,
        silent: bool = False, auth: Auth = "mac", era: str = "aaaaaaaa", air_dc: int = 110,
        rssi: int | None = None, clock: float = 0.0, boot: int = 1, up: int | None = None,
    ) -> list[WatchOutput]:  # fmt: skip
        """A message arrives at ``at``, with one reading unless ``silent``; None is no echo.

        ``clock``: by how much the node's clock is wrong (s).
        """
        self.at = self.at if at is None else at
        made = T0 + (self.at if sealed is None else sealed)
        self._seq[node] = self._seq.get(node, 0) + 1
        value = mm if litres is None else round(1100 - litres / LITRES_PER_MM)
        message = Message(
            device=node, fw="t", era=era, boot=boot, seq=self._seq[node], prev="",
            uptime_s=int(made - T0) + 100_000 if up is None else up, t=int(made + clock),
            ts="ntp", next_s=next_s, old=(1, 1),
            ta_s=60, battery_mv=mv, rssi_dbm=rssi, events=events,
            readings=() if silent else (RawReading(0, "mm", value, 4, 7, 7, air_dc),),
        )  # fmt: skip
        found = self.interpreter.interpret(message, T0 + self.at, auth=auth, newest=newest)
        assert found is not None
        return self._keep(self.watch.step(found, T0 + self.at))

    def forks(self, *, era: str = "aaaaaaaa", auth: Auth = "mac") -> list[WatchOutput]:
        """A number of ``node-1`` arrives again with other content."""
        fork = ForkedMessage("node-1", era, T0 + self.at, auth)
        return self._keep(self.watch.step(fork, T0 + self.at))

    def levels(self, *litres: float, every: float = 900, **fields: Any) -> None:
        """One message for each level, ``every`` seconds, the first one ``every`` from now."""
        for level in litres:
            self.sends(level, at=self.at + every, **fields)

    def passes(self, seconds: float) -> list[WatchOutput]:
        """Time passes without a message."""
        self.at += seconds
        return self._keep(self.watch.step(Tick(T0 + self.at), T0 + self.at))

    def listening(
        self, change: Any, at: float | None = None, step_s: float = 0.0
    ) -> list[WatchOutput]:
        """The gateway or its broker stops or starts to receive."""
        self.at = self.at if at is None else at
        return self._keep(
            self.watch.step(ListeningChange(change, T0 + self.at, step_s), T0 + self.at)
        )

    def operator(self, op: str, incident: str, **fields: object) -> list[WatchOutput]:
        """An operator acts on an incident."""
        event = OperatorAction(incident, op, T0 + self.at, fields)
        return self._keep(self.watch.step(event, T0 + self.at))

    def _keep(self, outputs: list[WatchOutput]) -> list[WatchOutput]:
        self.outputs += outputs
        return outputs

    @property
    def incidents(self) -> list[IncidentChange]:
        """All incident changes so far."""
        return [t for t in self.outputs if isinstance(t, IncidentChange)]

    @property
    def summary(self) -> list[str]:
        """All incident changes in short: change, kind, and ``!`` for an alert."""
        return [f"{i.change} {i.kind}{'!' if i.alert else ''}" for i in self.incidents]

    @property
    def alerts(self) -> list[IncidentChange]:
        """The changes that sent an alert."""
        return [i for i in self.incidents if i.alert]

    def events(self, *kinds: str) -> list[TankEvent]:
        """The tank events of some kinds."""
        return [t for t in self.outputs if isinstance(t, TankEvent) and t.kind in kinds]

    @property
    def states(self) -> list[str]:
        """The state at each level line."""
        return [t.state for t in self.outputs if isinstance(t, Level)]

    @property
    def forecasts(self) -> list[Forecast]:
        """All forecasts so far."""
        return [t for t in self.outputs if isinstance(t, Forecast)]
