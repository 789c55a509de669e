"""Closing a theft by the API: one asks, another agrees or refuses, a coordinator may alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from gateway.database.tables import fact, incident
from server.app import create
from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene

pytestmark = pytest.mark.usefixtures("each_database")

API, THEFT, WATER = "/api/v1", "birchtaken", "canalcrit2"
Act = Callable[..., httpx.Response]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = scenes.make(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def act(scene: Scene) -> Iterator[Act]:
    """``act(login, act, incident, **fields)``: the answer to one person's act."""
    with TestClient(create(scene.settings, scene.engine)) as running:
        tokens: dict[str, str] = {}

        def run(login: str, name: str, of: str = THEFT, **fields: Any) -> httpx.Response:
            if login not in tokens:
                given = {"login": login, "password": PASSWORD}
                tokens[login] = running.post(f"{API}/session", json=given).json()["token"]
            return running.post(
                f"{API}/incidents/{of}/{name}", json=fields or None,
                headers={"Authorization": f"Bearer {tokens[login]}"},
            )  # fmt: skip

        yield run


def ops(scene: Scene) -> list[str]:
    with scene.engine.connect() as connection:
        query = sa.select(fact.c.body).where(fact.c.kind == "op").order_by(fact.c.id)
        bodies = connection.execute(query).scalars()
        return [body["op"] for body in bodies if body["incident"] == THEFT]


def change(scene: Scene, **columns: Any) -> None:
    with scene.engine.begin() as connection:
        connection.execute(sa.update(incident).where(incident.c.id == THEFT).values(**columns))


@pytest.mark.parametrize(
    "why", ["moved_by_us", "mistaken", "found", "repaired", "refilled", "other"]
)
def test_no_volunteer_ends_a_theft_alone_whatever_the_reason(
    act: Act, scene: Scene, why: str
) -> None:
    answer = act("van-1", "close", why=why)
    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["closed"], asked["closing"]["why"]) == (None, why)
    assert (asked["closing"]["by"], asked["closing"]["mine"]) == ("Van 1", True)
    assert asked["closing"]["until"] == asked["closing"]["at"] + 3600
    for name in ("close", "agree"):  # the same phone once more
        again = act("van-1", name)
        assert (again.status_code, again.json()["closed"]) == (202, None)
        assert again.json()["closing"]["at"] == asked["closing"]["at"]
    assert ops(scene) == ["close_asked"]


@pytest.mark.parametrize(("login", "name"), [("van-2", "agree"), ("van-2", "close"),
                                             ("sam", "agree"), ("sam", "close")])  # fmt: skip
def test_a_second_person_or_a_coordinator_closes_it(
    act: Act, scene: Scene, login: str, name: str
) -> None:
    act("van-1", "close", why="moved_by_us")
    fields = {"why": "moved_by_us"} if name == "close" else {}
    answer = act(login, name, **fields)
    assert (answer.status_code, answer.json()["closed_why"]) == (200, "moved_by_us")
    assert answer.json()["closing"] is None
    assert ops(scene) == ["close_asked", "moved_by_us"]


def test_a_coordinator_needs_nobody(act: Act, scene: Scene) -> None:
    assert act("sam", "close", why="moved_by_us").status_code == 200
    assert ops(scene) == ["moved_by_us"]


def test_what_is_no_theft_is_closed_by_one_person(act: Act, scene: Scene) -> None:
    answer = act("van-1", "close", WATER, why="refilled")
    assert (answer.status_code, answer.json()["closed_why"]) == (200, "refilled")


def test_an_hour_later_nobody_can_agree_and_it_may_be_asked_again(act: Act, scene: Scene) -> None:
    act("van-1", "close", why="moved_by_us")
    change(scene, closing_at=scene.now - 3601)
    assert act("van-2", "agree").status_code == 409
    again = act("van-2", "close", why="moved_by_us")
    assert (again.status_code, again.json()["closing"]["by"]) == (202, "Van 2")


def test_nobody_agrees_to_what_newer_evidence_contradicts(act: Act, scene: Scene) -> None:
    at = act("van-1", "close", why="moved_by_us").json()["closing"]["at"]
    change(scene, figures={"closing_ended_at": at - 1})
    assert act("van-1", "agree").json()["closing"] is not None
    change(scene, figures={"closing_ended_at": at + 1})
    answer = act("van-2", "agree")
    assert (answer.status_code, ops(scene)) == (409, ["close_asked"])


@pytest.mark.parametrize("login", ["van-1", "van-2"])
def test_a_request_is_withdrawn_or_refused(act: Act, scene: Scene, login: str) -> None:
    assert act("van-2", "keep-open").status_code == 409
    act("van-1", "close", why="moved_by_us")
    answer = act(login, "keep-open")
    assert (answer.status_code, answer.json()["closing"]) == (200, None)
    assert ops(scene) == ["close_asked", "keep_open"]
    assert act("van-2", "agree").status_code == 409


def test_only_its_claimant_closes_what_a_coordinator_holds(act: Act, scene: Scene) -> None:
    for of in (THEFT, WATER):
        assert act("sam", "claim", of).status_code == 200
        refused = act("van-1", "close", of, why="other")
        assert (refused.status_code, "Sam" in refused.json()["detail"]) == (403, True)
        assert act("sam", "close", of, why="other").status_code == 200


def test_a_claim_of_a_volunteer_keeps_nobody_from_closing(act: Act, scene: Scene) -> None:
    act("van-2", "claim", WATER)
    assert act("van-1", "close", WATER, why="refilled").status_code == 200


def test_a_coordinator_takes_a_claim_over_and_a_volunteer_does_not(act: Act, scene: Scene) -> None:
    act("van-2", "claim")
    with scene.engine.connect() as connection:
        names = dict(
            connection.execute(sa.text("SELECT login, id FROM account")).tuples().fetchall()
        )
    assert act("van-1", "hand-over", to=names["van-2"]).status_code == 409
    taken = act("sam", "hand-over", to=names["sam"])
    assert (taken.status_code, taken.json()["mine"]) == (200, True)
