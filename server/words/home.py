"""The home page in words: who is needed, urgent blocks, sites, and the coordinator's table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gateway.domain.registry import Site
from server.views.incident import Incident
from server.views.snapshot import FINE, UNSEEN, Snapshot, TankView
from server.words import incident as incident_words
from server.words import tank as tank_words
from server.words.language import PageLanguage
from server.words.page import going
from server.words.tank import Card


@dataclass(frozen=True, slots=True)
class Opening:
    """The h1 and the line under it."""

    heading: str
    line: str | Markup


@dataclass(frozen=True, slots=True)
class Block:
    """One urgent block: the tank, its incident in sentences, and what this person can do."""

    card: Card
    incident: str
    what: Markup
    who: str
    claimed: bool
    go: str
    more: str
    """The link to the incident; empty where somebody else has claimed it."""


@dataclass(frozen=True, slots=True)
class SiteList:
    """One site: its tanks, its size, an outage that hides some, and the line of its card."""

    id: str
    name: str
    size: str
    cards: list[Card]
    outage: Markup | None
    seen: bool
    icon: str
    tone: str
    state: str
    volume: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One tank in the coordinator's table; ``state`` and ``next`` may be empty."""

    card: Card
    href: str
    claimed: bool
    state: str | Markup
    trend_icon: str
    trend: str
    next: str
    age: str
    at: int
    """When the level was measured (Unix s), 0 for never."""


def opening(language: PageLanguage, snapshot: Snapshot) -> Opening:
    """How many tanks need somebody, then the state of the others."""
    needed = sum(1 for v in snapshot.tanks if _needs(v))
    handled = sum(1 for v in snapshot.tanks if v.incident and not _needs(v))
    fine = sum(1 for v in snapshot.tanks if v.rank == FINE)
    unseen = sum(1 for v in snapshot.tanks if v.rank == UNSEEN)
    if needed:
        heading = language.plural("{n} tank needs somebody", "{n} tanks need somebody", needed)
    elif handled:
        heading = language.text("Nobody else is needed")
    elif unseen:
        heading = language.text("Nobody is needed")
    else:
        return Opening(language.text("Every tank has water"), _until(language, snapshot))
    parts = [
        language.plural("{n} is being handled", "{n} are being handled", handled)
        if handled else "",
        language.plural("{n} is fine", "{n} are fine", fine) if fine else "",
        language.text("{n} unknown", n=unseen) if unseen else "",
    ]  # fmt: skip
    return Opening(heading, ", ".join(p for p in parts if p) + ".")


def _needs(view: TankView) -> bool:
    return view.incident is not None and view.incident.claimed_by is None and not view.is_filling


def _until(language: PageLanguage, snapshot: Snapshot) -> str:
    first = min((v.now.low_at.lo for v in snapshot.tanks if v.now.low_at), default=None)
    if first is None:
        return language.text("Nobody is needed for now.")
    day, hour = language.day(first, snapshot.now), language.date(first, "H")
    if language.is_today(first, snapshot.now):
        return language.text("Nobody is needed until about {hour} h.", hour=hour)
    return language.text("Nobody is needed until {day} about {hour} h.", day=day, hour=hour)


def news(language: PageLanguage, snapshot: Snapshot) -> Opening | None:
    """Since when the gateway is away, and what the page then shows; None while it is there."""
    lost = snapshot.fresh.lost
    if snapshot.fresh.live or not snapshot.fresh.started:
        return None
    last = language.rich(
        "Below is the last we know, **not how it is now**. "
        "Nothing is lost: readings wait on the sensors."
    )
    if lost is None:
        return Opening(language.text("No news"), last)
    heading = language.text("No news since {time}", time=language.moment(lost, snapshot.now))
    away = language.rich(
        "The gateway, which hears the sensors, has not answered for {time}.",
        time=language.lasting(snapshot.now - lost),
    )
    return Opening(heading, away + " " + last)


def blocks(
    language: PageLanguage, snapshot: Snapshot, cards: Sequence[Card], person: str
) -> list[Block]:
    """The urgent tanks, the most urgent first; none while the gateway is away."""
    if not snapshot.fresh.live:
        return []
    return [
        _block(language, snapshot, card, card.view.incident, person)
        for card in cards
        if card.view.incident is not None
    ]


def _block(
    language: PageLanguage, snapshot: Snapshot, card: Card, incident: Incident, person: str
) -> Block:
    who, more = snapshot.person(incident.claimed_by), ""
    if card.view.is_filling:
        more = language.text("Details")
    elif incident.claimed_by is None:
        disturbed = card.view.is_disturbed
        more = language.text("What we know") if disturbed else language.text("Details")
    elif incident.claimed_by == person:
        more = language.text("Change this")
    return Block(
        card=card, incident=incident.id, more=more,
        claimed=incident.claimed_by is not None or card.view.is_filling,
        what=tank_words.situation(language, card.view, snapshot.now),
        who=tank_words.who(language, card.view, incident, who, snapshot.now),
        go=going(language, not card.view.is_disturbed),
    )  # fmt: skip


def site(
    language: PageLanguage, snapshot: Snapshot, row: Site, cards: Mapping[str, Card]
) -> SiteList:
    """One site, its least well tanks first."""
    views = sorted(snapshot.at_site(row.id), key=lambda v: min(v.rank, UNSEEN))
    hidden = [v.network for v in views if v.network is not None]
    outage = hidden[0] if hidden else None
    seen = any(v.seen for v in views)
    known = [v for v in views if v.now.volume_l is not None]
    held = language.litres(sum(v.now.volume_l or 0.0 for v in known))
    capacity = language.quantity(sum(v.tank.capacity_l for v in views), "L")
    icon, tone, state = "network", "", ""
    if outage is None:
        worst = cards[min(views, key=lambda v: v.rank).tank.id]
        icon, tone, state = _worst(language, worst)
    else:
        time = language.moment(outage.at, snapshot.now)
        state = language.text("Out since {time}.", time=time)
    return SiteList(
        id=row.id, name=row.name or row.id, size=_size(language, views),
        cards=[cards[v.tank.id] for v in views], seen=seen, icon=icon, tone=tone, state=state,
        outage=None if outage is None else _outage(language, outage, len(hidden), snapshot.now),
        volume=language.text("About {held} of {all}", held=held, all=capacity) if seen
        else language.text("Was about {held}", held=held),
    )  # fmt: skip


def _worst(language: PageLanguage, card: Card) -> tuple[str, str, str]:
    """Icon, tone and sentence of a site's worst tank."""
    if card.status is None:
        return "", "", language.text("All well.")
    text = str(card.status.text)
    return card.icon, card.tone, language.labelled(card.name, text[:1].lower() + text[1:])


def _outage(language: PageLanguage, outage: Incident, hidden: int, now: float) -> Markup:
    since = language.rich("**Network out since {time}.**", time=language.moment(outage.at, now))
    return since + " " + incident_words.network_note(language, hidden)


def _size(language: PageLanguage, tanks: list[TankView]) -> str:
    """``2 tanks, 1 station``."""
    stations = sum(1 for v in tanks if v.tank.kind == "station")
    whole = len(tanks) - stations
    parts = [
        language.plural("{n} tank", "{n} tanks", whole) if whole else "",
        language.plural("{n} station", "{n} stations", stations) if stations else "",
    ]
    return ", ".join(p for p in parts if p)


def table_row(language: PageLanguage, card: Card, now: float) -> TableRow:
    """One tank in the coordinator's table."""
    view, incident = card.view, card.view.incident
    state = card.status.text if card.status else ""
    trend = card.trend
    return TableRow(
        card=card, claimed=incident is not None and incident.claimed_by is not None,
        href=card.href if incident is None else f"/incidents/{incident.id}",
        state=language.text("May be taken") if state and card.glyph.shape == "taken" else state,
        trend_icon=trend.icon if trend else "",
        trend=card.rate or str(trend.text) if trend else "–",
        next=_next(language, view, incident, now),
        age="" if view.now.at is None else language.lasting(now - view.now.at),
        at=round(view.now.at or 0.0),
    )  # fmt: skip


def _next(language: PageLanguage, view: TankView, incident: Incident | None, now: float) -> str:
    if incident is not None and view.is_disturbed:
        return language.text("moved {time}", time=language.moment(incident.at, now))
    if not view.seen:
        return language.text("unknown")
    if view.now.state == "ok" and view.now.low_at:
        return language.window(view.now.low_at, now)
    if view.now.empty_at and view.now.state != "empty":
        when = language.window(view.now.empty_at, now, bare=True)
        return language.text("empty {when}", when=when)
    return ""
