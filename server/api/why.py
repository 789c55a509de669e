"""Body of the API's answer to why an incident was said. Times are Unix seconds."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from gateway.domain import outputs
from server.api.models import BecauseOut, ReadingOut, because_out
from server.views.why import Around, Judgement


class JudgementOut(BaseModel):
    """What was believed at one change of an incident; ``time`` is when it was decided."""

    number: int
    time: float
    change: Literal["opened", "updated", "closed"]
    kind: outputs.IncidentKind
    probability: float
    causes: dict[str, float]
    leader: str = Field(description="the verdict that the weights of because speak for")
    because: list[BecauseOut]


class EventOut(BaseModel):
    """One event of a tank. The litres are between the bounds with 90 % confidence."""

    tank: str
    kind: str
    at: float
    until: float
    litres: float | None
    least_l: float | None
    most_l: float | None


class PlanOut(BaseModel):
    """One plan of the tank that overlaps the time shown."""

    kind: Literal["move", "cleaning", "eviction_risk"]
    start: float
    end: float


class BurstOut(ReadingOut):
    """One reading with the spread of its burst, in its own unit, and its samples."""

    quantity: str
    value: int | None
    spread: int | None
    valid: int | None
    tried: int | None


class WhyOut(BaseModel):
    """Why an incident was said: its judgements, oldest first, and what is known around it.

    ``readings`` is null while the store does not answer; ``falls`` are of the site's other tanks.
    """

    incident: str
    judgements: list[JudgementOut]
    start: float
    end: float
    readings: list[BurstOut] | None
    events: list[EventOut]
    falls: list[EventOut]
    plans: list[PlanOut]


def why_out(incident: str, judgements: Sequence[Judgement], around: Around) -> WhyOut:
    """Why an incident was said."""
    found = {
        "incident": incident, "start": around.start, "end": around.end,
        "judgements": [
            {
                "number": j.number, "time": j.time, "change": j.change, "kind": j.kind,
                "probability": j.probability, "causes": dict(j.causes), "leader": j.leader,
                "because": because_out(j.because),
            }
            for j in judgements
        ],
        "readings": None if around.readings is None else [
            {name: getattr(reading, name) for name in BurstOut.model_fields}
            for reading in around.readings
        ],
        "events": [asdict(event) for event in around.events],
        "falls": [asdict(event) for event in around.falls],
        "plans": [{"kind": p.kind, "start": p.start, "end": p.end} for p in around.plans],
    }  # fmt: skip
    return WhyOut.model_validate(found)
