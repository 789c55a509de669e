"""Incidents: the list, one with everything that is known of it, and what people do about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.alerts.claims import CloseReason
from gateway.domain.outputs import WATER_KINDS
from server import acts
from server.acts import Outcome
from server.views import incident as incidents
from server.views.incident import Incident
from server.views.snapshot import Snapshot
from server.web import render
from server.web.guard import OurForm, Refused, SignedIn, Visit
from server.words import causes as cause_words
from server.words import incident as words
from server.words import steps as step_words
from server.words import tank as tank_words
from server.words.language import mark

router = APIRouter(include_in_schema=False)
PAST = 100
ETAS_MIN = (20, 40, 90)
_TAKEN = mark("Somebody was faster, or this is over. Here is how it stands.")


@router.get("/incidents")
def listed(visit: SignedIn) -> Response:
    """Open incidents, then past ones."""
    snapshot = visit.parts.snapshot()
    with visit.parts.engine.connect() as connection:
        past = incidents.past_ones(connection, PAST)
    open_ones = sorted(snapshot.incidents, key=lambda i: (words.urgency(i), i.at))
    return render.page(
        visit, "incidents.html", snapshot=snapshot, tab="incidents", past=past,
        open_ones=open_ones, words=words, subject=subject,
    )  # fmt: skip


@router.get("/i/{incident_id}")
def short(incident_id: str) -> Response:
    """The short link of an alert; leads to the page, which asks who comes."""
    return render.go(f"/incidents/{incident_id}")


@router.get("/incidents/{incident_id}")
@router.get("/c/{incident_id}")
def one(visit: SignedIn, incident_id: str) -> Response:
    """What it could be and why, what happened so far, and what a person can do."""
    return show(visit, incident_id)


def show(visit: Visit, incident_id: str, notice: str = "", status: int = 200) -> Response:
    """One incident's page. Raises 404 when there is none."""
    snapshot, language = visit.parts.snapshot(), visit.language
    with visit.parts.engine.connect() as connection:
        incident = incidents.one(connection, incident_id)
        history = incidents.steps(connection, incident_id)
    if incident is None:
        raise HTTPException(404)
    view = snapshot.tank(incident.tank or "")
    grounds = cause_words.grounds(language, incident.because, snapshot.now)
    return render.page(
        visit, "incident.html", status, snapshot=snapshot, tab="incidents", incident=incident,
        kind=words.KINDS[incident.kind], view=view, notice=notice, words=words,
        card=tank_words.card(language, view, None, snapshot.now) if view else None,
        name=subject(snapshot, incident), claimant=snapshot.person(incident.claimed_by),
        causes=cause_words.causes(language, incident), judged=cause_words.is_judged(incident),
        grounds=grounds, steps=step_words.lines(language, history, snapshot),
        near=_near(visit, snapshot, incident), etas=ETAS_MIN, others=acts.colleagues(visit),
        mine=incident.claimed_by == visit.me.id,
        water=incident.kind in WATER_KINDS,
    )  # fmt: skip


def subject(snapshot: Snapshot, incident: Incident) -> str:
    """What an incident is about, as people call it: a tank, or the site behind an uplink."""
    view = snapshot.tank(incident.tank or "")
    if view is not None:
        return view.name
    sites = {v.tank.site for v in snapshot.behind(incident.uplink or "")}
    names = [(s.name or s.id) for s in (snapshot.registry.site(n) for n in sorted(sites)) if s]
    return ", ".join(names) or incident.tank or incident.uplink or "-"


def _near(visit: Visit, snapshot: Snapshot, incident: Incident) -> list[tank_words.Card]:
    view = snapshot.tank(incident.tank or "")
    if view is None:
        views = snapshot.behind(incident.uplink or "")
    else:
        views = [v for v in snapshot.at_site(view.tank.site) if v.tank.id != view.tank.id]
    return [tank_words.card(visit.language, v, None, snapshot.now) for v in views]


def _answer(visit: Visit, incident_id: str, outcome: Outcome) -> Response:
    if outcome is Outcome.DONE:
        return render.go(f"/incidents/{incident_id}")
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
def hand_over(
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
    """It is over, for this reason."""
    return _answer(visit, incident_id, acts.close(visit, incident_id, why))


@router.post("/incidents/{incident_id}/see", dependencies=[OurForm])
def see(
    visit: SignedIn,
    incident_id: str,
    seen: Annotated[Literal["there", "gone", "damaged", "empty", "blocked"], Form()],
) -> Response:
    """I am beside the tank and report its state."""
    return _answer(visit, incident_id, acts.see(visit, incident_id, seen))
