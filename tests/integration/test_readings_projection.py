"""The readings' projection over the real journal, registry and SQLite store."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.inputs import Reading
from gateway.domain.registry import Install, Registry
from gateway.errors import StoreError
from gateway.journal.messages import Arrival
from gateway.projections import cursor
from gateway.projections.readings.projection import ReadingsProjection
from gateway.stores.sqlite import SqliteStore
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance, registry

pytestmark = pytest.mark.usefixtures("each_database")

EXAMPLES = int(os.environ.get("NORIA_EXAMPLES", "15"))
"""Generated histories with a crash, on each database."""


class Scene:
    """A gateway's files and the projection. ``restart`` simulates a new process."""

    def __init__(self, folder: Path) -> None:
        self.gateway = Gateway(folder)
        self.store = SqliteStore(folder / "readings.db")
        self.restart()

    def restart(self) -> None:
        self.readings = ReadingsProjection(self.store, self.gateway.reader, self.gateway.engine)
        self.readings.restore()

    def cursor(self) -> int:
        with self.gateway.engine.connect() as connection:
            return cursor.load(connection, "store")

    def catch_up(self, batch: int = 1000) -> None:
        with closing(self.gateway.reader()) as journal:
            while entries := journal.entries(self.cursor(), batch):
                self.readings.apply(entries)

    def rows(self) -> list[Reading]:
        return list(self.store.export())

    def ats(self) -> list[float]:
        return [row.at for row in self.rows()]

    def close(self) -> None:
        self.store.close()
        self.gateway.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_a_message_becomes_its_readings_in_litres_at_event_time(scene: Scene) -> None:
    node = SigningDevice()
    scene.gateway.receive(node.send(T0 + 600, distance(412, o=600), distance(431), boot=1))
    scene.catch_up()
    first, second = scene.rows()
    assert (first.tank, first.at, first.received, first.i) == ("north-1", T0, T0 + 602.0, 0)
    assert (second.at, second.i, second.value, second.spread) == (T0 + 600, 1, 431, 4)
    assert first.volume_l == pytest.approx((1100 - 412) * 1.07, rel=0.03)
    assert first.volume_l is not None and second.volume_l is not None
    assert first.volume_l > second.volume_l


def test_a_burst_without_echo_is_stored_without_litres(scene: Scene) -> None:
    scene.gateway.receive(SigningDevice().send(T0, distance(None)))
    scene.catch_up()
    (row,) = scene.rows()
    assert (row.value, row.volume_l, row.fault) == (None, None, "no_echo")


def test_a_fork_has_no_reading(scene: Scene) -> None:
    node, twin = SigningDevice(), SigningDevice()
    scene.gateway.receive(node.send(T0, distance(400)), twin.send(T0, distance(900)))
    scene.catch_up()
    assert [row.value for row in scene.rows()] == [400]


def test_a_malformed_message_is_skipped(scene: Scene) -> None:
    node = SigningDevice()
    scene.gateway.receive(node.send(T0, r="none"), node.send(T0 + 60, distance(400)))
    scene.catch_up()
    assert scene.ats() == [T0 + 60]


def test_a_clock_that_is_set_later_moves_every_row_of_its_boot(scene: Scene) -> None:
    node = SigningDevice()
    lost = [node.send(T0 + 60 * n, distance(400 + n), clock=False) for n in range(3)]
    # They were queued at the broker for an hour: by receipt alone they would be an hour late.
    scene.gateway.receive(*(arrival._replace(received=T0 + 3600.0) for arrival in lost))
    scene.catch_up()
    assert scene.rows()[-1].estimated
    assert scene.ats()[-1] > T0 + 3400
    scene.restart()
    scene.gateway.receive(node.send(T0 + 3700, distance(410)))
    scene.catch_up()
    assert scene.ats() == [T0, T0 + 60, T0 + 120, T0 + 3700]
    assert list(scene.store.export("north-1"))[-1].value == 410


def test_a_recalibration_recomputes_litres_and_keeps_raw_values(scene: Scene) -> None:
    scene.gateway.receive(*(SigningDevice().send(T0, distance(400)), *_more(5)))
    scene.catch_up()
    before = scene.rows()
    scene.restart()
    install = Install("k7f3q5", "north-1", T0 + 150.0, sensor_height_mm=1200)
    first = Install("k7f3q5", "north-1", 0.0, sensor_height_mm=1100)
    scene.gateway.register(Registry(installs={"k7f3q5": (first, install)}), T0 + 900.0)
    scene.gateway.receive(_last(6))
    scene.catch_up()
    after = scene.rows()
    assert [row.value for row in after[: len(before)]] == [row.value for row in before]
    for old, new in zip(before, after, strict=False):
        assert old.volume_l is not None and new.volume_l is not None
        raised = pytest.approx(old.volume_l + 107, abs=3)
        assert new.volume_l == (raised if new.at >= T0 + 150 else old.volume_l)


def test_a_corrected_install_moves_past_readings_to_the_other_tank(scene: Scene) -> None:
    scene.gateway.receive(*_more(4))
    scene.catch_up()
    rows = (Install("k7f3q5", "north-2", T0 + 120.0), Install("k7f3q5", "north-1", 0.0))
    scene.gateway.register(Registry(installs={"k7f3q5": tuple(reversed(rows))}), T0 + 900.0)
    scene.gateway.receive(_last(5))
    scene.catch_up()
    assert [(row.tank, row.at - T0) for row in scene.rows()] == [
        ("north-1", 60), ("north-2", 120), ("north-2", 180), ("north-2", 240), ("north-2", 300),
    ]  # fmt: skip


def test_a_new_threshold_changes_no_row(scene: Scene) -> None:
    scene.gateway.receive(*_more(4))
    scene.catch_up()
    scene.gateway.register(registry(low_pct=40.0), T0 + 900.0)
    scene.readings.rows_written = 0
    scene.gateway.receive(_last(5))
    scene.catch_up()
    assert scene.readings.rows_written == 1


def test_no_row_of_a_crashed_attempt_remains_elsewhere(scene: Scene) -> None:
    node = SigningDevice()
    lost = [node.send(T0 + 60 * n, distance(400 + n), clock=False) for n in range(2)]
    scene.gateway.receive(*(arrival._replace(received=T0 + 3600.0) for arrival in lost))
    _crash_before_the_cursor_is_saved(scene, batch=1000, after=0)
    assert scene.ats() == [T0 + 3540, T0 + 3600]
    scene.gateway.receive(node.send(T0 + 3700, distance(410)))  # comes with them, and moves them
    scene.catch_up()
    assert scene.ats() == [T0, T0 + 60, T0 + 3700]


def test_a_calibration_after_a_crash_leaves_no_stale_row(scene: Scene) -> None:
    scene.gateway.receive(*_more(3))
    _crash_before_the_cursor_is_saved(scene, batch=1000, after=0)
    moved = (Install("k7f3q5", "north-2", 0.0),)
    scene.gateway.register(Registry(installs={"k7f3q5": moved}), T0 + 900.0)
    scene.gateway.receive(_last(4))
    scene.catch_up(batch=2)
    assert [(row.tank, row.value) for row in scene.rows()] == [
        ("north-2", value) for value in (401, 402, 403, 404)
    ]


def test_the_cursor_is_saved_only_after_the_rows_are_durable(scene: Scene) -> None:
    scene.gateway.receive(*_more(7))
    cursors: list[int] = []
    write = scene.store.write

    def fail_third(readings: Sequence[Reading]) -> None:
        cursors.append(scene.cursor())
        if len(cursors) == 3:
            raise StoreError("the server is away")
        write(readings)

    scene.store.write = fail_third  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="away"):
        scene.catch_up(batch=2)
    safe = scene.cursor()
    assert cursors == sorted(cursors)
    stored = [row.value for row in scene.rows()]
    assert stored == list(range(401, 401 + len(stored))) and len(stored) < 7
    scene.store.write = write  # type: ignore[method-assign]
    scene.restart()
    scene.catch_up()
    assert [row.value for row in scene.rows()] == list(range(401, 408))
    assert cursors[0] < cursors[2] <= safe < scene.cursor()


def test_an_unreadable_entry_fails_its_batch_whole(scene: Scene) -> None:
    scene.gateway.receive(*_more(3))
    with closing(scene.gateway.reader()) as journal:
        entries = journal.entries(0, 100)
    poison = entries[-1]._replace(body=None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        scene.readings.apply([*entries[:-1], poison])
    assert scene.cursor() == 0
    assert scene.rows() == []


def _more(count: int) -> list[Arrival]:
    node = SigningDevice()
    return [node.send(T0 + 60 * n, distance(400 + n)) for n in range(1, count + 1)]


def _last(count: int) -> Arrival:
    return _more(count)[-1]


@st.composite
def histories(draw: st.DrawFn) -> list[Arrival]:
    """Some boots of a node with and without a clock, delayed at the broker."""
    node, at, arrivals = SigningDevice(), T0, list[Arrival]()
    received = float(T0)
    for n in range(draw(st.integers(3, 14))):
        at += draw(st.integers(1, 900))
        if n and draw(st.integers(0, 3)) == 0:
            node.reboot(at)
        arrival = node.send(at, distance(400 + n), distance(500, o=5), clock=draw(st.booleans()))
        received = max(received, at + draw(st.sampled_from([0.25, 2.0, 700.0, 5000.0])))
        arrivals.append(arrival._replace(received=received))
    return arrivals


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    arrivals=histories(),
    batch=st.integers(1, 8),
    crash=st.integers(0, 6),
    again=st.integers(1, 8),
)
def test_batches_and_crashes_do_not_change_what_is_stored(
    arrivals: Sequence[Arrival], batch: int, crash: int, again: int
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        straight, bumpy = Scene(Path(one)), Scene(Path(other))
        try:
            for scene in (straight, bumpy):
                scene.gateway.receive(*arrivals)
            straight.catch_up()
            _crash_before_the_cursor_is_saved(bumpy, batch, crash)
            bumpy.catch_up(again)
            assert bumpy.rows() == straight.rows()
        finally:
            straight.close()
            bumpy.close()


def _crash_before_the_cursor_is_saved(scene: Scene, batch: int, after: int) -> None:
    """The process ends once, after its ``after``-th batch reached the store."""
    done = 0
    write: Callable[[Sequence[Reading]], None] = scene.store.write

    def crash_after(readings: Sequence[Reading]) -> None:
        nonlocal done
        write(readings)
        done += 1
        if done > after:
            raise StoreError("kill -9")

    scene.store.write = crash_after  # type: ignore[method-assign]
    try:
        scene.catch_up(batch)
    except StoreError:
        pass
    finally:
        scene.store.write = write  # type: ignore[method-assign]
        scene.restart()
