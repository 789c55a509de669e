"""The rota: a week of turns, what people do about theirs, weekly shifts, calendar links."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Literal, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Form
from fastapi.responses import Response
from pydantic import Field
from starlette.exceptions import HTTPException

from gateway.alerts.people import shifts, wishes
from gateway.database.transaction import write_transaction
from gateway.domain.dispatch.rota import LONGEST_MIN, Shift
from server.accounts import calendar_links, people
from server.views import icalendar
from server.views import rota as view
from server.web import render
from server.web.guard import AnyVisit, Coordinating, OurForm, Refused, SignedIn, Visit
from server.words import calendar_feed
from server.words import rota as words
from server.words.language import PageLanguage, mark

router = APIRouter(include_in_schema=False)
_T = TypeVar("_T")
_DAY_S = 86400.0
_FED_DAYS = (28, 112)
"""What a calendar has: four weeks back, so that its copy keeps them, and sixteen ahead."""
_Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
_TAKEN = mark("Somebody was faster, or this shift is over. Here is how it stands.")
_ID = Annotated[str, Form(max_length=40)]


@router.get("/rota")
def week(visit: SignedIn, week: _Day | None = None) -> Response:
    """The week that a day is in; this one without it."""
    return _show(visit, week)


@router.post("/rota/turns/{shift}/{day}/{act}", dependencies=[OurForm])
def turn(
    visit: SignedIn, shift: str, day: _Day, act: Literal["take", "leave", "give", "undo"],
    to: _ID = "", had: _ID = "",
) -> Response:  # fmt: skip
    """Take a turn that nobody has, say that I can't, give it away, or undo the last of these.

    A coordinator may give away, and undo, anybody's.
    """
    me, zone, now = visit.me, visit.language.zone, visit.now
    if act == "give":
        active = {one.id for one in people.everyone(visit.parts.engine) if not one.disabled}
        if to not in active or (had != me.id and not me.coordinates):
            raise Refused(400, mark("Choose who takes this shift."))

    def done(connection: sa.Connection) -> bool:
        if act == "undo":
            return shifts.undo(connection, shift, day, me.id, now, zone, me.coordinates)
        held, taker = {"take": (None, me.id), "leave": (me.id, None)}.get(act, (had or None, to))
        return shifts.pass_on(connection, shift, day, held, taker, me.id, now, zone)

    if not _run(visit, done):
        return _show(visit, day, wrong=visit.language.text(_TAKEN), status=409)
    return render.go(f"/rota?week={day.isoformat()}#turn-{shift}-{day.isoformat()}")


@router.post("/rota/shifts", dependencies=[OurForm])
def add(
    visit: Coordinating, person: _ID, since: Annotated[_Day, Form()],
    start: Annotated[str, Form(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:\d\d)?$")],
    hours: Annotated[float, Form(ge=0.25, le=LONGEST_MIN / 60)],
    days: Annotated[list[Annotated[int, Form(ge=0, le=6)]], Form()] = [],  # noqa: B006
    site: Annotated[str, Form(max_length=100)] = "",
    until: Annotated[_Day | None, Form()] = None,
) -> Response:  # fmt: skip
    """Add a weekly shift."""
    active = {one.id for one in people.everyone(visit.parts.engine) if not one.disabled}
    if person not in active or (site and visit.parts.registry().site(site) is None):
        raise Refused(400, mark("Choose who has this shift, and where."))
    if not days:
        raise Refused(400, mark("Choose at least one day of the week."))
    if until is not None and until < since:
        raise Refused(400, mark("The last day is before the first."))
    hour, minute = start.split(":")[:2]
    new = Shift(
        shifts.draw_id(), person, frozenset(days), int(hour) * 60 + int(minute), round(hours * 60),
        since, until, site or None,
    )  # fmt: skip
    _run(visit, lambda c: shifts.add(c, new, visit.me.id, visit.now))
    return render.go("/rota#shifts")


@router.post("/rota/shifts/{shift}/end", dependencies=[OurForm])
def end(visit: Coordinating, shift: str, until: Annotated[_Day | None, Form()] = None) -> Response:
    """Set a shift's last day; none: it goes on."""
    if not _run(visit, lambda c: shifts.end(c, shift, until, visit.me.id, visit.now)):
        raise HTTPException(404)
    return render.go("/rota#shifts")


@router.post("/rota/shifts/{shift}/remove", dependencies=[OurForm])
def remove(visit: Coordinating, shift: str) -> Response:
    """Remove a shift; the answer has the form that adds it again."""
    gone = _run(visit, lambda c: shifts.remove(c, shift, visit.me.id, visit.now))
    if gone is None:
        raise HTTPException(404)
    return _show(visit, removed=gone)


@router.post("/rota/link", dependencies=[OurForm])
def renew_link(visit: SignedIn) -> Response:
    """A new link to my calendar, which is shown once; the old one ends."""
    return _show(visit, token=calendar_links.renew(visit.parts.engine, visit.me))


@router.post("/rota/link/remove", dependencies=[OurForm])
def remove_link(visit: SignedIn) -> Response:
    """My calendar has no link any more."""
    calendar_links.remove(visit.parts.engine, visit.me)
    return render.go("/rota#calendar")


@router.get("/rota/{token}.ics")
def feed(visit: AnyVisit, token: str, all: bool = False) -> Response:
    """The shifts of the person with this token, or everybody's without names. 404 when unknown."""
    parts, now = visit.parts, visit.now
    reader = calendar_links.find(parts.engine, token)
    if reader is None:
        raise HTTPException(404)
    zone = visit.language.zone
    back, ahead = _FED_DAYS
    with parts.engine.connect() as connection:
        rota = view.read(connection, now - back * _DAY_S, now + ahead * _DAY_S, zone)
        code = wishes.of(connection, reader.id, parts.settings.language).language
    language = PageLanguage(code, parts.settings.timezone)
    events = calendar_feed.events(language, rota.turns, reader, all)
    body = icalendar.write(calendar_feed.name(language, all), events, now, zone)
    return Response(body, media_type="text/calendar; charset=utf-8")


def _run(visit: Visit, act: Callable[[sa.Connection], _T]) -> _T:
    with write_transaction(visit.parts.engine) as connection:
        return act(connection)


def _show(
    visit: Visit, day: date | None = None, wrong: str = "", removed: Shift | None = None,
    token: str = "", status: int = 200,
) -> Response:  # fmt: skip
    language, now, me, zone = visit.language, visit.now, visit.me, visit.language.zone
    today = language.local(now).date()
    first = view.monday(day or today)
    start, end = view.midnight(first, zone), view.midnight(first + timedelta(days=7), zone)
    registry, everyone = visit.parts.registry(), people.everyone(visit.parts.engine)
    with visit.parts.engine.connect() as connection:
        rota = view.read(connection, start, end, zone)
        current = view.read(connection, now, now + 1.0, zone)
    is_this = first == view.monday(today)
    return render.page(
        visit, "rota.html", status, snapshot=visit.parts.snapshot(), tab="more", wrong=wrong,
        heading=words.heading(language, current, now),
        on_now=words.now_lines(language, current, registry, now),
        week=words.week_name(language, first), is_this_week=is_this,
        before=(first - timedelta(days=7)).isoformat(),
        after=(first + timedelta(days=7)).isoformat(),
        days=words.days(language, rota, registry, first, me, now),
        others=words.others(everyone),
        shifts=words.shift_lines(language, rota, registry) if me.coordinates else [],
        new=words.form(language, registry, everyone, now) if me.coordinates else None,
        removed=words.removed(language, rota, registry, removed) if removed else None,
        links=words.links(visit.parts.settings.public_url, token),
        has_link=bool(token) or calendar_links.exists(visit.parts.engine, me),
    )  # fmt: skip
