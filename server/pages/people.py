"""Accounts, for coordinators: add, close, open again."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from server.accounts import people
from server.accounts.people import AccountError, Role
from server.web import render
from server.web.guard import Coordinating, OurForm, Refused, Visit
from server.words import people as words
from server.words.language import mark

router = APIRouter(include_in_schema=False)


@router.get("/people")
def listed(visit: Coordinating) -> Response:
    """Everybody with an account."""
    return _show(visit)


@router.post("/people", dependencies=[OurForm])
def add(
    visit: Coordinating,
    name: Annotated[str, Form(max_length=100)] = "",
    role: Annotated[Role, Form()] = "volunteer",
) -> Response:
    """Add an account with a random password, which is shown once."""
    password, now = people.draw_password(), visit.parts.real.now()
    engine = visit.parts.engine
    try:
        person = visit.parts.hashing.run(lambda: people.add(engine, name, role, password, now))
    except AccountError as error:
        return _show(visit, wrong=str(error), status=400)
    return _show(visit, added=words.added(visit.language, person, password))


@router.post("/people/{person}/{change}", dependencies=[OurForm])
def change(visit: Coordinating, person: str, change: str) -> Response:
    """Close an account (its sessions end), or open it again; nobody closes their own."""
    if change not in ("close", "open"):
        raise Refused(404, mark("This page does not exist, or no longer."))
    if person == visit.me.id:
        raise Refused(400, mark("Ask another coordinator to close your own account."))
    closed = visit.parts.real.now() if change == "close" else None
    people.set_disabled(visit.parts.engine, person, closed)
    return render.go("/people")


def _show(
    visit: Visit, added: words.Added | None = None, wrong: str = "", status: int = 200
) -> Response:
    everyone = people.everyone(visit.parts.engine)
    return render.page(
        visit, "people.html", status, snapshot=visit.parts.snapshot(), tab="people", added=added,
        everyone=[words.line(visit.language, one, visit.me) for one in everyone], wrong=wrong,
    )  # fmt: skip
