"""The demo's story: events in the field, and a volunteer's actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.alerts import claims
from gateway.database.engine import open_database
from gateway.database.tables import incident
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from server.demo import place


@dataclass(frozen=True, slots=True)
class Step:
    """An event at ``minute`` of fast time since the start: ``do`` for a tank or an uplink."""

    minute: float
    do: str
    subject: str
    words: str
    values: Mapping[str, float] = field(default_factory=dict[str, float])


STEPS = (
    Step(15, "set_draw", "canal-1", "A queue forms at Canal 1.", {"litres_per_h": 150.0}),
    Step(75, "set_draw", "canal-1", "The queue at Canal 1 is gone.", {"litres_per_h": 40.0}),
    Step(100, "seize", "birches-2", "At Birches 2 the tank is lifted."),
    Step(125, "network_out", "orchard-router", "The router at Orchard loses its network."),
    Step(260, "network_back", "orchard-router", "The router at Orchard is back."),
)
"""After these events, people draw water and a van refills tanks that run low."""

CLAIM_AFTER_MIN = 15.0
ARRIVE_AFTER_MIN = 20.0
REFILL_PART = 0.8
REFILL_MIN = 14.0
_WATER = ("low", "critical", "empty")


class Story:
    """Runs the steps at their minutes; a volunteer claims and refills tanks that run low.

    ``nodes`` are the demo's; ``control`` sends a command to the fleet of virtual boards.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        volunteer: str,
        nodes: Sequence[place.Node],
        control: Callable[[dict[str, Any]], None],
        report: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._volunteer_id = volunteer
        self._devices = {node.spot.tank: node.device for node in nodes}
        self._spots = {node.spot.tank: node.spot for node in nodes}
        self._control = control
        self._report = report
        self._zone = ZoneInfo(settings.timezone)
        self._engine = open_database(settings)
        self._start = clock.now()
        self._steps = list(STEPS)
        self._arrivals: dict[str, float] = {}

    def turn(self) -> None:
        """Run everything that is due now."""
        minute = (self._clock.now() - self._start) / 60
        while self._steps and self._steps[0].minute <= minute:
            self._act(self._steps.pop(0))
        self._volunteer(self._clock.now())

    def _act(self, step: Step) -> None:
        self._narrate(step.words)
        key = "device" if step.subject in self._devices else "uplink"
        subject = self._devices.get(step.subject, step.subject)
        self._control({"do": step.do, key: subject, **step.values})

    def _volunteer(self, now: float) -> None:
        """Claim incidents that have waited; fill the tank on arrival."""
        waiting = sa.select(incident).where(
            incident.c.closed.is_(None), incident.c.kind.in_(_WATER)
        )
        with self._engine.begin() as connection:
            for row in connection.execute(waiting).mappings().all():
                if row["claimed_by"] is None and now - row["opened"] > CLAIM_AFTER_MIN * 60:
                    self._claim(connection, row["id"], row["tank"], now)
        for tank, arrives in list(self._arrivals.items()):
            if now >= arrives:
                del self._arrivals[tank]
                self._fill(tank)

    def _claim(self, connection: sa.Connection, incident_id: str, tank: str, now: float) -> None:
        arrives = now + ARRIVE_AFTER_MIN * 60
        if claims.claim(connection, incident_id, self._volunteer_id, now, eta=arrives):
            self._arrivals[tank] = arrives
            self._narrate(f"Van 2 claims the refill of {self._spots[tank].name}.")

    def _fill(self, tank: str) -> None:
        self._narrate(f"Van 2 fills {self._spots[tank].name}.")
        values = {
            "litres": REFILL_PART * self._spots[tank].capacity_l,
            "duration_s": REFILL_MIN * 60,
        }
        self._control({"do": "refill", "device": self._devices[tank], **values})

    def _narrate(self, words: str) -> None:
        moment = datetime.fromtimestamp(self._clock.now(), self._zone)
        self._report(f"{moment:%H:%M}  {words}")
