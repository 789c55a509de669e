"""Access: sessions, forms, roles, limits, headers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.accounts import demo, people, sessions
from server.accounts.attempts import PER_PAIR
from server.accounts.hashing import AT_ONCE, BUSY_S, WAITING
from server.accounts.tables import session
from server.app import create
from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene

pytestmark = pytest.mark.usefixtures("each_database")

CODE = "a-long-and-random-demo-code"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = scenes.make(tmp_path, extra=f'demo_code = "{CODE}"\n')
    yield made
    made.engine.dispose()


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with TestClient(create(scene.settings, scene.engine), follow_redirects=False) as running:
        yield running


def token(client: TestClient, path: str = "/sign-in") -> str:
    """The form token of a page."""
    return client.get(path).text.split('name="form" value="')[1].split('"')[0]


def sign_in(client: TestClient, login: str = "van-1", password: str = PASSWORD, **more: str):
    form = {"login": login, "password": password, "form": token(client), **more}
    return client.post("/sign-in", data=form)


@pytest.mark.parametrize("path", ["/", "/tanks/canal-1", "/incidents", "/more", "/devices"])
def test_every_page_redirects_to_sign_in_and_back(client: TestClient, path: str):
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert (path == "/") == ("next" not in answer.headers["location"])


def test_the_api_and_the_stream_answer_401(client: TestClient):
    assert client.get("/api/v1/tanks").status_code == 401
    assert client.get("/live").status_code == 401


def test_signing_in_redirects_to_the_wanted_page(client: TestClient):
    answer = sign_in(client, next="/c/canalcrit2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/c/canalcrit2")
    assert client.get("/c/canalcrit2").status_code == 200


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_redirects_elsewhere(client: TestClient, wanted: str):
    assert sign_in(client, next=wanted).headers["location"] == "/"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client: TestClient):
    wrong, unknown = sign_in(client, password="wrong-password"), sign_in(client, "nobody")
    assert wrong.status_code == unknown.status_code == 403
    assert "do not match" in wrong.text
    assert "do not match" in unknown.text


def test_too_many_attempts_wait_even_with_the_right_password(client: TestClient):
    for _ in range(PER_PAIR):
        sign_in(client, password="wrong-password")
    answer = sign_in(client)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["retry-after"]) <= 900
    assert "Wait" in answer.text


def test_where_many_sign_in_at_once_the_next_is_asked_to_come_back(client: TestClient):
    sign_in(client, "sam")
    form = {"name": "Van 9", "form": token(client, "/people")}
    hashing = cast(FastAPI, client.app).state.parts.hashing
    hashing._taken = AT_ONCE + WAITING
    added = client.post("/people", data=form)
    client.cookies.delete("noria-session")
    assert sign_in(client, "sam").status_code == 303  # a device that was here has a place
    client.cookies.clear()
    refused = [sign_in(client, "sam") for _ in range(PER_PAIR + 1)]  # none of them is an attempt
    for answer in (added, *refused):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, str(BUSY_S))
        assert "Wait a few seconds" in answer.text
    hashing._taken = 0
    assert sign_in(client, "sam").status_code == 303


def test_somebody_elses_failures_do_not_lock_out_a_browser_that_was_here(
    client: TestClient, scene: Scene
):
    kept = sign_in(client).headers.get_list("set-cookie")
    device = next(one for one in kept if one.startswith("noria-device="))
    assert "HttpOnly" in device
    assert f"Max-Age={400 * 86400}" in device
    mine = client.cookies["noria-device"]
    client.cookies.clear()  # another browser, at the same address
    for _ in range(PER_PAIR):
        assert sign_in(client, password="guess").status_code == 403
    assert sign_in(client).status_code == 429
    assert sign_in(client, "van-2").status_code == 303
    client.cookies.delete("noria-session")
    assert sign_in(client).status_code == 429  # its own person is not this one
    client.cookies.clear()
    client.cookies.set("noria-device", mine)
    assert sign_in(client, password="mistyped").status_code == 403
    assert sign_in(client).status_code == 303
    people.set_password(scene.engine, "van-1", "another-password")
    assert sign_in(client, password="another-password").status_code == 429


def test_a_session_is_stored_as_a_hash_behind_a_http_only_cookie(client: TestClient, scene: Scene):
    cookie = sign_in(client).headers.get_list("set-cookie")[0]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    value = client.cookies["noria-session"]
    with scene.engine.connect() as connection:
        kept = connection.execute(sa.select(session.c.token_hash)).scalars().all()
    assert len(kept) == 1
    assert value not in kept[0]


def test_cookies_are_secure_where_pages_are_served_by_https(tmp_path: Path):
    made = scenes.make(tmp_path, extra='public_url = "https://noria.example"\n')
    with TestClient(create(made.settings, made.engine)) as client:
        answer = client.get("/sign-in")
    assert "__Host-noria-visitor" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    made.engine.dispose()


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(client: TestClient):
    sign_in(client)
    held = client.cookies["noria-session"]
    client.post("/sign-out", data={"form": token(client, "/more")})
    client.cookies.set("noria-session", held)
    assert client.get("/").status_code == 303


def test_a_form_without_its_token_changes_nothing(client: TestClient):
    sign_in(client)
    for form in ({}, {"form": "x"}, {"form": sessions.form_token("another secret")}):
        answer = client.post("/incidents/canalcrit2/claim", data=form)
        assert answer.status_code == 403
    assert "Nobody is going yet." in client.get("/incidents/canalcrit2").text


def test_a_form_from_another_site_changes_nothing(client: TestClient):
    sign_in(client)
    answer = client.post(
        "/incidents/canalcrit2/claim",
        data={"form": token(client, "/more")},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


def test_a_volunteer_sees_neither_devices_nor_people(client: TestClient):
    sign_in(client)
    for path in ("/devices", "/people"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "This page is for coordinators." in answer.text
    form = {"name": "Eve", "role": "coordinator", "form": token(client, "/more")}
    assert client.post("/people", data=form).status_code == 403


def test_closing_an_account_ends_its_sessions(client: TestClient, scene: Scene):
    sign_in(client)
    people.set_disabled(scene.engine, people.find(scene.engine, "van-1").id, scene.now)
    assert client.get("/").status_code == 303
    assert sign_in(client).status_code == 403


def test_nobody_closes_their_own_account(client: TestClient, scene: Scene):
    sign_in(client, "sam")
    sam = people.find(scene.engine, "sam")
    form = {"form": token(client, "/people")}
    assert client.post(f"/people/{sam.id}/close", data=form).status_code == 400
    assert not people.find(scene.engine, "sam").disabled


def test_a_new_password_ends_every_session(client: TestClient, scene: Scene):
    sign_in(client)
    people.set_password(scene.engine, "van-1", "another-password")
    assert client.get("/").status_code == 303


def test_a_session_ends_when_nobody_used_it_for_two_weeks(scene: Scene):
    person = people.find(scene.engine, "van-1")
    opened = sessions.begin(scene.engine, person, 1000.0)
    assert sessions.find(scene.engine, opened, 1000.0 + sessions.IDLE_S - 1) == person
    assert sessions.find(scene.engine, opened, 1000.0 + 3 * sessions.IDLE_S) is None


def test_an_account_keeps_its_forty_newest_sessions(scene: Scene):
    van, sam = (people.find(scene.engine, login) for login in ("van-1", "sam"))
    other = sessions.begin(scene.engine, sam, 1000.0)
    opened = [sessions.begin(scene.engine, van, 1000.0 + i) for i in range(40)]
    assert all(sessions.find(scene.engine, one, 1100.0) for one in (*opened, other))
    sessions.find(scene.engine, opened[0], 5000.0)  # used again: the second is now the oldest
    opened.append(sessions.begin(scene.engine, van, 5001.0))
    known = [bool(sessions.find(scene.engine, one, 5002.0)) for one in opened]
    assert known == [True, False] + [True] * 39
    assert sessions.find(scene.engine, other, 5002.0) == sam


def test_the_demos_link_signs_in_and_a_wrong_one_does_not_exist(
    client: TestClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(demo.MARK, str(scene.settings.source))
    assert client.get("/enter/wrong").status_code == 404
    assert client.get(f"/enter/{CODE}").status_code == 303
    assert client.get("/devices").status_code == 200


def test_a_copied_configuration_of_the_demo_opens_nothing(
    client: TestClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    assert client.get(f"/enter/{CODE}").status_code == 404
    monkeypatch.setenv(demo.MARK, "/another/noria.toml")
    assert client.get(f"/enter/{CODE}").status_code == 404
    monkeypatch.setenv(demo.MARK, str(scene.settings.source))
    abroad = replace(scene.settings, server_listen="0.0.0.0:8080")
    with TestClient(create(abroad, scene.engine)) as elsewhere:
        assert elsewhere.get(f"/enter/{CODE}").status_code == 404


HOSTS = ["evil.example", "evil.example/x", "evil.example?", "evil.example#", "[", "a b", "x@y:z"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/incidents", "/incidents/", "/tanks/canal-1/", "/static", "/"])
def test_no_redirect_names_the_host_that_was_asked_for(client: TestClient, host: str, path: str):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in (303, 404)
    where = answer.headers.get("location", "/sign-in")
    assert where.split("?")[0] == "/sign-in"
    assert where in ("/sign-in", f"/sign-in?next={path}")
    assert "evil" not in answer.text + str(answer.headers)


def test_without_a_demo_code_its_link_does_not_exist(tmp_path: Path):
    made = scenes.make(tmp_path)
    with TestClient(create(made.settings, made.engine)) as client:
        assert client.get("/enter/").status_code == 404
        assert client.get("/enter/x").status_code == 404
    made.engine.dispose()


def test_pages_forbid_foreign_scripts_frames_referrers_and_caches(client: TestClient):
    headers = client.get("/sign-in").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_style_and_script_are_cacheable_for_a_year(client: TestClient):
    for name in ("noria.css", "noria.js", "icons.svg"):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_a_missing_page_is_named_in_the_readers_language(client: TestClient):
    french = client.get("/nope", headers={"Accept-Language": "fr;q=0.9, en;q=0.3"})
    assert french.status_code == 404
    assert "Rien ici" in french.text
    assert client.get("/nope").text.count("Nothing here") >= 1


def test_a_body_that_is_too_large_is_refused(client: TestClient):
    answer = client.post("/sign-in", content=b"x" * 70_000)
    assert answer.status_code == 413
