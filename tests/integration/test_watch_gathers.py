"""Outputs collected before a save: an alert does not wait, and a kill loses nothing."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from gateway.database.tables import incident_step, outbox, tank_now
from gateway.domain.entry import Entry
from tests.integration.signing_device import T0, distance
from tests.integration.watched import Scene

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.gateway.close()


def _in_pairs(scene: Scene, after: int = 0) -> Iterator[list[Entry]]:
    """The entries behind ``after``, two at a time, as a busy runner passes them."""
    with closing(scene.gateway.reader()) as journal:
        while pair := journal.entries(after, 2):
            yield pair
            after = pair[-1].id


def test_an_alert_is_saved_at_once_and_other_outputs_together(scene: Scene) -> None:
    scene.sinks()
    scene.restart(gather_s=3600.0)
    moved: list[int] = []
    for pair in _in_pairs(scene):
        before = scene.cursor()
        scene.watch.apply(pair)
        moved += [pair[-1].id] if scene.cursor() != before else []
    alerts = [m.made for m in scene.rows(outbox) if m.channel == "log"]
    with closing(scene.gateway.reader()) as journal:
        decisive = [
            e.id for e in journal.entries(0, 1000) if e.kind == "msg" and e.received in alerts
        ]
    first, *later = moved
    assert first == 2  # nothing was saved for long
    assert later == [last for last in range(2, 100, 2) if {last - 1, last} & set(decisive)]
    assert len(later) == len(alerts) > 0


def test_waiting_outputs_are_saved_when_no_entry_follows(scene: Scene) -> None:
    scene.gateway.receive(scene.node.send(T0, distance(430)))
    scene.restart(gather_s=0.2)
    pairs = list(_in_pairs(scene))
    for pair in pairs:
        scene.watch.apply(pair)
    assert scene.cursor() < pairs[-1][-1].id
    due = scene.watch.idle(T0 + 10.0)
    assert due is not None and T0 + 10.0 < due <= T0 + 10.2
    time.sleep(0.2)
    scene.watch.idle(T0 + 10.2)
    assert scene.cursor() == pairs[-1][-1].id
    assert [row.value["state"] for row in scene.rows(tank_now)] == ["ok"]


def test_a_kill_with_unsaved_outputs_loses_and_repeats_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    scene.sinks()
    scene.catch_up()
    (tmp_path / "again").mkdir()
    again = Scene(tmp_path / "again")
    again.sinks()
    for lived in range(1, 30):  # pairs that each process applies
        again.restart(gather_s=3600.0)
        for pair in islice(_in_pairs(again, again.cursor()), lived):
            again.watch.apply(pair)
    with closing(again.gateway.reader()) as journal:
        assert again.cursor() == journal.last_id()

    def outputs(of: Scene) -> list[tuple[object, ...]]:
        steps = [(s.incident, s.time, s.what, s.data) for s in of.rows(incident_step)]
        return [*steps, *((m.incident, m.change_number, m.made) for m in of.rows(outbox))]

    assert outputs(again) == outputs(scene)
    again.gateway.close()
