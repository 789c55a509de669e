"""What happened around an incident, sign by sign, and the readings that were used, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Plan
from server.views.incident import Incident
from server.views.snapshot import Snapshot
from server.views.why import Around
from server.words import sensors
from server.words.language import PageLanguage, mark

_SIGMAS_80_PCT = 1.28
_SAMPLE_UNITS = {"mm": "mm", "g": "g", "pa": "Pa"}
_EVENTS: Mapping[str, tuple[str, str]] = {
    "knock": ("taken", mark("knock")),
    "lid": ("lid", mark("lid opened")),
    "moved": ("moved", mark("moved")),
    "fault": ("fault", mark("sensor fault")),
    "fault_over": ("chip", mark("sensor works again")),
    "silent": ("silent", mark("sensor silent")),
    "back": ("heard", mark("heard again")),
    "refill": ("refill", mark("refilled, {litres}")),
    "drain": ("fast", mark("ran out fast, {litres}")),
    "slash": ("fast", mark("ran out as from a cut, {litres}")),
    "leak": ("fast", mark("leaked, {litres}")),
}
_PLANS: Mapping[str, str] = {
    "move": mark("move planned"),
    "cleaning": mark("cleaning planned"),
    "eviction_risk": mark("eviction feared"),
}


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that happened around the incident, for the chart and the list below it."""

    at: float
    until: float
    icon: str
    text: str
    time: str


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading that was used; ``spread`` and ``samples`` are of its burst."""

    time: str
    litres: str
    spread: str
    samples: str


def signs(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, around: Around
) -> list[Sign]:
    """Onset, events, falls of neighbours and plans, in the order of time."""
    onset = language.text("here it began")
    found = [_sign(language, snapshot, incident.at, incident.at, "flag", onset)]
    for event in around.events:
        if event.kind in _EVENTS:
            icon, text = _EVENTS[event.kind]
            text = language.text(text, litres=_litres(language, event))
            found.append(_sign(language, snapshot, event.at, event.until, icon, text))
    for fall in around.falls:
        view = snapshot.tank(fall.tank)
        text = language.text(
            "{tank} fell too, {litres}",
            tank=view.name if view else fall.tank, litres=_litres(language, fall),
        )  # fmt: skip
        found.append(_sign(language, snapshot, fall.at, fall.until, "falling", text))
    found += [_plan(language, snapshot, plan) for plan in around.plans]
    return sorted(found, key=lambda sign: sign.at)


def _litres(language: PageLanguage, event: TankEvent) -> str:
    return language.bounded(event.litres or 0.0, event.least_l, event.most_l)


def _sign(
    language: PageLanguage, snapshot: Snapshot, at: float, until: float, icon: str, text: str
) -> Sign:
    return Sign(at, until, icon, text, language.moment(at, snapshot.now))


def _plan(language: PageLanguage, snapshot: Snapshot, plan: Plan) -> Sign:
    text = language.text(
        "{plan} until {time}",
        plan=language.text(_PLANS[plan.kind]), time=language.moment(plan.end, snapshot.now),
    )  # fmt: skip
    return _sign(language, snapshot, plan.start, plan.end, sensors.PLAN_ICONS[plan.kind], text)


def row(language: PageLanguage, reading: Reading, now: float) -> ReadingRow:
    """One reading with its 80 % range, the spread of its burst and its valid samples."""
    litres = language.text("not believable")
    if reading.volume_l is not None:
        half = _SIGMAS_80_PCT * (reading.sd_l or 0.0)
        litres = language.bounded(reading.volume_l, reading.volume_l - half,
                                  reading.volume_l + half)  # fmt: skip
    unit = _SAMPLE_UNITS[reading.quantity]
    spread = language.quantity(reading.spread, unit) if reading.spread is not None else "–"
    samples = "–"
    if reading.valid is not None and reading.tried is not None:
        samples = language.text("{n} of {all}", n=reading.valid, all=reading.tried)
    return ReadingRow(language.moment(reading.at, now, seconds=True), litres, spread, samples)
