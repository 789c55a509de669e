"""Version 1 of the API, for a session's cookie with X-Form-Token or for a bearer token."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from server import acts
from server.accounts import sessions
from server.acts import Outcome
from server.api.models import (
    Claim,
    Close,
    HandOver,
    IncidentsOut,
    IncidentWithSteps,
    MeOut,
    ReadingOut,
    SeriesOut,
    SignIn,
    TankOut,
    TanksOut,
    TokenOut,
    incident_out,
    tank_out,
    with_steps,
)  # fmt: skip
from server.api.why import WhyOut, why_out
from server.views import incident as incidents
from server.views import why as whys
from server.web.guard import AnyVisit, OurCall, SignedIn, Visit

router = APIRouter(prefix="/api/v1", tags=["v1"])
_LONGEST_S = 40 * 86400.0
_PAST = 500


@router.post("/session", summary="Sign in a program")
def sign_in(visit: AnyVisit, given: SignIn) -> TokenOut:
    """A bearer token for login and password; attempts are limited like those of the page."""
    person, wait_s = acts.sign_in(visit, given.login, given.password)
    if wait_s:
        raise HTTPException(429, "too many tries", {"Retry-After": str(int(wait_s) + 1)})
    if person is None:
        raise HTTPException(403, "login and password do not match")
    token = sessions.begin(visit.parts.engine, person, visit.parts.real.now())
    return TokenOut(
        id=person.id, name=person.name, role=person.role, token=token,
        form_token=sessions.form_token(token),
    )  # fmt: skip


@router.get("/me", summary="Who am I")
def me(visit: SignedIn) -> MeOut:
    """The caller, and the token for POSTs made with the cookie."""
    person = visit.me
    return MeOut(id=person.id, name=person.name, role=person.role, form_token=visit.form_token())


@router.get("/tanks", summary="All tanks now")
def tanks(visit: SignedIn) -> TanksOut:
    """All tanks as they are known now."""
    snapshot = visit.parts.snapshot()
    return TanksOut(
        now=snapshot.now, version=snapshot.version, live=snapshot.fresh.live,
        heard=snapshot.fresh.received, tanks=[tank_out(view) for view in snapshot.tanks],
    )  # fmt: skip


@router.get("/tanks/{tank}", summary="One tank now")
def tank(visit: SignedIn, tank: str) -> TankOut:
    """One tank as it is known now."""
    view = visit.parts.snapshot().tank(tank)
    if view is None:
        raise HTTPException(404, f"no tank is called {tank!r}")
    return tank_out(view)


@router.get("/tanks/{tank}/series", summary="A tank's readings")
def series(
    visit: SignedIn,
    tank: str,
    start: Annotated[float | None, Query(alias="from", description="Unix s; a day ago")] = None,
    end: Annotated[float | None, Query(alias="to", description="Unix s; now")] = None,
) -> SeriesOut:
    """Readings with from <= at <= to, at most 40 days."""
    if visit.parts.registry().tank(tank) is None:
        raise HTTPException(404, f"no tank is called {tank!r}")
    end = visit.now if end is None else end
    start = end - 86400.0 if start is None else start
    if not 0 <= end - start <= _LONGEST_S:
        raise HTTPException(422, "from and to: in order, and at most 40 days apart")
    readings = visit.parts.history.series(tank, start, end)
    if readings is None:
        raise HTTPException(503, "the reading store does not answer; try again")
    rows = [
        ReadingOut(
            at=r.at, received=r.received, volume_l=r.volume_l, sd_l=r.sd_l, estimated=r.estimated,
            fault=r.fault,
        )
        for r in readings
    ]  # fmt: skip
    return SeriesOut(tank=tank, start=start, end=end, readings=rows)


@router.get("/incidents", summary="Incidents")
def listed(
    visit: SignedIn,
    closed: Annotated[bool, Query(description="the closed ones too")] = True,
) -> IncidentsOut:
    """Open incidents, and the newest closed ones."""
    snapshot = visit.parts.snapshot()
    found = list(snapshot.incidents)
    if closed:
        with visit.parts.engine.connect() as connection:
            found += incidents.past_ones(connection, _PAST)
    me_id = visit.me.id
    found.sort(key=lambda i: -i.at)
    return IncidentsOut(
        now=snapshot.now, incidents=[incident_out(i, snapshot, me_id) for i in found]
    )


@router.get("/incidents/{incident}", summary="One incident")
def one(visit: SignedIn, incident: str) -> IncidentWithSteps:
    """One incident with its history."""
    snapshot = visit.parts.snapshot()
    with visit.parts.engine.connect() as connection:
        found = incidents.one(connection, incident)
        steps = incidents.steps(connection, incident)
    if found is None:
        raise HTTPException(404, f"no incident {incident!r}")
    return with_steps(found, steps, snapshot, visit.me.id)


@router.get("/incidents/{incident}/why", summary="Why it was said")
def why(visit: SignedIn, incident: str) -> WhyOut:
    """Every judgement of an incident, with the readings, events and plans around it."""
    found = whys.of_incident(
        visit.parts.engine, visit.parts.history, visit.parts.snapshot(), incident
    )
    if found is None:
        raise HTTPException(404, f"no incident {incident!r}")
    return why_out(incident, found.judgements, found.around)


def _answer(visit: Visit, incident: str, outcome: Outcome) -> IncidentWithSteps:
    """The incident after the act. Raises HTTPException: 403, 409 with its state, 404."""
    found = one(visit, incident)
    if outcome in (Outcome.DONE, Outcome.ASKED):
        return found
    if outcome is Outcome.HELD:
        holder = found.claimed_by or "a coordinator"
        raise HTTPException(403, f"{holder} coordinates and has claimed {incident}: ask them")
    who = found.claimed_by or "nobody"
    state = "closed" if found.closed is not None else f"claimed by {who}"
    raise HTTPException(409, f"incident {incident} is {state}; read it again")


@router.post("/incidents/{incident}/claim", dependencies=[OurCall], summary="I am going")
def claim(visit: SignedIn, incident: str, given: Claim | None = None) -> IncidentWithSteps:
    """Claim it; 409 when somebody else has, or it is closed."""
    return _answer(visit, incident, acts.claim(visit, incident, given.minutes if given else None))


@router.post("/incidents/{incident}/hand-over", dependencies=[OurCall], summary="Somebody else")
def hand_over(visit: SignedIn, incident: str, given: HandOver) -> IncidentWithSteps:
    """Give my claim to somebody else; 409 when it is not mine."""
    outcome = acts.reassign(visit, incident, given.to)
    if outcome is Outcome.NOT_ALLOWED:
        raise HTTPException(422, f"nobody has the id {given.to!r}")
    return _answer(visit, incident, outcome)


@router.post("/incidents/{incident}/release", dependencies=[OurCall], summary="Not going")
def release(visit: SignedIn, incident: str) -> IncidentWithSteps:
    """Take my claim back; 409 when it is not mine."""
    return _answer(visit, incident, acts.release(visit, incident))


@router.post("/incidents/{incident}/close", dependencies=[OurCall], summary="It is over")
def close(
    visit: SignedIn, incident: str, answer: Response, given: Close | None = None
) -> IncidentWithSteps:
    """Close it; 202 when a second person or a coordinator has to agree first (``closing``).

    409 when it is closed already, 403 when a coordinator has claimed it.
    """
    outcome = acts.close(visit, incident, given.why if given else "other")
    if outcome is Outcome.ASKED:
        answer.status_code = 202
    return _answer(visit, incident, outcome)


@router.post("/incidents/{incident}/agree", dependencies=[OurCall], summary="Agree to close it")
def agree(visit: SignedIn, incident: str, answer: Response) -> IncidentWithSteps:
    """Agree to another person's request; 202 when it is my own, 409 when there is none."""
    outcome = acts.agree(visit, incident)
    if outcome is Outcome.ASKED:
        answer.status_code = 202
    return _answer(visit, incident, outcome)


@router.post("/incidents/{incident}/keep-open", dependencies=[OurCall], summary="It is not over")
def keep_open(visit: SignedIn, incident: str) -> IncidentWithSteps:
    """Refuse a request to close it, or withdraw my own; 409 when there is none."""
    return _answer(visit, incident, acts.keep_open(visit, incident))
