"""A tank's events and incidents in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.domain.outputs import TankEvent
from server.views.incident import Incident
from server.words import incident as incident_words
from server.words.language import PageLanguage, mark

_SHOWN = 14
_TOGETHER_S = 3600.0
"""A knock this soon after another one, or after a move, shares its line."""
_PLAIN: Mapping[str, tuple[str, str]] = {
    "knock": ("taken", mark("Knocked, nothing more.")),
    "lid": ("lid", mark("The lid was opened.")),
    "moved": ("moved", mark("Moved.")),
    "fault": ("fault", mark("Sensor fault.")),
    "fault_over": ("chip", mark("The sensor works again.")),
    "silent": ("silent", mark("The sensor went silent.")),
    "back": ("heard", mark("Sensor heard again.")),
}
_AGAIN: Mapping[str, str] = {
    "knock": mark("Knocked several times until {time}, nothing more."),
    "moved": mark("Moved, and again until {time}."),
}
_AGAIN_S = 60.0
_LITRES: Mapping[str, tuple[str, str]] = {
    "refill": ("refill", mark("Refilled, about {litres} in {time}.")),
    "draw": ("falling", mark("Drawn, about {litres} in {time}.")),
    "drain": ("fast", mark("Ran out fast, about {litres} in {time}.")),
    "slash": ("fast", mark("Ran out as from a cut, about {litres} in {time}.")),
    "leak": ("fast", mark("Leaked, about {litres} in {time}.")),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of *What happened*; ``href`` leads to its incident, if it has one."""

    at: float
    time: str
    icon: str
    text: str
    href: str = ""


def happenings(
    language: PageLanguage, events: Sequence[TankEvent], incidents: Sequence[Incident], now: float
) -> list[Happening]:
    """Events and incidents together, the newest first."""
    shown = [e for e in _together(events) if e.kind in _PLAIN or e.kind in _LITRES]
    found = [_event(language, e, now) for e in shown]
    found += [_incident(language, i, now) for i in incidents]
    return sorted(found, key=lambda h: -h.at)[:_SHOWN]


def _together(events: Sequence[TankEvent]) -> list[TankEvent]:
    """Merge knocks into the knock or move that they follow, and extend it."""
    kept: list[TankEvent] = []
    touched: int | None = None  # index in ``kept`` of the last knock or move
    for event in sorted(events, key=lambda e: e.at):
        if event.kind == "knock" and touched is not None:
            before = kept[touched]
            if event.at - before.until <= _TOGETHER_S:
                kept[touched] = replace(before, until=max(before.until, event.until))
                continue
        if event.kind in _AGAIN:
            touched = len(kept)
        kept.append(event)
    return kept


def _event(language: PageLanguage, event: TankEvent, now: float) -> Happening:
    time = _when(language, event.at, now)
    if event.kind in _PLAIN:
        icon, text = _PLAIN[event.kind]
        if event.kind in _AGAIN and event.until - event.at >= _AGAIN_S:
            until = language.clock(event.until)
            return Happening(event.at, time, icon, language.text(_AGAIN[event.kind], time=until))
        return Happening(event.at, time, icon, language.text(text))
    icon, text = _LITRES[event.kind]
    litres = language.bounded(event.litres or 0.0, event.least_l, event.most_l)
    lasted = language.lasting(max(event.until - event.at, 60.0))
    return Happening(event.at, time, icon, language.text(text, litres=litres, time=lasted))


def _incident(language: PageLanguage, incident: Incident, now: float) -> Happening:
    kind = incident_words.KINDS[incident.kind]
    text = language.text(kind.short) + "."
    if incident.closed is not None:
        text += " " + incident_words.closed(language, incident, now)
    elif incident.claimed_by is None:
        text += " " + language.text("Still open.")
    when = _when(language, incident.at, now)
    return Happening(incident.at, when, kind.icon, text, f"/incidents/{incident.id}")


def _when(language: PageLanguage, at: float, now: float) -> str:
    day = language.day(at, now)
    return f"{day[:1].upper()}{day[1:]} {language.clock(at)}"
