"""Devices, for coordinators: late, silent, low on battery, faulty, doubted; the sick first."""

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.devices import anomalies, faults
from gateway.devices import state as commands
from server.web import render
from server.web.guard import Coordinating
from server.words import devices as words

router = APIRouter(include_in_schema=False)


@router.get("/devices")
def devices(visit: Coordinating) -> Response:
    """All devices."""
    snapshot, language = visit.parts.snapshot(), visit.language
    with visit.parts.engine.connect() as connection:
        commanded = commands.load(connection)
    marks, reported = (
        anomalies.by_device(visit.parts.engine), faults.by_device(visit.parts.engine)
    )  # fmt: skip
    newest = [rows[-1] for rows in snapshot.registry.devices.values()]
    lines = [
        words.line(language, snapshot, d, marks.get(d.id, []), commanded.get(d.id),
                   reported.get(d.id, []))
        for d in newest
    ]  # fmt: skip
    return render.page(
        visit, "devices.html", snapshot=snapshot, tab="devices", lines=words.ordered(lines),
        heading=words.heading(language, lines),
        count=language.plural("{n} device in all.", "{n} devices in all.", len(lines)),
        outages=words.outages(language, snapshot),
        connection=words.connection(language, visit.parts.settings, visit.parts.real.now()),
    )  # fmt: skip
