"""One tank: its state, what comes next, its chart, its sensor, what happened."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.alerts.people import wishes
from gateway.database.transaction import write_transaction
from server.charts import chart
from server.charts.chart import Chart, Range
from server.views import events as tank_events
from server.views import incident as incidents
from server.views.snapshot import TankView
from server.web import render
from server.web.guard import OurForm, SignedIn, Visit
from server.words import events as event_words
from server.words import sensors, tank_page
from server.words import snooze as snooze_words
from server.words import tank as words

router = APIRouter(include_in_schema=False)
_EVENTS_S = 7 * 86400.0
_LATE_S = 3600.0
_NEW_S = 30 * 86400.0
"""A tank without a reading for so long before a chart counts as new."""


@router.get("/tanks/{tank}")
def one(visit: SignedIn, tank: str, range: Annotated[Range, Query()] = "24h") -> Response:
    """One tank's page. 404 when there is none."""
    snapshot, language, now = visit.parts.snapshot(), visit.language, visit.now
    view = snapshot.tank(tank)
    if view is None:
        raise HTTPException(404)
    start, _ = chart.window(range, now)
    with visit.parts.engine.connect() as connection:
        since = min(start, now - _EVENTS_S)
        happened = tank_events.of_tank(connection, tank, since)
        past = incidents.of_tank(connection, tank, since)
        quiet = wishes.snoozed(connection, visit.me.id, now)
    who = snapshot.person(view.incident.claimed_by) if view.incident else None
    drawn = _chart(visit, view, range, happened, past)
    card = words.card(language, snapshot, view)
    return render.page(
        visit, "tank.html", snapshot=snapshot, tab="now", card=card,
        urgent=tank_page.urgent(language, view, who, visit.me.id, now),
        sentence=words.sentence(language, view, now), large=tank_page.drawing(language, view),
        level=tank_page.level(language, view, card, now),
        forecasts=tank_page.forecasts(language, view, now), chart=drawn,
        basis=tank_page.basis(language, view),
        ranges=chart.ranges(language, drawn), sensor=sensors.state(language, view, now),
        details=sensors.details(language, view.now, now),
        happened=event_words.happenings(language, happened, past, now),
        snooze=snooze_words.section(language, quiet.get(tank), now),
    )  # fmt: skip


@router.post("/tanks/{tank}/snooze", dependencies=[OurForm])
def snooze(
    visit: SignedIn, tank: str, until: Annotated[Literal["hours", "morning", "none"], Form()]
) -> Response:
    """No alerts to me about this tank for a while, or alerts again. 404 when there is no tank."""
    if visit.parts.registry().tank(tank) is None:
        raise HTTPException(404)
    zone, now = visit.language.zone, visit.now
    end = None if until == "none" else snooze_words.end_of(until, now, zone)
    with write_transaction(visit.parts.engine) as connection:
        wishes.set_snooze(connection, visit.me.id, tank, end)
    return render.go(f"/tanks/{tank}#alerts")


def _chart(
    visit: Visit, view: TankView, range_: Range, happened: list[tank_events.TankEvent],
    past: list[incidents.Incident],
) -> Chart | None:  # fmt: skip
    """None when the store does not answer."""
    start, end = chart.window(range_, visit.now)
    readings = visit.parts.history.series(view.tank.id, start, end)
    if readings is None:
        return None
    first_at = None
    if readings and readings[0].at - start > _LATE_S:  # silent until then, or new?
        is_new = visit.parts.history.first_at(view.tank.id, start - _NEW_S, start) is None
        first_at = readings[0].at if is_new else None
    return chart.draw(
        visit.language, range_, view.now, view.tank.capacity_l, tank_page.limits_l(view), readings,
        happened, past, visit.now, view.tank.empty_l, first_at,
    )  # fmt: skip
