"""The watch's projection over a real journal and database: all or nothing, and never twice."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gateway.alerts import claims
from gateway.database.tables import (
    fact,
    incident,
    incident_step,
    judgement,
    outbox,
    tank_event,
    tank_now,
)
from gateway.domain import envelope
from gateway.domain.outputs import Because, IncidentChange, TankEvent
from gateway.domain.registry import Device, Registry
from gateway.projections import cursor
from gateway.projections.watch import projection, rebuild, rows
from gateway.projections.watch.rows import OutputContext
from server.views import events
from tests.integration.signing_device import KEY, T0, SigningDevice, distance
from tests.integration.watched import CHANNELS, Scene

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.gateway.close()


def test_a_falling_tank_becomes_incident_history_leaf_and_a_message_for_each_channel(
    scene: Scene,
) -> None:
    notified = scene.wakeup.count
    scene.sinks()
    scene.catch_up()
    (found,) = scene.rows(incident)
    assert (found.kind, found.tank, found.closed, found.claimed_by) == (
        "low",
        "north-1",
        None,
        None,
    )
    assert found.figures["volume_l"] == pytest.approx(250, abs=60)
    messages = scene.rows(outbox)
    assert [m.channel for m in messages] == list(CHANNELS)
    assert all(m.incident == found.id and m.change_number == 1 for m in messages)
    assert next(s.what for s in scene.rows(incident_step)) == "opened"
    leaf = next(f for f in scene.rows(fact) if f.kind == "inc")
    assert leaf.key == f"inc:{found.id}:1"
    assert leaf.subject not in ("north-1", "-")
    assert "north-1" not in str(leaf.body)
    (now,) = scene.rows(tank_now)
    assert (now.tank, now.value["state"]) == ("north-1", "low")
    assert scene.wakeup.count > notified


def test_one_batch_or_many_and_a_restart_between_give_the_same(
    scene: Scene, tmp_path: Path
) -> None:
    scene.sinks()
    scene.catch_up()
    at_once = [(i.id, i.kind, i.change_number, i.figures) for i in scene.rows(incident)]
    (tmp_path / "again").mkdir()
    again = Scene(tmp_path / "again")
    again.sinks()
    with closing(again.gateway.reader()) as journal:
        for entry in journal.entries(0, 1000):
            again.restart()
            again.watch.apply([entry])
    assert [(i.id, i.kind, i.change_number, i.figures) for i in again.rows(incident)] == at_once
    assert len(again.rows(outbox)) == len(CHANNELS)
    again.gateway.close()


def test_what_cannot_be_saved_whole_is_not_saved_at_all(scene: Scene) -> None:
    scene.sinks()
    with scene.engine.begin() as connection:  # the second channel's message will be refused
        connection.execute(sa.text("CREATE UNIQUE INDEX refuse ON outbox (attempts)"))
    with pytest.raises(IntegrityError):
        scene.catch_up()
    assert (scene.rows(incident), scene.rows(tank_now), scene.rows(outbox)) == ([], [], [])
    with scene.engine.begin() as connection:
        connection.execute(sa.text("DROP INDEX refuse"))
    scene.watch.restore()
    scene.catch_up()
    assert len(scene.rows(incident)) == 1
    assert len(scene.rows(outbox)) == len(CHANNELS)


def test_a_rebuild_repeats_no_message_and_no_leaf_and_keeps_the_claim(scene: Scene) -> None:
    scene.sinks()
    scene.catch_up()
    (before,) = scene.rows(incident)
    with scene.engine.begin() as connection:
        assert claims.claim(connection, before.id, "p7", T0 + 9000.0, eta=T0 + 9900.0)
    judgements = scene.rows(judgement)
    assert next((j.incident, j.number, j.change) for j in judgements) == (before.id, 1, "opened")
    messages, leaves = scene.rows(outbox), [f.key for f in scene.rows(fact)]
    with scene.engine.begin() as connection:
        rebuild.reset(connection, T0 + 10_000.0)
    assert scene.rows(incident)[0].closed_why == "rebuilt"
    scene.restart()
    scene.catch_up()
    (after,) = scene.rows(incident)
    assert (after.id, after.kind, after.closed, after.closed_why) == (
        before.id, before.kind, None, None,
    )  # fmt: skip
    assert (after.claimed_by, after.claim_eta) == ("p7", T0 + 9900.0)
    assert scene.rows(outbox) == messages
    assert [f.key for f in scene.rows(fact)] == leaves
    assert scene.rows(judgement) == judgements
    whats = sorted(s.what for s in scene.rows(incident_step))
    assert whats.count("opened") == 1
    assert whats.count("claimed") == 1


def test_an_incident_closed_by_a_person_stays_closed_in_the_watch(scene: Scene) -> None:
    scene.sinks()
    scene.catch_up()
    (found,) = scene.rows(incident)
    with scene.engine.begin() as connection:
        assert claims.close(connection, found.id, "p7", T0 + 9000.0, why="mistaken")
    scene.journal_facts()
    scene.gateway.receive(scene.node.send(T0 + 9600, distance(830)))
    scene.catch_up()
    (after,) = scene.rows(incident)
    assert (after.closed, after.closed_why) == (T0 + 9000.0, "mistaken")
    assert len(scene.rows(outbox)) == len(CHANNELS)


def test_silence_is_judged_while_we_listen_and_not_across_our_own_downtime(scene: Scene) -> None:
    scene.gateway.receive(scene.node.send(T0, distance(430)))
    scene.catch_up()
    scene.restart(
        born=T0 + 50_000.0
    )  # killed, and started much later: its start entry is not applied yet
    assert scene.watch.idle(T0 + 50_000.0) is None
    assert scene.rows(incident) == []
    scene.listen(T0 + 50_001.0)
    scene.catch_up()
    due = scene.watch.idle(T0 + 50_002.0)
    assert due is not None
    assert scene.rows(incident) == []
    while due is not None and due < T0 + 200_000.0:
        due = scene.watch.idle(due)
    (found,) = scene.rows(incident)
    assert found.kind == "silent"
    assert found.opened > T0 + 50_000.0 + 2 * 900


def test_the_first_message_of_a_new_device_counts(scene: Scene) -> None:
    other = Device("abcdef", "north-2", key=KEY[::-1])
    scene.gateway.register(Registry(devices={"abcdef": (other,)}), T0 + 1.0)
    node = SigningDevice(device="abcdef")
    arrival = node.send(T0 + 5, distance(430))
    sealed = arrival.payload.split(b"\n")[0]
    signed = envelope.seal(other.key or b"", arrival.topic, sealed)
    scene.gateway.receive(arrival._replace(payload=signed))
    scene.catch_up()
    assert [row.tank for row in scene.rows(tank_now) if row.value["state"] == "ok"] == ["north-2"]


def _saves(scene: Scene, monkeypatch: pytest.MonkeyPatch, a_look_s: float) -> list[int]:
    """Where the cursor was saved, on the way, when each look at the clock takes ``a_look_s``."""
    saved: list[int] = []
    keep, clock = cursor.save, count()

    def save(connection: sa.Connection, name: str, entry_id: int) -> None:
        saved.append(entry_id)
        keep(connection, name, entry_id)

    monkeypatch.setattr(cursor, "save", save)
    monkeypatch.setattr(projection, "monotonic", lambda: next(clock) * a_look_s)
    scene.catch_up()
    return saved


def test_an_alert_in_a_long_batch_is_saved_before_the_rest_of_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.sinks()
    for step in range(100):
        scene.gateway.receive(scene.node.send(T0 + 10_200 + 600 * step, distance(905 + step % 9)))
    saved = _saves(scene, monkeypatch, a_look_s=1.0)
    (alert,) = (m for m in scene.rows(outbox) if m.channel == "log" and m.change_number == 1)
    with closing(scene.gateway.reader()) as journal:
        entries = journal.entries(0, 1000)
    decisive = next(e.id for e in entries if e.kind == "msg" and e.received == alert.made)
    assert saved == [decisive, entries[-1].id]


def test_a_batch_that_is_quick_is_saved_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.sinks()
    (saved,) = _saves(scene, monkeypatch, a_look_s=0.0)
    assert saved == scene.cursor()
    assert len(scene.rows(incident)) == 1


def test_every_judgement_is_kept_and_of_very_many_the_first_and_the_newest(scene: Scene) -> None:
    because = (Because("motion", 1.2, "measured", {"duration_s": 41.0}),)
    opened = IncidentChange(
        "aaaaaaaaaa", "opened", 1, T0, T0 + 5.0, "north-1", None, "unknown", 0.6,
        {"unknown": 0.6, "seized": 0.4}, because, "mac", False,
    )  # fmt: skip
    many = rows.JUDGEMENTS_KEPT + 3
    with scene.engine.begin() as connection:
        for number in range(1, many + 1):
            change = replace(opened, change="updated" if number > 1 else "opened",
                             change_number=number, received=T0 + number)  # fmt: skip
            rows.write_output(connection, [change, change], [], OutputContext((), {}))
            if number == rows.JUDGEMENTS_KEPT:
                assert len(connection.execute(sa.select(judgement)).all()) == number
    kept = scene.rows(judgement)
    assert len(kept) == rows.JUDGEMENTS_KEPT
    assert sorted(j.number for j in kept) == [1, *range(5, many + 1)]
    (first,) = (j for j in kept if j.number == 1)
    assert (first.time, first.change, first.causes) == (T0 + 1, "opened", dict(opened.causes))
    assert first.because == [
        {"term": "motion", "weight": 1.2, "basis": "measured", "values": {"duration_s": 41.0}}
    ]


def test_the_bounds_of_an_event_are_stored(scene: Scene) -> None:
    event = TankEvent(T0, T0 + 60.0, "north-1", "refill", 340.0, 310.0, 370.0)
    with scene.engine.begin() as connection:
        rows.write_output(connection, [event], [], OutputContext((), {}))
        (found,) = events.of_tank(connection, "north-1", T0)
    assert found == event
    (row,) = scene.rows(tank_event)
    assert (row.litres, row.least_l, row.most_l) == (340.0, 310.0, 370.0)
