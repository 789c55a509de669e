"""Bodies of the API's answers and requests. Times are Unix seconds, volumes litres."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from gateway.alerts.claims import CloseReason
from gateway.domain import outputs
from server.views.incident import Incident, Step
from server.views.snapshot import Snapshot, TankView

State = outputs.LevelState


class SpanOut(BaseModel):
    """A moment with its 80 % range."""

    at: float
    lo: float
    hi: float


class TankOut(BaseModel):
    """The latest state of one tank; ``state`` is unknown while the level cannot be measured."""

    id: str
    name: str
    site: str
    kind: Literal["tank", "station"]
    capacity_l: float
    low_l: float
    critical_l: float
    state: State
    state_since: float | None
    current: bool = Field(description="false: the figures are the last known, not how it is now")
    at: float | None = Field(description="event time of the newest good reading")
    received: float | None
    volume_l: float | None
    sd_l: float | None = Field(description="one standard deviation")
    pct: float | None
    trend_lph: float | None
    low_at: SpanOut | None
    empty_at: SpanOut | None
    presence: Literal["speaking", "late", "silent"]
    due: float | None = Field(description="when its device promised to speak again")
    last_refill_at: float | None
    last_refill_l: float | None
    auth: Literal["sig", "mac", "unsigned"] | None
    incidents: list[str] = Field(description="ids of open incidents, the most urgent first")


class TanksOut(BaseModel):
    """All tanks. ``live`` is false while the gateway does not listen."""

    now: float
    version: int
    live: bool
    heard: float | None
    tanks: list[TankOut]


class ReadingOut(BaseModel):
    """One reading: ``volume_l`` is null when the sensor measured nothing valid."""

    at: float
    received: float
    volume_l: float | None
    sd_l: float | None
    estimated: bool
    fault: str | None


class SeriesOut(BaseModel):
    """The readings of one tank, by event time."""

    tank: str
    start: float
    end: float
    readings: list[ReadingOut]


class BecauseOut(BaseModel):
    """One named term: log-odds towards (+) or away from (-) the leading verdict."""

    term: str
    weight: float
    basis: Literal["measured", "witnessed", "inferred"]
    values: dict[str, float | int | str | bool | None]


class StepOut(BaseModel):
    """One step of an incident's history."""

    time: float
    what: str
    by: str | None


class ClosingOut(BaseModel):
    """A volunteer asks to close a theft: a second person or a coordinator has to agree."""

    why: CloseReason | Literal["there"]
    by: str | None = Field(description="the name of who asks")
    mine: bool
    at: float
    until: float = Field(description="then the request lapses, and the incident stays open")


class IncidentOut(BaseModel):
    """One incident. Either ``tank`` or ``uplink`` is set."""

    id: str
    kind: outputs.IncidentKind
    tank: str | None
    uplink: str | None
    at: float = Field(description="earliest evidence")
    opened: float
    updated: float
    closed: float | None
    closed_why: str | None
    probability: float
    causes: dict[str, float]
    because: list[BecauseOut]
    auth: Literal["sig", "mac", "unsigned"]
    learned_late: bool
    claimed_by: str | None = Field(description="the name of who is going")
    mine: bool
    claimed_at: float | None
    claim_eta: float | None
    closing: ClosingOut | None = Field(description="a request to close it that waits for somebody")


class IncidentWithSteps(IncidentOut):
    """One incident with its history, oldest first."""

    steps: list[StepOut]


class IncidentsOut(BaseModel):
    """Incidents, the newest evidence first."""

    now: float
    incidents: list[IncidentOut]


class MeOut(BaseModel):
    """Who asks. ``form_token`` goes into X-Form-Token of every POST made with the cookie."""

    id: str
    name: str
    role: Literal["volunteer", "coordinator"]
    form_token: str


class TokenOut(MeOut):
    """A session for a program: ``Authorization: Bearer <token>``."""

    token: str


class SignIn(BaseModel):
    """Login and password."""

    login: str = Field(max_length=100)
    password: str = Field(max_length=1000)


class Claim(BaseModel):
    """I am going. ``minutes`` until I am there, if I know."""

    minutes: int | None = Field(default=None, ge=1, le=1440)


class HandOver(BaseModel):
    """The random id of who goes instead."""

    to: str = Field(max_length=20)


class Close(BaseModel):
    """Why it is over."""

    why: CloseReason = "other"


def tank_out(view: TankView) -> TankOut:
    """One tank as the API returns it."""
    row, now = view.tank, view.now
    open_ones = ([view.incident] if view.incident else []) + list(view.others)
    return TankOut(
        id=row.id, name=view.name, site=row.site, kind=row.kind, capacity_l=row.capacity_l,
        low_l=row.capacity_l * row.low_pct / 100,
        critical_l=row.capacity_l * row.critical_pct / 100,
        state=now.state, state_since=now.state_since, current=view.seen, at=now.at,
        received=now.received, volume_l=now.volume_l, sd_l=now.sd_l, pct=now.pct,
        trend_lph=now.trend_lph, low_at=_span(now.low_at), empty_at=_span(now.empty_at),
        presence=now.presence, due=now.due, last_refill_at=now.last_refill_at,
        last_refill_l=now.last_refill_l, auth=now.auth, incidents=[i.id for i in open_ones],
    )  # fmt: skip


def _span(span: outputs.Span | None) -> SpanOut | None:
    return None if span is None else SpanOut(at=span.at, lo=span.lo, hi=span.hi)


def incident_out(incident: Incident, snapshot: Snapshot, person: str) -> IncidentOut:
    """One incident as ``person`` (a random id) sees it."""
    return IncidentOut.model_validate(_incident(incident, snapshot, person))


def with_steps(
    incident: Incident, steps: list[Step], snapshot: Snapshot, person: str
) -> IncidentWithSteps:
    """One incident with its history."""
    history = [{"time": s.time, "what": s.what, "by": snapshot.person(s.person)} for s in steps]
    return IncidentWithSteps.model_validate(
        {**_incident(incident, snapshot, person), "steps": history}
    )


def _incident(incident: Incident, snapshot: Snapshot, person: str) -> dict[str, object]:
    names = IncidentOut.model_fields.keys() - {
        "because", "claimed_by", "mine", "causes", "closing"
    }  # fmt: skip
    request = incident.request if incident.is_open else None
    return {
        **{name: getattr(incident, name) for name in names},
        "causes": dict(incident.causes),
        "because": because_out(incident.because),
        "claimed_by": snapshot.person(incident.claimed_by),
        "mine": incident.claimed_by == person,
        "closing": (request and request.waits(snapshot.now) and {
            "why": request.why, "by": snapshot.person(request.by), "mine": request.by == person,
            "at": request.at, "until": request.until,
        }) or None,
    }  # fmt: skip


def because_out(because: Sequence[outputs.Because]) -> list[dict[str, object]]:
    """The terms of a judgement as fields of ``BecauseOut``."""
    return [
        {"term": b.term, "weight": b.weight, "basis": b.basis, "values": dict(b.values)}
        for b in because
    ]
