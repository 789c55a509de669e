"""Pages from templates: one environment, one function."""

import gc
import hashlib
import io
from functools import lru_cache
from pathlib import Path

import jinja2
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server.views.snapshot import Snapshot
from server.web import guard
from server.web.guard import Visit
from server.words.language import LANGUAGES
from server.words.page import Option, freshness, tabs

_HERE = Path(__file__).parents[1]
STATIC = _HERE / "static"
_ONE_YEAR_S = 31_536_000
_LARGE_BYTES = 100_000
"""An import with context makes a cycle of a page's values, and Python collects them late: ten large
pages in a row leave 2 MB that no later release returns. A collection takes 5 ms of their 100.
"""

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@lru_cache
def asset(name: str) -> str:
    """A static file's address with its content's hash, so that browsers can cache it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


# Macros see globals alone. jinja2 leaves the type of globals open.
_environment.globals["asset"] = asset  # pyright: ignore[reportUnknownMemberType]


def page(
    visit: Visit, template: str, status: int = 200, snapshot: Snapshot | None = None,
    **values: object,
) -> Response:  # fmt: skip
    """A whole page in the visitor's language. ``values`` are the template's own."""
    language = visit.language
    stream = _environment.get_template(template).stream(
        {"tab": "", **values}, code=language.code, _=language.text, now=round(visit.now),
        speed=visit.parts.clock.speed, path=guard.path_of(visit.request),
        form_token=visit.form_token,
        tabs=tabs(language, visit.person) if visit.person else [],
        freshness=freshness(language, snapshot) if snapshot else None,
        version=snapshot.version if snapshot else 0,
        languages=[Option(k, name, k == language.code) for k, name in LANGUAGES.items()],
    )  # fmt: skip
    html = io.BytesIO()  # 2 MB less than a string of 1,000 tanks, two bytes a character
    stream.dump(html, "utf-8")
    if html.tell() >= _LARGE_BYTES:
        gc.collect()
    response = HTMLResponse(html.getvalue(), status)
    response.headers["Content-Language"] = language.code
    response.headers["Vary"] = "Cookie, Accept-Language"
    if visit.person is None:
        set_cookie(visit, response, "visitor", visit.secret, None)
    return response


def go(where: str) -> Response:
    """After a form: redirect to a page of ours, by GET."""
    return RedirectResponse(guard.local_path(where), 303)


def set_cookie(
    visit: Visit, response: Response, name: str, value: str, age_s: int | None = _ONE_YEAR_S
) -> None:
    """Set one of our cookies; ``age_s`` None: until the browser closes."""
    full = "noria-language" if name == "language" else guard.cookie(visit.parts, name)
    response.set_cookie(
        full, value, max_age=age_s, path="/", httponly=True, samesite="lax",
        secure=visit.parts.secure,
    )  # fmt: skip


def drop_cookie(visit: Visit, response: Response, name: str) -> None:
    """Delete one of our cookies."""
    response.delete_cookie(
        guard.cookie(visit.parts, name), path="/", httponly=True, samesite="lax",
        secure=visit.parts.secure,
    )  # fmt: skip
