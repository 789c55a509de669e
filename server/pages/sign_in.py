"""Sign-in, sign-out, the language, and the demo's link."""

import hmac
import math
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from server import acts
from server.accounts import demo, devices, sessions
from server.accounts.hashing import BUSY_S, Busy
from server.accounts.people import Person
from server.web import render
from server.web.failures import BUSY
from server.web.guard import AnyVisit, OurForm, Visit
from server.words.language import LANGUAGES

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def ask(visit: AnyVisit, next: str = "/") -> Response:
    """The sign-in form; it shows no place and no person."""
    if visit.person is not None:
        return render.go(next)
    return _form(visit, next, "", "")


@router.post("/sign-in", dependencies=[OurForm])
def sign_in(
    visit: AnyVisit,
    login: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Check name and password, then redirect to the wanted page."""
    language = visit.language
    try:
        person, wait_s = acts.sign_in(visit, login, password)
    except Busy:
        return _later(_form(visit, next, login, language.text(BUSY), 503), BUSY_S)
    if person is not None:
        response = enter(visit, person, next)
        parts, now = visit.parts, visit.parts.real.now()
        kept = devices.remember(parts.engine, login, visit.device_cookie, now)
        render.set_cookie(visit, response, "device", kept, int(devices.LASTS_S))
        return response
    if wait_s:
        text = language.text("Too many tries. Wait {time}.", time=language.lasting(wait_s + 60))
        return _later(_form(visit, next, login, text, 429), wait_s)
    return _form(visit, next, login, language.text("This name and password do not match."), 403)


def _later(response: Response, wait_s: float) -> Response:
    response.headers["Retry-After"] = str(math.ceil(wait_s))
    return response


def enter(visit: Visit, person: Person, where: str) -> Response:
    """Begin a session and redirect."""
    if visit.token:
        sessions.end(visit.parts.engine, visit.token)
    token = sessions.begin(visit.parts.engine, person, visit.parts.real.now())
    response = render.go(where)
    render.set_cookie(visit, response, "session", token, int(sessions.IDLE_S))
    render.drop_cookie(visit, response, "visitor")
    return response


@router.post("/sign-out", dependencies=[OurForm])
def sign_out(visit: AnyVisit) -> Response:
    """End this session."""
    if visit.token:
        sessions.end(visit.parts.engine, visit.token)
    response = render.go("/sign-in")
    render.drop_cookie(visit, response, "session")
    return response


@router.get("/enter/{code}")
def enter_demo(visit: AnyVisit, code: str) -> Response:
    """The demo's link signs its visitor in; on any other installation there is no such page."""
    wanted = demo.code(visit.parts.settings)
    if not wanted or not hmac.compare_digest(wanted.encode(), code.encode()):
        raise HTTPException(404)
    return enter(visit, demo.visitor(visit.parts.engine, visit.parts.real.now()), "/")


@router.post("/language", dependencies=[OurForm])
def choose_language(
    visit: AnyVisit,
    to: Annotated[str, Form(max_length=5)],
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Store the chosen language in a cookie."""
    response = render.go(next)
    if to in LANGUAGES:
        render.set_cookie(visit, response, "language", to)
    return response


def _form(visit: Visit, next_path: str, login: str, wrong: str, status: int = 200) -> Response:
    language, to_claim = visit.language, urlsplit(next_path).path.startswith("/c/")
    return render.page(
        visit, "sign_in.html", status, next_path=next_path, login=login, wrong=wrong,
        purpose=language.text("Sign in to say that you are going.") if to_claim
        else language.text("For the people who look after the water."),
    )  # fmt: skip
