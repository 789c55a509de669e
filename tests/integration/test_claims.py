"""Claims: one person at a time, each act with a step and a fact."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.alerts import claims
from gateway.database.tables import fact, incident, incident_step
from gateway.domain.outputs import IncidentChange
from gateway.projections.watch.rows import OutputContext, write_output
from tests.parts import database

pytestmark = pytest.mark.usefixtures("each_database")

NOW = 1795212000.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = database.opened(tmp_path)
    low = IncidentChange(
        id="8f2k", change="opened", change_number=1, at=NOW, received=NOW, tank="canal-1",
        uplink=None, kind="low", probability=0.9, causes={}, because=(), auth="mac", alert=True,
    )  # fmt: skip
    with made.begin() as connection:
        write_output(connection, [low], [], OutputContext([], {}))
    yield made
    made.dispose()


def now_of(engine: sa.Engine) -> sa.Row[Any]:
    with engine.connect() as connection:
        return connection.execute(sa.select(incident)).one()


def steps(engine: sa.Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(incident_step).order_by(incident_step.c.id))
        return [(row.what, row.person) for row in rows]


def ops(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [f.body for f in connection.execute(sa.select(fact)) if f.kind == "op"]


def test_a_second_claim_is_refused_and_the_first_can_change_its_eta(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert claims.claim(connection, "8f2k", "van2", NOW + 1, eta=NOW + 900)
        assert not claims.claim(connection, "8f2k", "van3", NOW + 2)
        assert claims.claim(connection, "8f2k", "van2", NOW + 3, eta=NOW + 1200)
    found = now_of(engine)
    assert (found.claimed_by, found.claim_eta, found.claim_version) == ("van2", NOW + 1200, 2)
    assert ops(engine) == [
        {"incident": "8f2k", "op": "claim", "person": "van2", "eta": NOW + 900},
        {"incident": "8f2k", "op": "claim", "person": "van2", "eta": NOW + 1200},
    ]


def test_eight_claims_at_once_make_one(engine: sa.Engine) -> None:
    won: list[str] = []
    ready = threading.Barrier(8)

    def go(person: str) -> None:
        ready.wait()
        with engine.begin() as connection:
            if claims.claim(connection, "8f2k", person, NOW):
                won.append(person)

    people = [threading.Thread(target=go, args=(f"p{n}",)) for n in range(8)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    assert len(won) == 1
    assert now_of(engine).claimed_by == won[0]
    assert steps(engine) == [("opened", None), ("claimed", won[0])]


def test_only_the_claimant_reassigns_and_releases(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert claims.claim(connection, "8f2k", "van2", NOW)
        assert not claims.reassign(connection, "8f2k", "van3", "van4", NOW)
        assert claims.reassign(connection, "8f2k", "van2", "van3", NOW)
        assert not claims.release(connection, "8f2k", "van2", NOW)
        assert claims.release(connection, "8f2k", "van3", NOW)
        assert claims.claim(connection, "8f2k", "van2", NOW)
    assert [what for what, _ in steps(engine)] == [
        "opened", "claimed", "handed_over", "released", "claimed",
    ]  # fmt: skip


def test_a_closed_or_unknown_incident_does_not_change(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert claims.see(connection, "8f2k", "van2", NOW, seen="there")
        assert claims.close(connection, "8f2k", "van2", NOW + 5, why="refilled")
        assert not claims.close(connection, "8f2k", "van2", NOW + 6)
        assert not claims.claim(connection, "8f2k", "van3", NOW + 7)
        assert not claims.claim(connection, "nosuch", "van3", NOW + 7)
    found = now_of(engine)
    assert (found.closed, found.closed_why) == (NOW + 5, "refilled")
    assert [body["op"] for body in ops(engine)] == ["seen_there", "close"]


def test_every_act_raises_the_incidents_version(engine: sa.Engine) -> None:
    before = now_of(engine).version
    with engine.begin() as connection:
        claims.claim(connection, "8f2k", "van2", NOW)
    assert now_of(engine).version > before
