"""The first sentence of the home page: who is needed; and the line under it."""

from dataclasses import dataclass

from gateway.domain.registry import Site
from server.views.snapshot import FINE, UNSEEN, Snapshot, TankView
from server.words.language import PageLanguage


@dataclass(frozen=True, slots=True)
class Opening:
    """The h1 and the line under it."""

    heading: str
    line: str


def opening(language: PageLanguage, snapshot: Snapshot) -> Opening:
    """Who is needed, in a sentence; then what else is so."""
    needed = sum(1 for v in snapshot.tanks if _needs(v))
    handled = sum(1 for v in snapshot.tanks if v.incident and v.incident.claimed_by)
    fine = sum(1 for v in snapshot.tanks if v.rank == FINE)
    unseen = sum(1 for v in snapshot.tanks if v.rank == UNSEEN)
    if needed:
        heading = language.plural("{n} tank needs somebody", "{n} tanks need somebody", needed)
    elif handled or unseen:
        heading = (
            language.text("Nobody else is needed") if handled else language.text("Nobody is needed")
        )
    else:
        return Opening(language.text("Every tank has water"), _until(language, snapshot))
    parts = [
        _count(language, handled, "handled"), _count(language, fine, "fine"),
        _count(language, unseen, "unseen"),
    ]  # fmt: skip
    return Opening(heading, ", ".join(p for p in parts if p) + ".")


def _needs(view: TankView) -> bool:
    return view.incident is not None and view.incident.claimed_by is None


def _count(language: PageLanguage, n: int, what: str) -> str:
    if n == 0:
        return ""
    if what == "handled":
        return language.plural("{n} is being handled", "{n} are being handled", n)
    if what == "fine":
        return language.plural("{n} is fine", "{n} are fine", n)
    return language.text("{n} unknown", n=n)


def _until(language: PageLanguage, snapshot: Snapshot) -> str:
    first = min((v.now.low_at.lo for v in snapshot.tanks if v.now.low_at), default=None)
    if first is None:
        return language.text("Nobody is needed for now.")
    day, hour = language.day(first, snapshot.now), language.date(first, "H")
    if language.is_today(first, snapshot.now):
        return language.text("Nobody is needed until about {hour} h.", hour=hour)
    return language.text("Nobody is needed until {day} about {hour} h.", day=day, hour=hour)


def size(language: PageLanguage, tanks: list[TankView]) -> str:
    """``2 tanks, 1 station``."""
    stations = sum(1 for v in tanks if v.tank.kind == "station")
    whole = len(tanks) - stations
    parts = [
        language.plural("{n} tank", "{n} tanks", whole) if whole else "",
        language.plural("{n} station", "{n} stations", stations) if stations else "",
    ]
    return ", ".join(p for p in parts if p)


def site_name(site: Site) -> str:
    """What people call a site."""
    return site.name or site.id
