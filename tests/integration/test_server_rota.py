"""The rota through its pages: shifts, turns passed on and back, calendar links, and their facts."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from gateway.alerts.people import shifts, wishes
from gateway.alerts.people.listeners import shift_of
from gateway.alerts.people.wishes import Wishes
from gateway.alerts.tables import shift, swap
from gateway.database.tables import fact
from gateway.domain.dispatch.rota import Shift
from server.accounts import calendar_links, people
from server.accounts.tables import calendar_link
from server.app import create
from server.views import rota as view
from tests.browser import accounts, scenes
from tests.integration.rota_group import PARIS, Group
from tests.parts import database


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """One server for all tests of this file."""
    scene = scenes.make(tmp_path_factory.mktemp("rota"))
    ids = {one.login: one.id for one in people.everyone(scene.engine)}
    app = create(scene.settings, scene.engine)
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Group(scene, client, ids)
    scene.engine.dispose()


def shift_form(group: Group, **more: str | list[str]) -> dict[str, str | list[str]]:
    week = [str(n) for n in range(7)]
    since = str(group.tomorrow - timedelta(days=30))
    return {
        "person": group.ids["van-1"], "days": week, "start": "08:00", "hours": "4",
        "site": "canal", "since": since, **more,
    }  # fmt: skip


@pytest.fixture
def group(served: Group) -> Group:
    """``van-1`` is on shift every day from 08:00 to 12:00 for one site."""
    with served.scene.engine.begin() as connection:
        for table in (shift, swap, calendar_link, fact):
            connection.execute(sa.delete(table))
    assert served.post("sam", "/rota/shifts", **shift_form(served)) == 303
    return served


def test_a_turn_is_left_taken_given_away_and_each_change_undone(group: Group) -> None:
    steps = [
        ("van-1", "leave", {}, None),
        ("van-1", "undo", {}, "van-1"),
        ("van-1", "leave", {}, None),
        ("van-2", "take", {}, "van-2"),
        ("van-2", "undo", {}, None),
        ("van-2", "take", {}, "van-2"),
        ("van-2", "give", {"had": "van-2", "to": "sam"}, "sam"),
        ("van-2", "undo", {}, "van-2"),
        ("sam", "give", {"had": "van-2", "to": "van-1"}, "van-1"),
        ("sam", "undo", {}, "van-2"),
    ]
    for login, act, who, expected in steps:
        assert group.turn(login, act, **{n: group.ids[v] for n, v in who.items()}) == 303
        assert group.holder() == expected, (login, act)


def test_nobody_changes_a_turn_that_is_not_theirs(group: Group) -> None:
    ids = group.ids
    assert group.turn("van-2", "take") == 409
    assert group.turn("van-2", "leave") == 409
    assert group.turn("van-2", "undo") == 409
    assert group.turn("van-2", "give", had=ids["van-1"], to=ids["van-2"]) == 400
    assert group.turn("van-1", "give", had=ids["van-1"], to="nobody") == 400
    assert group.turn("van-1", "leave") == 303
    assert group.turn("van-2", "undo") == 409  # another person's change
    assert group.turn("van-2", "take") == 303
    assert group.turn("sam", "take") == 409
    assert group.turn("van-1", "undo") == 409
    assert group.holder() == "van-2"


def test_a_turn_that_is_over_or_never_was_stays_as_it_is(group: Group) -> None:
    days = (group.tomorrow - timedelta(days=3), group.tomorrow - timedelta(days=60))
    for day in days:
        assert group.post("van-1", f"/rota/turns/{group.shift()}/{day}/leave") == 409
    assert group.post("van-1", f"/rota/turns/unknown/{group.tomorrow}/leave") == 409
    assert group.post("van-1", f"/rota/turns/{group.shift()}/9999-12-31/leave") == 400
    assert group.facts()[1:] == []


def test_a_turn_of_a_closed_account_is_anybodys(group: Group) -> None:
    people.set_disabled(group.scene.engine, group.ids["van-1"], group.scene.now)
    try:
        assert group.holder() is None
        group.enter("van-2")
        assert "Nobody yet" in group.get(f"/rota?week={group.tomorrow}")
        assert group.turn("van-2", "take") == 303
        assert group.holder() == "van-2"
    finally:
        people.set_disabled(group.scene.engine, group.ids["van-1"], None)
        group.sessions.pop("van-1", None)


def test_every_change_is_a_fact_with_ids_and_no_name(group: Group) -> None:
    ids, own = group.ids, group.shift()
    group.turn("van-1", "leave")
    group.turn("van-2", "take")
    group.turn("van-2", "undo")
    group.post("sam", f"/rota/shifts/{own}/end", until="2026-12-31")
    group.post("sam", f"/rota/shifts/{own}/remove")
    found = group.facts()
    day = {"shift": own, "day": str(group.tomorrow)}
    assert [body["op"] for body in found] == [
        "shift_added", "turn_passed", "turn_passed", "turn_passed_back", "shift_ended",
        "shift_removed",
    ]  # fmt: skip
    assert found[0]["person"] == ids["sam"]
    assert found[0]["of"] == ids["van-1"]
    assert found[1] == {"op": "turn_passed", "person": ids["van-1"], **day}
    assert found[2] == {"op": "turn_passed", "person": ids["van-2"], "to": ids["van-2"], **day}
    assert not re.search("Van|Sam", str(found))


def test_a_shift_is_ended_goes_on_and_is_removed_with_a_way_back(group: Group) -> None:
    own, last = group.shift(), group.tomorrow - timedelta(days=1)
    assert group.post("sam", f"/rota/shifts/{own}/end", until=str(last)) == 303
    assert group.holder() is None
    assert group.post("sam", f"/rota/shifts/{own}/end", until="") == 303
    assert group.holder() == "van-1"
    with group.scene.engine.connect() as connection:
        before = shift_of(connection.execute(sa.select(shift)).one())
    group.turn("van-1", "leave")
    answer = group.client.post(f"/rota/shifts/{own}/remove", data={"form": group.form})
    assert answer.status_code == 403  # van-1 is no coordinator
    group.enter("sam")
    answer = group.client.post(f"/rota/shifts/{own}/remove", data={"form": group.form})
    with group.scene.engine.connect() as connection:
        assert connection.execute(sa.select(shift.c.id)).all() == []
        assert connection.execute(sa.select(swap)).all() == []
    undo = answer.text.split('role="status"')[1].split("</form>")[0]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', undo)
    data = {name: [v for n, v in fields if n == name] for name, _ in fields if name != "form"}
    assert group.post("sam", "/rota/shifts", **data) == 303
    with group.scene.engine.connect() as connection:
        after = shift_of(connection.execute(sa.select(shift)).one())
    assert (after.person, after.weekdays, after.start, after.minutes, after.since, after.until,
            after.site) == (before.person, before.weekdays, before.start, before.minutes,
                            before.since, before.until, before.site)  # fmt: skip
    assert group.post("sam", f"/rota/shifts/{own}/remove") == 404
    assert group.post("sam", f"/rota/shifts/{own}/end") == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"person": "nobody"}, {"site": "nowhere"}, {"days": []}, {"days": ["7"]},
        {"start": "24:00"}, {"hours": "25"}, {"hours": "nan"}, {"until": "2020-01-01"},
        {"since": "soon"}, {"since": "9999-12-31"},
    ],
    ids=str,
)  # fmt: skip
def test_a_shift_that_makes_no_sense_is_refused(
    group: Group, wrong: dict[str, str | list[str]]
) -> None:
    assert group.post("sam", "/rota/shifts", **shift_form(group, **wrong)) == 400
    assert len(group.facts()) == 1


def test_only_coordinators_add_end_and_remove(group: Group) -> None:
    own = group.shift()
    for path in ("/rota/shifts", f"/rota/shifts/{own}/end", f"/rota/shifts/{own}/remove"):
        assert group.post("van-1", path, **shift_form(group)) == 403
    assert 'action="/rota/shifts' not in group.get("/rota")
    for path in ("/rota/link", "/rota/link/remove", f"/rota/turns/{own}/{group.tomorrow}/leave"):
        assert group.client.post(path).status_code == 403  # no form token
    group.client.cookies.clear()
    assert group.client.get("/rota").headers["location"] == "/sign-in?next=/rota"


def test_a_calendar_link_is_shown_once_renewed_and_removed(group: Group) -> None:
    group.enter("van-1")
    page = group.client.post("/rota/link", data={"form": group.form}).text
    (path,) = set(re.findall(r'href="(/rota/[\w-]{22,}\.ics)"', page))
    feed = group.client.get(path)
    assert feed.headers["content-type"] == "text/calendar; charset=utf-8"
    assert feed.headers["cache-control"] == "no-store"
    assert "SUMMARY:Shift of Van 1\\, canal" in feed.text
    assert "Canal" not in feed.text
    with group.scene.engine.connect() as connection:
        assert path[6:-4] not in str(connection.execute(sa.select(calendar_link)).all())
    assert path not in group.get("/rota")
    group.turn("van-1", "give", had=group.ids["van-1"], to=group.ids["van-2"])
    day = f"{group.tomorrow:%Y%m%d}T080000"
    assert day not in group.get(path)
    every = group.get(f"{path}?all=1")
    assert day in every
    assert "Van 2" not in every
    group.enter("van-1")
    group.client.post("/rota/link", data={"form": group.form})
    assert group.client.get(path).status_code == 404
    with group.scene.engine.connect() as connection:
        assert len(connection.execute(sa.select(calendar_link)).all()) == 1
    assert group.post("van-1", "/rota/link/remove") == 303
    assert "Make a link" in group.get("/rota")


def test_a_closed_account_has_no_calendar_and_no_log_has_its_token(
    group: Group, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    van = people.find(group.scene.engine, "van-2")
    secret = calendar_links.renew(group.scene.engine, van)
    assert group.client.get(f"/rota/{secret}.ics").status_code == 200
    monkeypatch.setattr(view, "read", lambda *_: 1 / 0)
    assert group.client.get(f"/rota/{secret}.ics").status_code == 500
    assert "GET /rota/{token}.ics failed" in caplog.text
    assert secret not in caplog.text
    monkeypatch.undo()
    people.set_disabled(group.scene.engine, van.id, group.scene.now)
    assert group.client.get(f"/rota/{secret}.ics").status_code == 404
    people.set_disabled(group.scene.engine, van.id, None)
    group.sessions.pop("van-2", None)


@pytest.mark.parametrize("week", ["soon", "1999-12-31", "9999-12-31", "0001-01-01"])
def test_a_week_that_is_none_is_an_error_page(group: Group, week: str) -> None:
    group.enter("van-1")
    assert group.client.get(f"/rota?week={week}").status_code == 400


def test_both_databases_keep_shifts_swaps_links_and_wishes(
    tmp_path: Path, each_database: None
) -> None:
    engine = database.opened(tmp_path)
    accounts.add_all(engine, 0.0)
    van, other = people.find(engine, "van-1"), people.find(engine, "van-2")
    day, now = date(2026, 11, 23), view.midnight(date(2026, 11, 23), PARIS)
    chosen = Wishes("fr", ("canal",), ("water", "sensor"), (1320, 0), 3)
    with engine.begin() as connection:
        new = Shift("s", van.id, frozenset({0, 3}), 480, 90, day, None, "canal")
        shifts.add(connection, new, van.id, now)
        assert shifts.pass_on(connection, "s", day, van.id, other.id, van.id, now, PARIS)
        assert not shifts.pass_on(connection, "s", day, van.id, None, van.id, now, PARIS)
        (turn,) = view.read(connection, now, now + 86400, PARIS).turns
        assert (turn.person, turn.start) == (other.id, now + 8 * 3600)
        assert shifts.undo(connection, "s", day, van.id, now, PARIS)
        assert not shifts.undo(connection, "s", day, van.id, now, PARIS)
        for until in (now + 60, now + 7200, None, now + 90):
            wishes.set_snooze(connection, van.id, "canal-1", until)
        for one in (Wishes("en"), chosen):
            wishes.save(connection, van.id, one)
        assert wishes.snoozed(connection, van.id, now) == {"canal-1": now + 90}
        assert wishes.of(connection, van.id, "en") == chosen
        assert shifts.remove(connection, "s", van.id, now) == new
    old, secret = (calendar_links.renew(engine, van) for _ in range(2))
    assert (calendar_links.find(engine, old), calendar_links.find(engine, secret)) == (None, van)
    engine.dispose()
