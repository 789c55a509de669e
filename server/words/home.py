"""The first sentence of the home page: who is needed; and the line under it."""

from dataclasses import dataclass

from gateway.domain.registry import Site
from server.views.snapshot import FINE, UNSEEN, Snapshot, TankView
from server.words.speech import Speech


@dataclass(frozen=True, slots=True)
class Opening:
    """The h1 and the line under it."""

    heading: str
    line: str


def opening(speech: Speech, snapshot: Snapshot) -> Opening:
    """Who is needed, in a sentence; then what else is so."""
    needed = sum(1 for v in snapshot.tanks if _needs(v))
    handled = sum(1 for v in snapshot.tanks if v.incident and v.incident.claimed_by)
    fine = sum(1 for v in snapshot.tanks if v.rank == FINE)
    unseen = sum(1 for v in snapshot.tanks if v.rank == UNSEEN)
    if needed:
        heading = speech.plural("{n} tank needs somebody", "{n} tanks need somebody", needed)
    elif handled or unseen:
        heading = speech.say("Nobody else is needed") if handled else speech.say("Nobody is needed")
    else:
        return Opening(speech.say("Every tank has water"), _until(speech, snapshot))
    parts = [
        _count(speech, handled, "handled"), _count(speech, fine, "fine"),
        _count(speech, unseen, "unseen"),
    ]  # fmt: skip
    return Opening(heading, ", ".join(p for p in parts if p) + ".")


def _needs(view: TankView) -> bool:
    return view.incident is not None and view.incident.claimed_by is None


def _count(speech: Speech, n: int, what: str) -> str:
    if n == 0:
        return ""
    if what == "handled":
        return speech.plural("{n} is being handled", "{n} are being handled", n)
    if what == "fine":
        return speech.plural("{n} is fine", "{n} are fine", n)
    return speech.say("{n} unknown", n=n)


def _until(speech: Speech, snapshot: Snapshot) -> str:
    first = min((v.now.low_at.lo for v in snapshot.tanks if v.now.low_at), default=None)
    if first is None:
        return speech.say("Nobody is needed for now.")
    day, hour = speech.day(first, snapshot.now), speech.label(first, "H")
    if day == speech.say("today"):
        return speech.say("Nobody is needed until about {hour} h.", hour=hour)
    return speech.say("Nobody is needed until {day} about {hour} h.", day=day, hour=hour)


def size(speech: Speech, tanks: list[TankView]) -> str:
    """``2 tanks, 1 station``."""
    stations = sum(1 for v in tanks if v.tank.kind == "station")
    whole = len(tanks) - stations
    parts = [
        speech.plural("{n} tank", "{n} tanks", whole) if whole else "",
        speech.plural("{n} station", "{n} stations", stations) if stations else "",
    ]
    return ", ".join(p for p in parts if p)


def site_name(site: Site) -> str:
    """What people call a site."""
    return site.name or site.id
