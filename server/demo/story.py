"""The demo's story: what happens in the field, who does it, and what Noria says of it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway import database
from gateway.clock import Clock
from gateway.settings import Settings
from gateway.watching import claims


@dataclass(frozen=True, slots=True)
class Step:
    """At ``minute`` of fast time since the start, ``do`` happens to a tank or an uplink."""

    minute: float
    do: str
    subject: str
    words: str
    values: Mapping[str, float] = field(default_factory=dict[str, float])


STEPS = (
    Step(15, "set_draw", "canal-1", "A queue forms at Canal 1.", {"litres_per_h": 160.0}),
    Step(120, "seize", "birches-2", "At Birches 2 somebody lifts the tank."),
    Step(165, "network_out", "orchard-router", "The router at Orchard loses its network."),
    Step(285, "network_back", "orchard-router", "The router at Orchard is back."),
)
"""After these the day goes on: people draw, vans refill what runs low."""

CLAIM_AFTER_MIN = 25.0
ARRIVE_AFTER_MIN = 20.0
REFILL_L = 700.0
REFILL_MIN = 14.0
VAN = "van2demo"
"""The person id under which the demo's volunteer claims."""


class Teller:
    """Runs the steps at their minutes; a volunteer claims and refills every tank that runs low."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        devices: Mapping[str, str],
        control: Callable[[dict[str, Any]], None],
        say: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._devices = devices
        self._control = control
        self._say = say
        self._zone = ZoneInfo(settings.timezone)
        self._engine = database.connect(settings.database_path)
        self._start = clock.now()
        self._todo = list(STEPS)
        self._last_step = 0
        self._refills: dict[str, float] = {}

    def tell(self, stop: threading.Event) -> None:
        """Until ``stop``: do what is due, and say what Noria found."""
        while not stop.wait(0.25):
            self.turn()

    def turn(self) -> None:
        """Everything that is due now, once."""
        minute = (self._clock.now() - self._start) / 60
        while self._todo and self._todo[0].minute <= minute:
            self._act(self._todo.pop(0))
        self._volunteer(self._clock.now())
        self._narrate()

    def _act(self, step: Step) -> None:
        self._tell(step.words)
        key = "device" if step.subject in self._devices else "uplink"
        subject = self._devices.get(step.subject, step.subject)
        self._control({"do": step.do, key: subject, **step.values})

    def _volunteer(self, now: float) -> None:
        waiting = sa.select(database.incident).where(
            database.incident.c.closed.is_(None),
            database.incident.c.kind.in_(("low", "critical", "empty")),
        )
        with self._engine.begin() as connection:
            for row in connection.execute(waiting).mappings():
                if row["claimed_by"] is None and now - row["opened"] > CLAIM_AFTER_MIN * 60:
                    eta = now + ARRIVE_AFTER_MIN * 60
                    if claims.claim(connection, row["id"], VAN, now, eta=eta):
                        self._refills[row["tank"]] = eta
        for tank, eta in list(self._refills.items()):
            if now >= eta:
                del self._refills[tank]
                self._tell(f"Van 2 fills {tank}.")
                values = {"litres": REFILL_L, "duration_s": REFILL_MIN * 60}
                self._control({"do": "refill", "device": self._devices[tank], **values})

    def _narrate(self) -> None:
        steps = (
            sa.select(
                database.incident_step,
                database.incident.c.tank,
                database.incident.c.uplink,
                database.incident.c.kind,
            )
            .join(database.incident, database.incident.c.id == database.incident_step.c.incident)
            .where(database.incident_step.c.id > self._last_step)
            .order_by(database.incident_step.c.id)
        )
        with self._engine.connect() as connection:
            found = connection.execute(steps).mappings().all()
        for row in found:
            self._last_step = row["id"]
            self._tell(f"Noria: {row['tank'] or row['uplink']}: {row['kind']} {row['what']}")

    def _tell(self, words: str) -> None:
        moment = datetime.fromtimestamp(self._clock.now(), self._zone)
        self._say(f"{moment:%H:%M}  {words}")
