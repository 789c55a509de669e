"""Devices, for coordinators: late, silent, low on battery, faulty, doubted; the sick first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.devices import anomalies
from gateway.devices import state as desired
from gateway.domain.registry import Device
from gateway.journal.counters import Mark
from server.views.snapshot import Snapshot, TankView
from server.web import render
from server.web.guard import Coordinating, Visit
from server.words import sensors

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One device: where it hangs, how it is, how it reaches us, what came under its name."""

    device: Device
    tank: str
    href: str
    icon: str
    state: str
    details: str
    heard: float | None
    order: int
    odd: Sequence[sensors.Odd] = ()
    told: str = ""

    @property
    def looks_wrong(self) -> bool:
        """Whether something was noticed about it that somebody should look at."""
        return any(one.urgent for one in self.odd)


@router.get("/devices")
def devices(visit: Coordinating) -> Response:
    """All devices."""
    snapshot = visit.parts.snapshot()
    with visit.parts.engine.connect() as connection:
        wanted = desired.load(connection)
    newest = [rows[-1] for rows in snapshot.registry.devices.values()]
    marks = anomalies.by_device(visit.parts.engine)
    lines = [
        replace(
            _line(visit, snapshot, device, marks.get(device.id, [])),
            told=sensors.told(visit.language, wanted.get(device.id)),
        )
        for device in newest
    ]
    return render.page(
        visit, "devices.html", snapshot=snapshot, tab="devices",
        lines=sorted(lines, key=lambda line: (line.order, not line.looks_wrong, line.tank)),
        outages=[i for i in snapshot.incidents if i.uplink is not None],
        sick=sum(1 for line in lines if line.order < 2 or line.looks_wrong),
    )  # fmt: skip


def _line(visit: Visit, snapshot: Snapshot, device: Device, marks: list[Mark]) -> Line:
    view = snapshot.tank(device.tank)
    odd = sensors.odd(visit.language, marks, snapshot.now)
    if view is None or device.revoked:
        state = (
            visit.language.text("Revoked.") if device.revoked else visit.language.text("No tank.")
        )
        return Line(device, device.tank, "", "unknown", state, "", None, 3, odd)
    icon, state = sensors.state(visit.language, view, snapshot.now)
    details = sensors.details(visit.language, view.now, snapshot.now)
    return Line(
        device, view.name, f"/tanks/{view.tank.id}", icon, state, details, view.now.received,
        _order(view), odd,
    )  # fmt: skip


def _order(view: TankView) -> int:
    if view.now.presence == "silent" or view.now.state == "fault":
        return 0
    low = view.now.battery_mv is not None and view.now.battery_mv < sensors.LOW_MV
    return 1 if low or view.now.presence == "late" or view.now.received is None else 2
