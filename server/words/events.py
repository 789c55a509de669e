"""What happened to a tank, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.told import TankEvent
from server.views.incident import Incident
from server.words import incident as said
from server.words.speech import Speech, mark

_SHOWN = 14
_PLAIN: Mapping[str, tuple[str, str]] = {
    "knock": ("taken", mark("Knocked, nothing more.")),
    "lid": ("lid", mark("The lid was opened.")),
    "moved": ("moved", mark("Moved.")),
    "fault": ("fault", mark("Sensor fault.")),
    "fault_over": ("chip", mark("The sensor works again.")),
    "silent": ("silent", mark("The sensor went silent.")),
    "back": ("heard", mark("Sensor heard again.")),
}
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
    speech: Speech, events: Sequence[TankEvent], incidents: Sequence[Incident], now: float
) -> list[Happening]:
    """Events and incidents together, the newest first."""
    found = [_event(speech, e, now) for e in events if e.kind in _PLAIN or e.kind in _LITRES]
    found += [_incident(speech, i, now) for i in incidents]
    return sorted(found, key=lambda h: -h.at)[:_SHOWN]


def _event(speech: Speech, event: TankEvent, now: float) -> Happening:
    time = _when(speech, event.at, now)
    if event.kind in _PLAIN:
        icon, text = _PLAIN[event.kind]
        return Happening(event.at, time, icon, speech.say(text))
    icon, text = _LITRES[event.kind]
    litres = speech.litres(event.litres or 0.0)
    lasted = speech.lasting(max(event.until - event.at, 60.0))
    return Happening(event.at, time, icon, speech.say(text, litres=litres, time=lasted))


def _incident(speech: Speech, incident: Incident, now: float) -> Happening:
    kind = said.KINDS[incident.kind]
    text = speech.say(kind.short) + "."
    if incident.closed is not None:
        text += " " + said.closed(speech, incident, now)
    elif incident.claimed_by is None:
        text += " " + speech.say("Still open.")
    when = _when(speech, incident.at, now)
    return Happening(incident.at, when, kind.icon, text, f"/incidents/{incident.id}")


def _when(speech: Speech, at: float, now: float) -> str:
    day = speech.day(at, now)
    return f"{day[:1].upper()}{day[1:]} {speech.clock(at)}"
