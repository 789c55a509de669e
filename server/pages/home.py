"""The home page: the urgent first, then every tank by site; an overview for coordinators."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.registry import Plan
from server.views.snapshot import UNSEEN, Snapshot
from server.web import render
from server.web.guard import SignedIn
from server.words import home as words
from server.words import sensors
from server.words import tank as tank_words

router = APIRouter(include_in_schema=False)
_PLANS_S = 7 * 86400.0


@router.get("/")
def home(visit: SignedIn, by: Literal["urgency", "site"] = "urgency") -> Response:
    """Who is needed, and the state of every tank."""
    snapshot, language = visit.parts.snapshot(), visit.language
    cards = {v.tank.id: tank_words.card(language, snapshot, v) for v in snapshot.tanks}
    ordered = sorted(cards.values(), key=lambda c: (c.view.rank, c.name))
    urgent = [card for card in ordered if card.view.rank < UNSEEN]
    table = ordered if by == "urgency" else list(cards.values())
    return render.page(
        visit, "home.html", snapshot=snapshot, tab="now", is_empty=not snapshot.tanks,
        is_overview=visit.me.coordinates, opening=words.opening(language, snapshot),
        news=words.news(language, snapshot),
        today=f"{language.today(visit.now)}." if visit.me.coordinates else "",
        blocks=words.blocks(language, snapshot, urgent, visit.me.id),
        sites=[words.site(language, snapshot, site, cards) for site, _ in snapshot.sites()],
        table=[words.table_row(language, card, visit.now) for card in table], by=by,
        sick=sensors.sick(language, snapshot),
        devices=language.text("All {n}", n=len(snapshot.registry.devices)),
        plans=[sensors.plan(language, snapshot, plan) for plan in _plans(snapshot)],
    )  # fmt: skip


def _plans(snapshot: Snapshot) -> list[Plan]:
    """The plans in force now or within the next week, by their start."""
    plans = (p for rows in snapshot.registry.plans.values() for p in rows if not p.cancelled)
    near = (p for p in plans if p.end >= snapshot.now and p.start <= snapshot.now + _PLANS_S)
    return sorted(near, key=lambda p: p.start)
