"""My alerts: contacts by a code that a real service carries, wishes, snoozes; nothing leaks."""

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gateway.alerts.people import contacts, wishes
from gateway.alerts.people.keys import Key, KeyFile
from gateway.alerts.people.listeners import recipients
from gateway.alerts.people.wishes import Wishes
from gateway.alerts.tables import contact, listening, snooze
from gateway.domain.dispatch.people import Recipient
from server.accounts import people
from server.accounts.send_limit import MOST, SendLimit
from server.app import create
from server.parts import Parts
from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene
from tests.integration.sinks import HttpSink, http_sink

KEY = Key(bytes(range(32)))
ADDRESS = "+33 6 12 34 56 42"
USUAL = "+33612345642"


@dataclass
class Mine:
    """One signed-in person with two services."""

    scene: Scene
    client: TestClient
    sink: HttpSink
    me: str = ""
    form: str = ""
    pages: str = ""
    """Everything that was answered."""
    sessions: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def parts(self) -> Parts:
        return cast(FastAPI, self.client.app).state.parts

    def enter(self, login: str) -> None:
        """Become this person, by a sign-in where it is the first time."""
        self.client.cookies.clear()
        if login in self.sessions:
            self.client.cookies.set("noria-session", self.sessions[login])
        else:
            self.form = token(self.client.get("/sign-in").text)
            self.post("/sign-in", login=login, password=PASSWORD)
            self.sessions[login] = self.client.cookies["noria-session"]
        self.form = token(self.get("/me"))
        self.me = next(p.id for p in people.everyone(self.scene.engine) if p.login == login)

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        self.pages += answer.text
        return answer.text

    def post(self, path: str, **data: str | list[str]) -> tuple[int, str]:
        answer = self.client.post(path, data={"form": self.form, **data})
        self.pages += answer.text + str(answer.headers)
        return answer.status_code, answer.text

    def code(self) -> str:
        """The newest code that the service carried."""
        found = re.search(r"\b\d{6}\b", json.loads(self.sink.bodies[-1])["message"])
        assert found
        return found[0]

    def contacts(self) -> list[contacts.Contact]:
        with self.scene.engine.connect() as connection:
            return contacts.of(connection, self.me)

    def add(self, address: str = ADDRESS, service: str = "hook") -> str:
        """Add and verify a contact; returns its id."""
        assert self.post("/me/contacts", service=service, address=address)[0] == 200
        new = next(one.id for one in self.contacts() if not one.is_verified)
        assert self.post(f"/me/contacts/{new}/verify", code=self.code())[0] == 303
        return new


def token(page: str) -> str:
    return page.split('name="form" value="')[1].split('"')[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mine]:
    """One server for all tests of this file."""
    folder = tmp_path_factory.mktemp("mine")
    with pytest.MonkeyPatch.context() as patched, http_sink() as sink:
        patched.delenv("RUNTIME_DIRECTORY", raising=False)
        patched.setenv("XDG_RUNTIME_DIR", str(folder))
        urls = [f"{n}=json://127.0.0.1:{sink.port}/{n}/{{to}}" for n in ("hook", "radio-2")]
        scene = scenes.make(folder, extra=f"services = {json.dumps(urls)}\n")
        with TestClient(create(scene.settings, scene.engine), follow_redirects=False) as client:
            yield Mine(scene, client, sink)
        scene.engine.dispose()


@pytest.fixture
def mine(served: Mine) -> Mine:
    """``van-1`` is signed in; nobody has chosen anything yet."""
    KeyFile(served.scene.settings.data).put(KEY)
    served.parts.sends = SendLimit()
    with served.scene.engine.begin() as connection:
        for table in (contact, listening, snooze):
            connection.execute(sa.delete(table))
    served.sink.bodies.clear()
    served.sink.paths.clear()
    served.sink.statuses.clear()
    served.enter("van-1")
    return served


def test_a_contact_is_added_by_its_code_ordered_tested_and_removed(mine: Mine) -> None:
    assert "No alert reaches you yet" in mine.get("/me")
    first, second = mine.add(), mine.add("two@example.org", "radio-2")
    assert mine.sink.paths == ["/hook/+33612345642", "/radio-2/two@example.org"]
    page = mine.get("/me")
    assert "Alerts reach you at 2 contacts" in page
    assert page.index("Hook …42") < page.index("Radio 2 …rg")
    mine.post(f"/me/contacts/{second}/first")
    assert [one.id for one in mine.contacts()] == [second, first]
    assert "on its way" in mine.post(f"/me/contacts/{first}/test")[1]
    assert mine.sink.paths[-1] == "/hook/+33612345642"
    assert "test that you asked for" in mine.sink.bodies[-1]
    mine.post(f"/me/contacts/{first}/remove")
    assert [one.id for one in mine.contacts()] == [second]
    assert mine.post(f"/me/contacts/{first}/test")[0] == 400


def test_a_wrong_code_counts_and_a_new_one_replaces_the_old(mine: Mine) -> None:
    mine.post("/me/contacts", service="hook", address=ADDRESS)
    (new,) = mine.contacts()
    old = mine.code()
    wrong = "000000" if old != "000000" else "000001"
    for _ in range(contacts.CODE_TRIES):
        status, page = mine.post(f"/me/contacts/{new.id}/verify", code=wrong)
        assert (status, "not the code" in page) == (400, True)
    status, page = mine.post(f"/me/contacts/{new.id}/verify", code=old)
    assert (status, "too old" in page) == (400, True)  # the tries were kept
    assert mine.post(f"/me/contacts/{new.id}/code")[0] == 200
    assert mine.post(f"/me/contacts/{new.id}/verify", code=f" {mine.code()} ")[0] == 303
    assert mine.contacts()[0].is_verified
    assert "already" in mine.post("/me/contacts", service="hook", address=USUAL)[1]


def test_another_person_reaches_none_of_it(mine: Mine) -> None:
    own = mine.add()
    mine.enter("van-2")
    for act in ("code", "test", "verify"):
        assert mine.post(f"/me/contacts/{own}/{act}", code="123456")[0] == 400
    for act in ("remove", "first"):
        mine.post(f"/me/contacts/{own}/{act}")
    assert mine.contacts() == []
    mine.enter("van-1")
    assert [one.id for one in mine.contacts()] == [own]


def test_only_so_many_messages_an_hour_are_sent_for_one_person(mine: Mine) -> None:
    mine.post("/me/contacts", service="hook", address=ADDRESS)
    own = mine.contacts()[0].id
    answers = [mine.post(f"/me/contacts/{own}/code")[0] for _ in range(MOST)]
    assert answers == [200] * (MOST - 1) + [429]
    assert len(mine.sink.bodies) == MOST
    mine.enter("van-2")
    assert mine.post("/me/contacts", service="hook", address="other-room")[0] == 200


def test_no_address_is_in_a_page_a_log_the_database_or_an_error(mine: Mine) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    try:
        mine.add()
        mine.sink.statuses += [500] * 9
        own = mine.contacts()[0].id
        status, page = mine.post(f"/me/contacts/{own}/test")
        assert (status, "Hook did not take the message" in page) == (503, True)
        for wrong in ("planted@nowhere", "+33123456789012345678"):
            assert mine.post("/me/contacts", service="hook", address=wrong)[0] == 400
        mine.get("/me")
    finally:
        logging.getLogger().removeHandler(handler)
    with mine.scene.engine.connect() as connection:
        rows = str(connection.execute(sa.select(contact)).all())
    assert "…42" in rows
    for text in (lines.getvalue(), mine.pages, rows):
        for part in ("12345642", "12 34 56 42", "planted", "123456789012"):
            assert part not in text


def test_without_a_key_or_a_service_the_page_says_what_a_coordinator_does(
    mine: Mine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = mine.add()
    KeyFile(mine.scene.settings.data).drop()
    page = mine.get("/me")
    assert "No alert reaches you yet" in page
    assert "“noria unlock”" in page
    assert 'action="/me/contacts"' not in page
    assert mine.post(f"/me/contacts/{own}/test")[0] == 503
    assert mine.post("/me/contacts", service="hook", address="x")[0] == 503
    monkeypatch.setattr(mine.parts, "services", ())
    assert "“noria unlock --new”" in mine.get("/me")
    KeyFile(mine.scene.settings.data).put(KEY)
    assert mine.post("/me/contacts", service="hook", address="x")[0] == 400
    assert "its service is no longer there" in mine.get("/me")


def test_wishes_are_what_the_dispatch_reads(mine: Mine) -> None:
    mine.add()
    chosen = {
        "language": "fr", "where": "some", "sites": ["canal", "nowhere"], "groups": ["water"],
        "quiet_from": "22:00", "quiet_until": "06:30", "per_hour": "2",
    }  # fmt: skip
    status, page = mine.post("/me/wishes", **chosen)
    assert (status, "Saved." in page) == (200, True)
    with mine.scene.engine.connect() as connection:
        kept = wishes.of(connection, mine.me, "en")
        (reader,) = recipients(connection)
    assert kept == Wishes("fr", ("canal",), ("water",), (1320, 390), 2)
    assert reader == Recipient(
        mine.me, False, frozenset({"canal"}), frozenset({"water"}), (1320, 390), 2
    )
    assert 'value="22:00"' in mine.get("/me")
    mine.post("/me/wishes", language="en")  # all sites, no group, no quiet hours
    with mine.scene.engine.connect() as connection:
        assert wishes.of(connection, mine.me, "en") == Wishes("en", (), (), None, 6)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("where", "some", "at least one site"),
        ("quiet_from", "22:00", "both a begin and an end"),
        ("quiet_from", "25:00", "not understood"),
        ("per_hour", "0", "not understood"),
        ("groups", "rain", "not understood"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    mine: Mine, field: str, value: str, reason: str
) -> None:
    status, page = mine.post("/me/wishes", language="en", **{field: value})
    assert (status, reason in page) == (400, True)


def test_a_tank_is_quiet_for_one_person_and_loud_again(mine: Mine) -> None:
    assert "Quiet until" in mine.get("/tanks/canal-2")
    assert mine.post("/tanks/canal-2/snooze", until="hours")[0] == 303
    assert mine.post("/tanks/canal-1/snooze", until="morning")[0] == 303
    with mine.scene.engine.connect() as connection:
        quiet = wishes.snoozed(connection, mine.me, mine.scene.now)
    assert 0 <= quiet["canal-2"] - mine.scene.now - 7200 < 60
    assert "No alerts to you about this tank until" in mine.get("/tanks/canal-2")
    assert "/me/snoozes/canal-1/end" in mine.get("/me")
    mine.post("/me/snoozes/canal-1/end")
    mine.post("/tanks/canal-2/snooze", until="none")
    assert "/me/snoozes/" not in mine.get("/me")
    assert mine.post("/tanks/nowhere/snooze", until="hours")[0] == 404
    assert mine.post("/tanks/canal-2/snooze", until="for-ever")[0] == 400


def test_no_form_works_without_its_token_or_a_person(mine: Mine) -> None:
    own = mine.add()
    paths = [
        "/me/contacts", "/me/wishes", "/me/snoozes/canal-1/end", "/tanks/canal-1/snooze",
        *(f"/me/contacts/{own}/{act}" for act in ("code", "verify", "first", "remove", "test")),
    ]  # fmt: skip
    valid = {"language": "en", "until": "hours"}
    for path in paths:
        assert mine.client.post(path, data=valid).status_code == 403, path
    mine.client.cookies.clear()
    form = token(mine.client.get("/sign-in").text)
    for path in paths:
        answer = mine.client.post(path, data={"form": form, **valid})
        assert answer.headers.get("location") == "/sign-in", path
    assert [one.id for one in mine.contacts()] == [own]
