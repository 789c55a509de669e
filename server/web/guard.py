"""The visitor of a request, their language, and what they may do; every route depends on it."""

import contextlib
import logging
import secrets
from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import quote

from fastapi import Depends, Form, Header, Request

from server.accounts import sessions
from server.accounts.people import Person
from server.parts import Parts
from server.words.language import LANGUAGES, PageLanguage, mark

_log = logging.getLogger(__name__)
_LIMIT = "all of its visitors share one limit on password attempts"
_OLD_FORM = mark("This form is too old. Go back, load the page again, then repeat.")


class NeedsSignIn(Exception):
    """Nobody is signed in; pages redirect to the sign-in page and back."""


class Refused(Exception):
    """The request is not allowed; the message is for people, in English."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Visit:
    """One request: person, language, and time (Unix s of the installation's clock).

    Form tokens derive from ``secret``: the session's token, or a visitor's cookie.
    """

    request: Request
    parts: Parts
    language: PageLanguage
    person: Person | None
    secret: str
    token: str
    bearer: bool
    now: float

    @property
    def me(self) -> Person:
        """The signed-in person. Raises NeedsSignIn when there is none."""
        if self.person is None:
            raise NeedsSignIn
        return self.person

    @property
    def source(self) -> str:
        """The visitor's address: of the connection, or what a trusted proxy says."""
        client = self.request.client
        given = "x-forwarded-for" in self.request.headers
        if given and not self.parts.settings.trusted_proxies:
            _log.warning("the setting trusted_proxies is empty, but there is a proxy (%s)", _LIMIT)
        return client.host if client else "-"

    @property
    def device_cookie(self) -> str:
        """What this device keeps of earlier visits; empty where there was none."""
        return self.request.cookies.get(cookie(self.parts, "device"), "")

    def form_token(self) -> str:
        """A fresh token for a form of this page."""
        return sessions.form_token(self.secret)


def cookie(parts: Parts, name: str) -> str:
    """A cookie's name; with HTTPS it is bound to this host."""
    return f"__Host-noria-{name}" if parts.secure else f"noria-{name}"


def parts_of(request: Request) -> Parts:
    """The application's parts."""
    return cast(Parts, request.app.state.parts)


def language_of(request: Request) -> PageLanguage:
    """The reader's language: by cookie, else by the browser, else the installation's."""
    settings = parts_of(request).settings
    wanted = request.cookies.get("noria-language", "")
    if wanted not in LANGUAGES:
        wanted = _accepted(request.headers.get("accept-language", "")) or settings.language
    return PageLanguage(wanted, settings.timezone)


def _accepted(header: str) -> str:
    """The supported language with the highest weight in Accept-Language, or empty."""
    found: list[tuple[float, str]] = []
    for item in header.split(","):
        name, _, weight = item.partition(";q=")
        code = name.strip().lower().split("-")[0]
        if code in LANGUAGES:
            with contextlib.suppress(ValueError):
                found.append((float(weight or 1), code))
    return max(found, key=lambda f: f[0])[1] if found else ""


def visit(request: Request) -> Visit:
    """The visit of this request, by session cookie or bearer token."""
    parts = parts_of(request)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer"
    token = given.strip() if bearer else request.cookies.get(cookie(parts, "session"), "")
    person = sessions.find(parts.engine, token, parts.real.now()) if token else None
    secret = token if person else request.cookies.get(cookie(parts, "visitor"), "")
    return Visit(
        request, parts, language_of(request), person, secret or secrets.token_urlsafe(16),
        token if person else "", bearer and person is not None, parts.clock.now(),
    )  # fmt: skip


AnyVisit = Annotated[Visit, Depends(visit)]


def signed_in(visit: AnyVisit) -> Visit:
    """A visit with a person. Raises NeedsSignIn."""
    if visit.person is None:
        raise NeedsSignIn
    return visit


SignedIn = Annotated[Visit, Depends(signed_in)]


def coordinating(visit: SignedIn) -> Visit:
    """Raises Refused for anyone but a coordinator."""
    if not visit.me.coordinates:
        raise Refused(403, mark("This page is for coordinators."))
    return visit


Coordinating = Annotated[Visit, Depends(coordinating)]


def check_form(
    visit: AnyVisit,
    form: Annotated[str, Form()] = "",
    sec_fetch_site: Annotated[str, Header()] = "",
) -> None:
    """Raises Refused unless the request comes from a form of one of our pages."""
    foreign = sec_fetch_site in ("cross-site", "same-site")
    if foreign or not sessions.is_form_token(visit.secret, form):
        raise Refused(403, _OLD_FORM)


def check_call(
    visit: AnyVisit,
    x_form_token: Annotated[
        str, Header(description="form_token of /me; not needed with a bearer token")
    ] = "",
) -> None:
    """As ``check_form`` for the API: the token is in a header; not needed with a bearer token."""
    if not visit.bearer and not sessions.is_form_token(visit.secret, x_form_token):
        raise Refused(403, "X-Form-Token is missing or not of this session: read it from /me")


OurForm = Depends(check_form)
OurCall = Depends(check_call)


def local_path(wanted: str) -> str:
    """``wanted`` when it is a path of ours, else the home page."""
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else "/"


def path_of(request: Request) -> str:
    """Path and query as they were asked for.

    Not from ``request.url``, which begins with the header *Host*: whoever writes ``Host: x/y``
    would choose the path.
    """
    query = request.scope["query_string"].decode("latin-1")
    return request.scope["path"] + (f"?{query}" if query else "")


def sign_in_path(request: Request) -> str:
    """The sign-in page that leads back to this page."""
    path = path_of(request)
    back = f"?next={quote(path, safe='/')}" if request.method == "GET" and path != "/" else ""
    return f"/sign-in{back}"
