"""The JSON API: the same as the pages, for programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from gateway.database.tables import fact
from server.accounts import people
from server.app import create
from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene

pytestmark = pytest.mark.usefixtures("each_database")

API = "/api/v1"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = scenes.make(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    """Signed in as Van 1 by bearer token."""
    with TestClient(create(scene.settings, scene.engine)) as running:
        running.headers["Authorization"] = f"Bearer {bearer(running, 'van-1')}"
        yield running


def bearer(client: TestClient, login: str) -> str:
    answer = client.post(f"{API}/session", json={"login": login, "password": PASSWORD})
    return answer.json()["token"]


def get(client: TestClient, path: str) -> Any:
    answer = client.get(API + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_all_tanks_with_their_age_and_state(client: TestClient, scene: Scene):
    answer = get(client, "/tanks")
    tanks = {tank["id"]: tank for tank in answer["tanks"]}
    assert answer["live"] is True
    assert len(tanks) == 12
    assert tanks["canal-1"]["state"] == "critical"
    assert tanks["canal-1"]["incidents"] == ["canalcrit2"]
    assert tanks["canal-1"]["at"] == pytest.approx(scene.now - 360)
    assert tanks["canal-2"]["low_at"]["lo"] < tanks["canal-2"]["low_at"]["hi"]


def test_a_level_that_is_not_seen_is_not_current(client: TestClient):
    orchard, taken = get(client, "/tanks/orchard-1"), get(client, "/tanks/birches-2")
    assert (orchard["state"], orchard["current"]) == ("unknown", False)
    assert taken["current"] is False


def test_a_series_is_within_its_range(client: TestClient, scene: Scene):
    start, end = scene.now - 7200, scene.now
    answer = get(client, f"/tanks/birches-1/series?from={start}&to={end}")
    times = [reading["at"] for reading in answer["readings"]]
    assert len(times) == 12
    assert times == sorted(times)
    assert start <= times[0]
    assert times[-1] <= end


@pytest.mark.parametrize("query", ["from=10&to=5", "from=0&to=9999999", "from=x"])
def test_an_invalid_range_is_refused(client: TestClient, query: str):
    assert client.get(f"{API}/tanks/birches-1/series?{query}").status_code == 422


def test_an_unknown_id_is_404(client: TestClient):
    for path in ("/tanks/nope", "/tanks/nope/series", "/incidents/nope"):
        assert client.get(API + path).status_code == 404


def test_an_incident_has_its_causes_and_evidence(client: TestClient):
    incident = get(client, "/incidents/birchtaken")
    assert incident["kind"] == "seized"
    assert sum(incident["causes"].values()) == pytest.approx(1.0)
    assert {b["basis"] for b in incident["because"]} == {"measured", "inferred"}
    assert [step["what"] for step in incident["steps"]] == ["opened"]


def test_a_second_claim_is_refused_with_the_claimants_name(client: TestClient, scene: Scene):
    answer = client.post(f"{API}/incidents/canalcrit2/claim", json={"minutes": 20})
    assert answer.json()["claimed_by"] == "Van 1"
    assert answer.json()["mine"] is True
    assert answer.json()["claim_eta"] == pytest.approx(scene.now + 1200, abs=30)
    other = {"Authorization": f"Bearer {bearer(client, 'van-2')}"}
    refused = client.post(f"{API}/incidents/canalcrit2/claim", headers=other)
    assert refused.status_code == 409
    assert "Van 1" in refused.json()["detail"]


def test_a_claim_is_handed_over_and_only_its_owner_releases_it(client: TestClient, scene: Scene):
    client.post(f"{API}/incidents/canalcrit2/claim")
    to = people.find(scene.engine, "van-2").id
    handed = client.post(f"{API}/incidents/canalcrit2/hand-over", json={"to": to})
    assert handed.json()["claimed_by"] == "Van 2"
    assert client.post(f"{API}/incidents/canalcrit2/release").status_code == 409
    nobody = client.post(f"{API}/incidents/canalcrit2/hand-over", json={"to": "nobody"})
    assert nobody.status_code == 422


def test_closing_is_once_and_becomes_a_fact_without_a_name(client: TestClient, scene: Scene):
    asked = client.post(f"{API}/incidents/birchtaken/close", json={"why": "moved_by_us"})
    assert (asked.status_code, asked.json()["closed"]) == (202, None)
    other = {"Authorization": f"Bearer {bearer(client, 'van-2')}"}
    closed = client.post(f"{API}/incidents/birchtaken/agree", headers=other)
    assert (closed.status_code, closed.json()["closed_why"]) == (200, "moved_by_us")
    assert client.post(f"{API}/incidents/birchtaken/close").status_code == 409
    with scene.engine.connect() as connection:
        facts = connection.execute(sa.select(fact.c.body).where(fact.c.kind == "op")).scalars()
        bodies = [body for body in facts if body["incident"] == "birchtaken"]
    assert [body["op"] for body in bodies] == ["close_asked", "moved_by_us"]
    assert "Van" not in str(bodies)


def test_a_cookie_needs_the_form_token_and_a_bearer_does_not(client: TestClient):
    session = client.headers.pop("Authorization").split()[1]
    client.cookies.set("noria-session", session)
    assert client.post(f"{API}/incidents/canalcrit2/claim").status_code == 403
    token = get(client, "/me")["form_token"]
    headers = {"X-Form-Token": token}
    assert client.post(f"{API}/incidents/canalcrit2/claim", headers=headers).status_code == 200


def test_a_wrong_bearer_is_401_and_a_wrong_password_403(client: TestClient):
    headers = {"Authorization": "Bearer " + "x" * 43}
    assert client.get(f"{API}/tanks", headers=headers).status_code == 401
    wrong = client.post(f"{API}/session", json={"login": "van-1", "password": "wrong-password"})
    assert wrong.status_code == 403


def test_the_openapi_description_lists_every_path_with_its_answer(client: TestClient):
    described = client.get(f"{API}/openapi.json").json()
    assert set(described["paths"]) == {
        f"{API}{path}"
        for path in (
            "/session", "/me", "/tanks", "/tanks/{tank}", "/tanks/{tank}/series", "/incidents",
            "/incidents/{incident}", "/incidents/{incident}/why", "/incidents/{incident}/claim",
            "/incidents/{incident}/hand-over", "/incidents/{incident}/release",
            "/incidents/{incident}/close", "/incidents/{incident}/agree",
            "/incidents/{incident}/keep-open",
        )
    }  # fmt: skip
    for path in described["paths"].values():
        for operation in path.values():
            assert "$ref" in str(operation["responses"]["200"])


def test_a_person_may_not_read_the_names_of_people_by_the_api(client: TestClient):
    assert client.get(f"{API}/people").status_code == 404
