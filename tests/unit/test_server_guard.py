"""The visitor of a request: who, in which language, and what is refused with which reason."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa
from fastapi import Request

from gateway.database.tables import account, metadata
from gateway.runtime.clock import Clock
from gateway.settings import TABLE, Settings
from server import parts as server_parts
from server.accounts import people, sessions
from server.accounts.people import Person
from server.accounts.tables import session
from server.parts import Parts
from server.web import guard
from server.web.guard import NeedsSignIn, Refused, Visit

FIXED = Clock(2.0, 0.0)  # a demo's clock: twice the Unix time


class App:
    """What a request reads of an application: its state."""

    def __init__(self, parts: Parts) -> None:
        self.state = self
        self.parts = parts


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/noria.db")
    metadata.create_all(engine, tables=[account, session])
    values = {row.name: row.default for row in TABLE} | {"data": tmp_path, "language": "fr"}
    settings = Settings(source=tmp_path / "noria.toml", **values)  # pyright: ignore[reportArgumentType]
    yield replace(server_parts.make(settings, engine), clock=FIXED)
    engine.dispose()


def request(parts: Parts, path: str = "/", query: str = "", method: str = "GET", **headers: str):
    return Request({
        "type": "http", "method": method, "path": path, "query_string": query.encode(),
        "scheme": "http", "server": ("noria.example", 80), "app": App(parts),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    })  # fmt: skip


def person_in(parts: Parts, role: people.Role = "volunteer") -> tuple[Person, str]:
    """A person with a session, and its token."""
    person = Person("vanvanvan2", "Van 2", "van-2", role)
    row = {"id": person.id, "name": person.name, "login": person.login, "role": role}
    with parts.engine.begin() as connection:
        connection.execute(sa.insert(account).values(**row, password="*", created=0.0))
    return person, sessions.begin(parts.engine, person, parts.real.now())


def visit_of(parts: Parts, **headers: str) -> Visit:
    return guard.visit(request(parts, **headers))


def test_a_visitor_without_a_session_is_nobody(parts: Parts) -> None:
    first, second = visit_of(parts), visit_of(parts)
    assert (first.person, first.token, first.bearer) == (None, "", False)
    assert len(first.secret) == 22  # 16 bytes in base64
    assert first.secret != second.secret
    assert first.parts is parts
    assert guard.parts_of(first.request) is parts
    assert visit_of(parts, cookie="noria-visitor=abc").secret == "abc"


@pytest.mark.parametrize("lookup", [lambda v: v.me, guard.signed_in])
def test_nobody_has_to_sign_in(parts: Parts, lookup) -> None:
    with pytest.raises(NeedsSignIn):
        lookup(visit_of(parts))


def test_a_session_cookie_names_the_person(parts: Parts) -> None:
    person, token = person_in(parts)
    visit = visit_of(parts, cookie=f"noria-session={token}; noria-visitor=abc")
    assert (visit.person, visit.me) == (person, person)
    assert (visit.token, visit.secret, visit.bearer) == (token, token, False)
    assert guard.signed_in(visit) is visit
    with pytest.raises(FrozenInstanceError):
        visit.secret = "x"  # pyright: ignore[reportAttributeAccessIssue]


def test_an_unknown_session_is_a_visitor(parts: Parts) -> None:
    person_in(parts)
    visit = visit_of(parts, cookie=f"noria-session={'x' * 43}; noria-visitor=abc")
    assert (visit.person, visit.token, visit.secret) == (None, "", "abc")


def test_every_route_depends_on_the_check_that_its_parameter_names() -> None:
    checks = {
        get_args(guard.AnyVisit)[1]: guard.visit,
        get_args(guard.SignedIn)[1]: guard.signed_in,
        get_args(guard.Coordinating)[1]: guard.coordinating,
        guard.OurForm: guard.check_form,
        guard.OurCall: guard.check_call,
    }
    for depends, check in checks.items():
        assert depends.dependency is check


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_names_the_person(parts: Parts, scheme: str) -> None:
    person, token = person_in(parts)
    visit = visit_of(parts, authorization=f"{scheme}  {token} ")
    assert (visit.person, visit.token, visit.bearer) == (person, token, True)


def test_only_the_scheme_bearer_counts(parts: Parts) -> None:
    person, token = person_in(parts)
    for scheme in ("Basic", "Digest"):
        other = visit_of(parts, authorization=f"{scheme} {token}")
        assert (other.person, other.bearer) == (None, False)
    assert visit_of(parts, authorization="Bearer").person is None
    wrong = visit_of(parts, authorization="Bearer wrong", cookie=f"noria-session={token}")
    assert (wrong.person, wrong.bearer) == (None, False)
    both = visit_of(parts, authorization="Basic x", cookie=f"noria-session={token}")
    assert (both.person, both.bearer) == (person, False)


def test_a_visit_has_the_installations_time_and_sessions_the_real_time(parts: Parts) -> None:
    _, token = person_in(parts)
    visit = visit_of(parts, cookie=f"noria-session={token}")
    assert visit.now == pytest.approx(2 * parts.real.now(), abs=60)
    assert visit.person is not None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "noria-session"),
        ("http://noria.example", "noria-session"),
        ("https://noria.example", "__Host-noria-session"),
    ],
)
def test_cookies_are_bound_to_the_host_with_https(parts: Parts, url: str, name: str) -> None:
    secure = replace(parts, settings=replace(parts.settings, public_url=url))
    assert guard.cookie(secure, "session") == name
    person, token = person_in(parts)
    assert visit_of(secure, cookie=f"{name}={token}").person == person
    visitor = name.replace("session", "visitor")
    assert visit_of(secure, cookie=f"{visitor}=abc").secret == "abc"


@pytest.mark.parametrize(
    ("cookie", "accepted", "code"),
    [
        ("", "", "fr"),
        ("en", "", "en"),
        ("en", "fr", "en"),
        ("de", "en", "en"),
        ("", "en", "en"),
        ("", "en-GB,fr;q=0.9", "en"),
        ("", "fr;q=0.9, EN ", "en"),
        ("", "en;q=0.2, fr;q=0.3", "fr"),
        ("", "en;q=0.3, fr;q=0.2", "en"),
        ("", "de, en;q=0.5", "en"),
        ("", "de", "fr"),
        ("", "fr;q=x, en;q=0.1", "en"),
        ("", "en;q=x, fr;q=y", "fr"),
        ("", "en, fr", "en"),
        ("", "fr, en;q=1", "fr"),
        ("", "fr;q=1, en", "fr"),
    ],
)
def test_the_language_is_the_cookies_then_the_browsers_then_ours(
    parts: Parts, cookie: str, accepted: str, code: str
) -> None:
    found = request(parts, cookie=f"noria-language={cookie}", accept_language=accepted)
    assert guard.language_of(found).code == code
    assert guard.visit(found).language.code == code
    assert guard.language_of(found).local(0.0).tzname() == "CET"


def test_pages_of_coordinators_refuse_volunteers(parts: Parts) -> None:
    person, token = person_in(parts)
    visit = visit_of(parts, cookie=f"noria-session={token}")
    with pytest.raises(Refused) as refused:
        guard.coordinating(visit)
    assert refused.value.status == 403
    assert refused.value.message == str(refused.value) == "This page is for coordinators."
    allowed = replace(visit, person=replace(person, role="coordinator"))
    assert guard.coordinating(allowed) is allowed


@pytest.mark.parametrize(
    ("site", "allowed"),
    [("", True), ("same-origin", True), ("none", True), ("cross-site", False),
     ("same-site", False)],
)  # fmt: skip
def test_a_form_comes_from_our_own_page(parts: Parts, site: str, allowed: bool) -> None:
    visit = visit_of(parts, cookie="noria-visitor=abc")
    token = visit.form_token()
    if allowed:
        guard.check_form(visit, token, site)
    else:
        with pytest.raises(Refused):
            guard.check_form(visit, token, site)
    with pytest.raises(Refused) as refused:
        guard.check_form(visit, sessions.form_token("other"), site)
    assert refused.value.status == 403
    assert refused.value.message == (
        "This form is too old. Go back, load the page again, then repeat."
    )
    with pytest.raises(Refused):
        guard.check_form(visit)


def test_a_call_needs_a_form_token_unless_it_has_a_bearer_token(parts: Parts) -> None:
    _, token = person_in(parts)
    visit = visit_of(parts, cookie=f"noria-session={token}")
    guard.check_call(visit, visit.form_token())
    for wrong in ("", sessions.form_token("other")):
        with pytest.raises(Refused) as refused:
            guard.check_call(visit, wrong)
        assert refused.value.status == 403
        assert refused.value.message.startswith("X-Form-Token is missing or not of this session")
    with pytest.raises(Refused):
        guard.check_call(visit)
    guard.check_call(visit_of(parts, authorization=f"Bearer {token}"))


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/", "/"),
        ("/c/8f2k?x=1", "/c/8f2k?x=1"),
        ("", "/"),
        ("incidents", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/a//b", "/a//b"),
        ("/a\nb", "/"),
    ],
)
def test_only_paths_of_ours_are_followed(wanted: str, path: str) -> None:
    assert guard.local_path(wanted) == path


@pytest.mark.parametrize(
    ("path", "query", "method", "sign_in"),
    [
        ("/", "", "GET", "/sign-in"),
        ("/", "a=1", "GET", "/sign-in?next=/%3Fa%3D1"),
        ("/c/8f2k", "", "GET", "/sign-in?next=/c/8f2k"),
        ("/c/8f2k", "a=1&b=2", "GET", "/sign-in?next=/c/8f2k%3Fa%3D1%26b%3D2"),
        ("/c/8f2k", "", "POST", "/sign-in"),
        ("/c/8f2k", "", "DELETE", "/sign-in"),
    ],
)
def test_signing_in_leads_back_to_the_page(
    parts: Parts, path: str, query: str, method: str, sign_in: str
) -> None:
    assert guard.sign_in_path(request(parts, path, query, method)) == sign_in
