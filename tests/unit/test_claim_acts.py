"""Acts on an incident: what each changes, its step of history, its fact, and its conditions."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from gateway.alerts import claims
from gateway.database.tables import fact, incident, incident_step, metadata, tank_now

NOW = 1795267920.0
Act = Callable[[sa.Connection], bool]


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """A transaction on two open incidents, ``8f2k`` and ``other``."""
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine, tables=[fact, incident, incident_step, tank_now])
    row = {
        "version": 4, "change_number": 1, "kind": "low", "at": NOW, "opened": NOW, "updated": NOW,
        "probability": 0.9, "causes": {}, "because": [], "figures": {}, "auth": "mac",
        "claim_version": 0,
    }  # fmt: skip
    with engine.connect() as made:
        made.execute(sa.insert(incident), [row | {"id": "8f2k"}, row | {"id": "other"}])
        yield made
    engine.dispose()


def state(connection: sa.Connection, incident_id: str = "8f2k") -> dict[str, object]:
    """The columns that acts change."""
    query = sa.select(
        incident.c.claimed_by, incident.c.claimed_at, incident.c.claim_eta,
        incident.c.claim_version, incident.c.closed, incident.c.closed_why, incident.c.version,
    ).where(incident.c.id == incident_id)  # fmt: skip
    return dict(connection.execute(query).mappings().one())


UNTOUCHED = {
    "claimed_by": None, "claimed_at": None, "claim_eta": None, "claim_version": 0,
    "closed": None, "closed_why": None, "version": 4,
}  # fmt: skip


def claimed(connection: sa.Connection) -> None:
    assert claims.claim(connection, "8f2k", "van2", NOW, eta=NOW + 900)


ACTS: list[tuple[Act, str, str, dict[str, object], dict[str, object]]] = [
    # Act, operation, step, changed columns, data.
    (lambda c: claims.claim(c, "8f2k", "van2", NOW + 1, eta=NOW + 60), "claim", "claimed",
     {"claimed_by": "van2", "claimed_at": NOW + 1, "claim_eta": NOW + 60}, {"eta": NOW + 60}),
    (lambda c: claims.claim(c, "8f2k", "van2", NOW + 1), "claim", "claimed",
     {"claimed_by": "van2", "claimed_at": NOW + 1, "claim_eta": None}, {}),
    (lambda c: claims.reassign(c, "8f2k", "van2", "van3", NOW + 1), "hand_over", "handed_over",
     {"claimed_by": "van3", "claimed_at": NOW + 1, "claim_eta": None}, {"to": "van3"}),
    (lambda c: claims.release(c, "8f2k", "van2", NOW + 1), "release", "released",
     {"claimed_by": None, "claimed_at": None, "claim_eta": None}, {}),
    (lambda c: claims.close(c, "8f2k", "van2", NOW + 1), "close", "closed_by_person",
     {"closed": NOW + 1, "closed_why": "other"}, {"why": "other"}),
    (lambda c: claims.close(c, "8f2k", "van2", NOW + 1, "refilled"), "close", "closed_by_person",
     {"closed": NOW + 1, "closed_why": "refilled"}, {"why": "refilled"}),
    (lambda c: claims.close(c, "8f2k", "van2", NOW + 1, "found"), "close", "closed_by_person",
     {"closed": NOW + 1, "closed_why": "found"}, {"why": "found"}),
    (lambda c: claims.close(c, "8f2k", "van2", NOW + 1, "moved_by_us"), "moved_by_us",
     "closed_by_person", {"closed": NOW + 1, "closed_why": "moved_by_us"}, {"why": "moved_by_us"}),
    (lambda c: claims.see(c, "8f2k", "van2", NOW + 1), "seen_there", "seen", {}, {"seen": "there"}),
    (lambda c: claims.see(c, "8f2k", "van2", NOW + 1, "gone"), "seen", "seen", {},
     {"seen": "gone"}),
    (lambda c: claims.see(c, "8f2k", "van2", NOW + 1, "moved_by_us"), "moved_by_us", "seen", {},
     {"seen": "moved_by_us"}),
]  # fmt: skip


@pytest.mark.parametrize(("act", "op", "step", "changed", "data"), ACTS)
def test_an_act_changes_its_columns_and_adds_one_step_and_one_fact(
    connection: sa.Connection,
    act: Act, op: str, step: str, changed: dict[str, object], data: dict[str, object],
) -> None:  # fmt: skip
    claimed(connection)
    before = state(connection)
    assert before["version"] == 5
    assert act(connection) is True
    assert state(connection) == before | changed | {"claim_version": 2, "version": 6}
    assert state(connection, "other") == UNTOUCHED
    steps = connection.execute(sa.select(incident_step).order_by(incident_step.c.id)).all()
    assert [tuple(row)[1:] for row in steps] == [
        ("8f2k", NOW, "claimed", "van2", {"eta": NOW + 900}),
        ("8f2k", NOW + 1, step, "van2", data),
    ]
    facts = connection.execute(sa.select(fact).order_by(fact.c.id)).all()
    assert [row.key for row in facts] == ["op:8f2k:1", "op:8f2k:2"]
    last = facts[-1]
    assert (last.time, last.kind, last.subject, last.lines) == (NOW + 1, "op", "-", {})
    assert last.body == {"incident": "8f2k", "op": op, "person": "van2", **data}
    assert last.entry_id is None


REFUSED: list[tuple[str, Act]] = [
    ("claim of another", lambda c: claims.claim(c, "8f2k", "van3", NOW)),
    ("reassign by another", lambda c: claims.reassign(c, "8f2k", "van3", "van4", NOW)),
    ("claim of a third", lambda c: claims.claim(c, "8f2k", "van1", NOW)),
    ("reassign by a third", lambda c: claims.reassign(c, "8f2k", "van1", "van4", NOW)),
    ("release by a third", lambda c: claims.release(c, "8f2k", "van1", NOW)),
    ("reassign by the new one", lambda c: claims.reassign(c, "8f2k", "van3", "van3", NOW)),
    ("release by another", lambda c: claims.release(c, "8f2k", "van3", NOW)),
    ("nobody claimed it", lambda c: claims.release(c, "other", "van2", NOW)),
    ("nobody to reassign", lambda c: claims.reassign(c, "other", "van2", "van3", NOW)),
    ("unknown incident", lambda c: claims.close(c, "nosuch", "van2", NOW)),
    ("unknown incident seen", lambda c: claims.see(c, "nosuch", "van2", NOW)),
]


@pytest.mark.parametrize("act", [act for _, act in REFUSED], ids=[name for name, _ in REFUSED])
def test_an_act_without_its_condition_changes_nothing(connection: sa.Connection, act: Act) -> None:
    claimed(connection)
    before = state(connection)
    assert act(connection) is False
    assert state(connection) == before
    assert state(connection, "other") == UNTOUCHED
    for table in (incident_step, fact):
        assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 1


@pytest.mark.parametrize(
    "act", [row[0] for row in ACTS], ids=[f"{row[1]}-{i}" for i, row in enumerate(ACTS)]
)
def test_a_closed_incident_refuses_every_act(connection: sa.Connection, act: Act) -> None:
    claimed(connection)
    assert claims.close(connection, "8f2k", "van3", NOW)  # by anybody
    before = state(connection)
    assert act(connection) is False
    assert state(connection) == before


def test_anybody_may_report_and_a_released_incident_may_be_claimed(
    connection: sa.Connection,
) -> None:
    claimed(connection)
    assert claims.see(connection, "8f2k", "van3", NOW, "blocked")
    assert claims.release(connection, "8f2k", "van2", NOW)
    assert claims.claim(connection, "8f2k", "van3", NOW)
    assert state(connection)["claimed_by"] == "van3"
