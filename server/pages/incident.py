"""Incidents: the list, the page of one, and the forms by which people act on it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.alerts.claims import CloseReason
from server import acts
from server.acts import Outcome
from server.views import incident as incidents
from server.web import render
from server.web.guard import OurForm, Refused, SignedIn, Visit
from server.words import incident_page
from server.words.language import mark

router = APIRouter(include_in_schema=False)
PAST = 100
_HELD = mark("A coordinator has taken this on, and is the one who closes it.")
_TAKEN = mark("Somebody was faster, or this is over. Here is how it stands.")


@router.get("/incidents")
def listed(visit: SignedIn) -> Response:
    """Open incidents, then past ones."""
    snapshot, language = visit.parts.snapshot(), visit.language
    with visit.parts.engine.connect() as connection:
        past = incidents.past_ones(connection, PAST)
    n = len(snapshot.incidents)
    return render.page(
        visit, "incidents.html", snapshot=snapshot, tab="incidents",
        heading=language.plural("{n} incident is open", "{n} incidents are open", n) if n
        else language.text("Nothing is open"),
        open_lines=incident_page.open_lines(language, snapshot),
        past_lines=incident_page.past_lines(language, snapshot, past),
    )  # fmt: skip


@router.get("/i/{incident_id}")
def short(incident_id: str) -> Response:
    """The link in an alert: see it."""
    return render.go(f"/incidents/{incident_id}")


@router.get("/c/{incident_id}")
@router.get("/incidents/{incident_id}")
def one(visit: SignedIn, incident_id: str) -> Response:
    """One incident. ``/c/…`` is the link in an alert, to claim it."""
    return show(visit, incident_id)


def show(visit: Visit, incident_id: str, notice: str = "", status: int = 200) -> Response:
    """The page of one incident with an optional ``notice`` on top. 404 when there is none."""
    snapshot = visit.parts.snapshot()
    with visit.parts.engine.connect() as connection:
        incident = incidents.one(connection, incident_id)
        history = incidents.steps(connection, incident_id)
    if incident is None:
        raise HTTPException(404)
    page = incident_page.page(
        visit.language, snapshot, incident, history, visit.me, acts.colleagues(visit)
    )
    return render.page(
        visit, "incident.html", status, snapshot=snapshot, tab="incidents", page=page,
        notice=notice,
    )  # fmt: skip


def _answer(visit: Visit, incident_id: str, outcome: Outcome) -> Response:
    if outcome in (Outcome.DONE, Outcome.ASKED):
        return render.go(f"/incidents/{incident_id}")
    if outcome is Outcome.HELD:
        return show(visit, incident_id, visit.language.text(_HELD), 403)
    return show(visit, incident_id, visit.language.text(_TAKEN), 409)


@router.post("/c/{incident_id}", dependencies=[OurForm])
@router.post("/incidents/{incident_id}/claim", dependencies=[OurForm])
def claim(
    visit: SignedIn,
    incident_id: str,
    minutes: Annotated[int | None, Form(ge=1, le=1440)] = None,
) -> Response:
    """I am going, there in so many minutes."""
    return _answer(visit, incident_id, acts.claim(visit, incident_id, minutes))


@router.post("/incidents/{incident_id}/hand-over", dependencies=[OurForm])
def reassign(
    visit: SignedIn, incident_id: str, to: Annotated[str, Form(max_length=20)]
) -> Response:
    """Somebody else goes instead of me."""
    outcome = acts.reassign(visit, incident_id, to)
    if outcome is Outcome.NOT_ALLOWED:
        raise Refused(400, mark("Choose who goes instead."))
    return _answer(visit, incident_id, outcome)


@router.post("/incidents/{incident_id}/release", dependencies=[OurForm])
def release(visit: SignedIn, incident_id: str) -> Response:
    """I am not going after all: also the *undo* of a claim."""
    return _answer(visit, incident_id, acts.release(visit, incident_id))


@router.post("/incidents/{incident_id}/close", dependencies=[OurForm])
def close(
    visit: SignedIn, incident_id: str, why: Annotated[CloseReason, Form()] = "other"
) -> Response:
    """It is over, for this reason; of a theft, a second person has to agree."""
    return _answer(visit, incident_id, acts.close(visit, incident_id, why))


@router.post("/incidents/{incident_id}/agree", dependencies=[OurForm])
def agree(visit: SignedIn, incident_id: str) -> Response:
    """It is over, as another person says."""
    return _answer(visit, incident_id, acts.agree(visit, incident_id))


@router.post("/incidents/{incident_id}/keep-open", dependencies=[OurForm])
def keep_open(visit: SignedIn, incident_id: str) -> Response:
    """It is not over: also the *undo* of a request to close it."""
    return _answer(visit, incident_id, acts.keep_open(visit, incident_id))


@router.post("/incidents/{incident_id}/see", dependencies=[OurForm])
def see(
    visit: SignedIn,
    incident_id: str,
    seen: Annotated[Literal["there", "gone", "damaged", "empty", "blocked"], Form()],
) -> Response:
    """I am beside the tank and report its state."""
    return _answer(visit, incident_id, acts.see(visit, incident_id, seen))
