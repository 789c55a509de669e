"""The home page: the urgent first, then every tank by site; an overview for coordinators."""

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.registry import Plan, Site
from server.views.incident import Incident
from server.views.snapshot import FINE, UNSEEN, Snapshot
from server.web import render
from server.web.guard import SignedIn, Visit
from server.words import home as words
from server.words import incident as incident_words
from server.words import sensors
from server.words import tank as tank_words
from server.words.language import PageLanguage
from server.words.tank import Card

router = APIRouter(include_in_schema=False)
_PLANS_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class SiteList:
    """One site on the page: its tanks, what they hold together, an outage that hides some."""

    site: Site
    name: str
    cards: list[Card]
    size: str
    held_l: float
    capacity_l: float
    outage: Incident | None
    hidden: int
    seen: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One urgent block: the tank, its incident's sentences, and whether it is claimed."""

    card: Card
    incident: Incident
    what: str
    who: str
    mine: bool


@router.get("/")
def home(visit: SignedIn, by: Literal["urgency", "site"] = "urgency") -> Response:
    """Who is needed, and how every tank stands."""
    snapshot, language = visit.parts.snapshot(), visit.language
    cards = {view.tank.id: _card(visit, snapshot, view.tank.id) for view in snapshot.tanks}
    ordered = sorted(cards.values(), key=lambda c: (c.view.rank, c.name))
    blocks = [_block(visit, snapshot, card) for card in ordered if card.view.rank < FINE - 1]
    return render.page(
        visit, "home.html", snapshot=snapshot, tab="now",
        opening=words.opening(language, snapshot), blocks=blocks if snapshot.fresh.live else [],
        sites=[_site(language, snapshot, site, cards) for site, _ in snapshot.sites()],
        table=ordered if by == "urgency" else list(cards.values()), by=by,
        sick=sensors.sick(language, snapshot), plans=_plans(snapshot), plan_words=sensors.plan,
    )  # fmt: skip


def _card(visit: Visit, snapshot: Snapshot, tank: str) -> Card:
    view = snapshot.tank(tank)
    assert view is not None
    who = snapshot.person(view.incident.claimed_by) if view.incident else None
    return tank_words.card(visit.language, view, who, snapshot.now)


def _block(visit: Visit, snapshot: Snapshot, card: Card) -> Block:
    incident = card.view.incident
    assert incident is not None and visit.person is not None
    return Block(
        card, incident, tank_words.situation(visit.language, card.view, snapshot.now),
        incident_words.who(
            visit.language, incident, snapshot.person(incident.claimed_by), snapshot.now
        ),
        incident.claimed_by == visit.person.id,
    )  # fmt: skip


def _site(
    language: PageLanguage, snapshot: Snapshot, site: Site, cards: dict[str, Card]
) -> SiteList:
    views = sorted(snapshot.at_site(site.id), key=lambda v: min(v.rank, UNSEEN))
    outages = [v.network for v in views if v.network is not None]
    known = [v for v in views if v.now.volume_l is not None]
    return SiteList(
        site=site, name=words.site_name(site), cards=[cards[v.tank.id] for v in views],
        size=words.size(language, views), held_l=sum(v.now.volume_l or 0.0 for v in known),
        capacity_l=sum(v.tank.capacity_l for v in views), outage=outages[0] if outages else None,
        hidden=len(outages), seen=any(v.seen for v in views),
    )  # fmt: skip


def _plans(snapshot: Snapshot) -> list[Plan]:
    """What is planned for the next week, or goes on now."""
    plans = (p for rows in snapshot.registry.plans.values() for p in rows if not p.cancelled)
    near = (p for p in plans if p.end >= snapshot.now and p.start <= snapshot.now + _PLANS_S)
    return sorted(near, key=lambda p: p.start)
