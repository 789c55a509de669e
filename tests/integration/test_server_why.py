"""The page *why this was said* and its API, through the real application with stored incidents."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gateway.domain.outputs import Because, TankEvent
from gateway.errors import StoreError
from gateway.stores.sqlite import SqliteStore
from server.app import create
from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = scenes.make(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with TestClient(create(scene.settings, scene.engine)) as running:
        signed = running.post("/api/v1/session", json={"login": "van-1", "password": PASSWORD})
        running.headers["Authorization"] = f"Bearer {signed.json()['token']}"
        yield running


def tell(scene: Scene) -> float:
    """A tank of Birches, first moved, then believed to be taken; returns when."""
    at = scene.now - 2000
    motion = Because("motion", 4.2, "measured", {"duration_s": 41.0})
    first = scenes.change(
        scene.now, "birchmoved", "unknown", at, tank="birches-1", probability=0.6,
        because=(motion,), causes=scenes.causes(unknown=0.6, seized=0.4),
    )  # fmt: skip
    tilt = Because("tilt", 4.9, "measured", {"tilt_deg": 64})
    scene.write(
        first,
        replace(
            first, change="updated", change_number=2, received=at + 90, kind="seized",
            probability=0.8, because=(motion, tilt), causes=scenes.causes(seized=0.8, unknown=0.2),
        ),
        TankEvent(at - 300, at - 299, "birches-1", "knock"),
        TankEvent(at - 60, at + 600, "birches-3", "draw", 64.0, 52.0, 71.0),
    )  # fmt: skip
    return at


def page(client: TestClient, incident: str, language: str = "en") -> str:
    answer = client.get(f"/incidents/{incident}/why", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.text.replace("\u00a0", " ")


def test_the_page_has_the_readings_the_terms_and_the_change_of_mind(
    client: TestClient, scene: Scene
) -> None:
    tell(scene)
    text = page(client, "birchmoved")
    assert "Said now: “May have been taken”, about 8 in 10, since" in text
    assert 'class="chart"' in text
    assert '<caption id="readings">Readings from shortly before it on.' in text
    assert text.count("7 of 7") == 7  # four before, three after
    assert "speaks strongly for “Taken away”" in text
    assert "Changed from “Moved, cause not known” to “May have been taken”" in text
    assert "New: Tilted 64° and stayed so." in text
    assert "Birches 3 fell too, 60 L (50–80)" in text
    assert "knock" in text
    assert "constat" not in text.lower()


def test_the_page_is_french_for_a_french_reader(client: TestClient, scene: Scene) -> None:
    tell(scene)
    text = page(client, "birchmoved", "fr")
    assert "Pourquoi cela a été dit" in text
    assert "plaide fortement pour « Enlevée »" in text
    assert "Birches 3 a baissé aussi, 60 L (50–80)" in text


@pytest.mark.parametrize("incident", ["canalcrit2", "orchardnet", "battbirch3", "birchlow11"])
def test_every_kind_has_such_a_page_that_the_incident_leads_to(
    client: TestClient, incident: str
) -> None:
    assert f'href="/incidents/{incident}/why"' in client.get(f"/incidents/{incident}").text
    assert "Why this was said" in page(client, incident)


def test_low_water_names_its_threshold_and_a_network_has_no_level(client: TestClient) -> None:
    low = page(client, "canalcrit2")
    assert "the level stayed under 150 L for two readings" in low
    assert "No reading came in this time." in low
    assert "A network has no level of its own" in page(client, "orchardnet")


def test_the_page_needs_a_person_and_an_incident(client: TestClient) -> None:
    assert client.get("/incidents/nope/why").status_code == 404
    assert client.get("/api/v1/incidents/nope/why").status_code == 404
    del client.headers["Authorization"]
    answer = client.get("/incidents/canalcrit2/why", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/incidents/canalcrit2/why"
    assert client.get("/api/v1/incidents/canalcrit2/why").status_code == 401


def test_the_api_gives_the_same(client: TestClient, scene: Scene) -> None:
    at = tell(scene)
    found = client.get("/api/v1/incidents/birchmoved/why").json()
    assert [(j["number"], j["kind"], j["leader"]) for j in found["judgements"]] == [
        (1, "unknown", "unknown"), (2, "seized", "seized"),
    ]  # fmt: skip
    assert [b["term"] for b in found["judgements"][1]["because"]] == ["motion", "tilt"]
    assert [e["kind"] for e in found["events"] if e["at"] == at - 300] == ["knock"]
    assert [(f["tank"], f["least_l"], f["most_l"]) for f in found["falls"]] == [
        ("birches-3", 52.0, 71.0)
    ]
    assert found["start"] == pytest.approx(at - 6 * 3600)
    assert {r["spread"] for r in found["readings"]} == {4}


def test_the_page_works_while_the_store_does_not(
    client: TestClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[object]:
        raise StoreError("down")

    monkeypatch.setattr(SqliteStore, "export", fail)
    tell(scene)
    assert "The store of past readings does not answer." in page(client, "birchmoved")
    assert client.get("/api/v1/incidents/birchmoved/why").json()["readings"] is None
