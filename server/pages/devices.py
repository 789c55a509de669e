"""Devices, for coordinators: late, silent, low on battery, faulty; the sick first."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.desired import state as desired
from gateway.domain.registry import Device
from server import render
from server.guard import Coordinating, Visit
from server.views.snapshot import Snapshot, TankView
from server.words import sensors

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One device: where it hangs, how it is, how it reaches us."""

    device: Device
    tank: str
    href: str
    icon: str
    state: str
    details: str
    heard: float | None
    order: int
    told: str = ""


@router.get("/devices")
def devices(visit: Coordinating) -> Response:
    """All devices."""
    snapshot = visit.parts.snapshot()
    with visit.parts.engine.connect() as connection:
        wanted = desired.load(connection)
    newest = [rows[-1] for rows in snapshot.registry.devices.values()]
    lines = [
        replace(_line(visit, snapshot, d), told=sensors.told(visit.speech, wanted.get(d.id)))
        for d in newest
    ]
    return render.page(
        visit, "devices.html", snapshot=snapshot, tab="devices",
        lines=sorted(lines, key=lambda line: (line.order, line.tank)),
        outages=[i for i in snapshot.incidents if i.uplink is not None],
        sick=sum(1 for line in lines if line.order < 2),
    )  # fmt: skip


def _line(visit: Visit, snapshot: Snapshot, device: Device) -> Line:
    view = snapshot.tank(device.tank)
    if view is None or device.revoked:
        state = visit.speech.say("Revoked.") if device.revoked else visit.speech.say("No tank.")
        return Line(device, device.tank, "", "unknown", state, "", None, 3)
    icon, state = sensors.state(visit.speech, view, snapshot.now)
    details = sensors.details(visit.speech, view.now, snapshot.now)
    return Line(
        device, view.name, f"/tanks/{view.tank.id}", icon, state, details, view.now.received,
        _order(view),
    )  # fmt: skip


def _order(view: TankView) -> int:
    if view.now.presence == "silent" or view.now.state == "fault":
        return 0
    low = view.now.battery_mv is not None and view.now.battery_mv < sensors.LOW_MV
    return 1 if low or view.now.presence == "late" or view.now.received is None else 2
