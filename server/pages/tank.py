"""One tank: how it stands, what comes next, its chart, its sensor, what happened."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from server.charts import chart
from server.charts.chart import Chart, Range
from server.views import events as tank_events
from server.views import incident as incidents
from server.views.snapshot import TankView
from server.web import render
from server.web.guard import SignedIn, Visit
from server.words import events as event_words
from server.words import incident as incident_words
from server.words import sensors
from server.words import tank as words

router = APIRouter(include_in_schema=False)
_EVENTS_S = 7 * 86400.0
ETAS_MIN = (20, 40, 90)
RANGES: tuple[Range, ...] = ("24h", "7d", "30d")


@router.get("/tanks/{tank}")
def one(visit: SignedIn, tank: str, range: Annotated[Range, Query()] = "24h") -> Response:
    """One tank's page. 404 when there is none."""
    snapshot, language = visit.parts.snapshot(), visit.language
    view = snapshot.tank(tank)
    if view is None:
        raise HTTPException(404)
    start, _ = chart.window(range, snapshot.now)
    with visit.parts.engine.connect() as connection:
        since = min(start, snapshot.now - _EVENTS_S)
        happened = tank_events.of_tank(connection, tank, since)
        past = incidents.of_tank(connection, tank, since)
    incident = view.incident
    who = snapshot.person(incident.claimed_by) if incident else None
    return render.page(
        visit, "tank.html", snapshot=snapshot, tab="now", view=view, incident=incident,
        card=words.card(language, view, who, snapshot.now),
        sentence=words.sentence(language, view, snapshot.now),
        situation=words.situation(language, view, snapshot.now) if incident else "",
        who=incident_words.who(language, incident, who, snapshot.now) if incident else "",
        mine=visit.person is not None and incident is not None
        and incident.claimed_by == visit.person.id,
        chart=_chart(visit, view, range, happened, past), ranges=RANGES, etas=ETAS_MIN,
        sensor=sensors.state(language, view, snapshot.now),
        details=sensors.details(language, view.now, snapshot.now), limits=limits_l(view),
        happened=event_words.happenings(language, happened, past, snapshot.now),
    )  # fmt: skip


def limits_l(view: TankView) -> tuple[float, float]:
    """The litres at which a tank is low, and critical."""
    tank = view.tank
    return tank.capacity_l * tank.low_pct / 100, tank.capacity_l * tank.critical_pct / 100


def _chart(
    visit: Visit, view: TankView, range_: Range, happened: list[tank_events.TankEvent],
    past: list[incidents.Incident],
) -> Chart | None:  # fmt: skip
    """None when the store does not answer."""
    start, end = chart.window(range_, visit.now)
    readings = visit.parts.history.series(view.tank.id, start, end)
    if readings is None:
        return None
    return chart.draw(
        visit.language, range_, view.now, view.tank.capacity_l, limits_l(view), readings, happened,
        past, visit.now, view.tank.empty_l,
    )  # fmt: skip
