"""Why an incident was said: its readings, its terms, and every change of mind."""

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from server.charts import around as chart
from server.charts.chart import Chart
from server.views import why as views
from server.views.incident import Incident
from server.views.snapshot import Snapshot
from server.web import render
from server.web.guard import SignedIn
from server.words import tank_page
from server.words import why as words
from server.words.language import PageLanguage

router = APIRouter(include_in_schema=False)


@router.get("/incidents/{incident_id}/why")
def one(visit: SignedIn, incident_id: str) -> Response:
    """Why this incident was said. 404 when there is none."""
    snapshot = visit.parts.snapshot()
    found = views.of_incident(visit.parts.engine, visit.parts.history, snapshot, incident_id)
    if found is None:
        raise HTTPException(404)
    incident, around = found.incident, found.around
    language = _language(visit.language, snapshot, incident, visit.parts.settings.timezone)
    page = words.page(language, snapshot, incident, found.judgements, around)
    return render.page(
        visit, "why.html", snapshot=snapshot, tab="incidents", page=page,
        chart=_chart(language, snapshot, incident, around, page),
    )  # fmt: skip


def _language(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, timezone: str
) -> PageLanguage:
    """The reader's language in the time zone of the tank's site."""
    view = snapshot.tank(incident.tank or "")
    site = snapshot.registry.site(view.tank.site) if view is not None else None
    return PageLanguage(language.code, site.timezone if site is not None else timezone)


def _chart(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, around: views.Around,
    page: words.WhyPage,
) -> Chart | None:  # fmt: skip
    """None without a tank, or without any reading."""
    view = snapshot.tank(incident.tank or "")
    if view is None or not any(r.volume_l is not None for r in around.readings or ()):
        return None
    return chart.draw(
        language, view.tank.capacity_l, tank_page.limits_l(view), around.readings or (),
        page.signs, (around.start, around.end), snapshot.now,
    )  # fmt: skip
