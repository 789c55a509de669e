"""The runner with a real database and a journal in memory."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.database import dead_letters, troubles
from gateway.domain.entry import Entry
from gateway.errors import NoriaError, StoreError
from gateway.projections import cursor
from gateway.projections.runner import Runner
from gateway.runtime.clock import Clock
from gateway.runtime.file_lock import hold
from gateway.runtime.wakeup import Wakeup
from tests.parts import database
from tests.parts.services import until

pytestmark = pytest.mark.usefixtures("each_database")


class MemoryJournal:
    """A journal of entries 1..n that tests append to."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, *bodies: bytes, kind: str = "msg") -> None:
        for body in bodies:
            self._entries.append(Entry(len(self._entries) + 1, 0.0, kind, "d", body))

    def entries(self, after: int, limit: int) -> list[Entry]:
        return self._entries[after : after + limit]

    def last_id(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        pass


class Collector:
    """Collects bodies in memory, saves them with its cursor, fails on demand."""

    name = "collector"

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.bodies: list[str] = []
        self.away = False
        self.broken = ""
        self.idled = threading.Event()

    def restore(self) -> None:
        with self._engine.connect() as connection:
            saved = cursor.load_state(connection, self.name).get("bodies", [])
        assert isinstance(saved, list)
        self.bodies = [str(body) for body in saved]

    def apply(self, entries: list[Entry]) -> None:
        if self.away:
            raise StoreError("the store is away")
        if self.broken and any(entry.kind == "msg" for entry in entries):
            raise UnicodeError(self.broken)
        for entry in entries:
            if entry.body == b"poison":
                raise ValueError("cannot be read")
            self.bodies.append(entry.body.decode())
        with self._engine.begin() as connection:
            cursor.save_state(connection, self.name, {"bodies": list(self.bodies)})
            cursor.save(connection, self.name, entries[-1].id)

    def idle(self, now: float) -> float | None:
        self.idled.set()
        return None


class Scene:
    """One runner with everything it needs."""

    def __init__(self, folder: Path) -> None:
        self.engine = database.opened(folder)
        self.journal = MemoryJournal()
        self.wake = Wakeup()
        self.collector = Collector(self.engine)
        self.runner = Runner(
            self.collector, lambda: self.journal, self.engine, self.wake, Clock(), batch=3
        )

    def cursor(self) -> int:
        with self.engine.connect() as connection:
            return cursor.load(connection, "collector")

    def aside(self) -> set[int]:
        with self.engine.connect() as connection:
            return dead_letters.entries(connection, "collector")

    def trouble(self) -> str:
        with self.engine.connect() as connection:
            found = troubles.read(connection).get("collector")
        return found.reason if found else ""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.runner.stop()
    made.engine.dispose()


def test_entries_are_applied_once_in_order_and_the_lag_falls_to_zero(scene: Scene) -> None:
    scene.journal.append(*(b"%d" % n for n in range(8)))
    assert scene.runner.lag() == 8
    scene.runner.start()
    until(lambda: scene.cursor() == 8)
    assert scene.collector.bodies == [str(n) for n in range(8)]
    assert scene.runner.lag() == 0


def test_a_notification_wakes_an_idle_runner(scene: Scene) -> None:
    scene.runner.start()
    assert scene.collector.idled.wait(10)
    scene.journal.append(b"a")
    scene.wake.notify()
    until(lambda: scene.cursor() == 1)


def test_a_poison_entry_is_set_aside_and_the_others_are_applied_once(scene: Scene) -> None:
    scene.journal.append(b"a", b"poison", b"b", b"c")
    scene.runner.start()
    until(lambda: scene.cursor() == 4)
    assert scene.collector.bodies == ["a", "b", "c"]
    with scene.engine.connect() as connection:
        rows = connection.execute(sa.select(dead_letters.set_aside)).all()
    assert [(row.source, row.what, row.reason) for row in rows] == [
        ("collector", "entry 2", "ValueError: cannot be read")
    ]


def test_what_fails_at_every_message_is_no_messages_fault(scene: Scene) -> None:
    scene.collector.broken = "a letter in the token"
    scene.journal.append(*(b"%d" % n for n in range(20)))
    scene.journal.append(b"fact", kind="run")
    scene.runner.start()
    until(lambda: "a letter in the token" in scene.trouble())
    scene.journal.append(b"20")
    scene.wake.notify()
    until(lambda: "cannot apply 16 entries from 1 on" in (scene.runner.trouble or ""))
    assert scene.cursor() == 0
    scene.collector.broken = ""
    until(lambda: scene.cursor() == 22)
    assert scene.collector.bodies == [*(str(n) for n in range(20)), "fact", "20"]
    assert scene.aside() == set()
    until(lambda: not scene.trouble())


def test_a_poison_entry_is_decided_by_the_next_of_its_kind(scene: Scene) -> None:
    scene.journal.append(b"poison")
    scene.journal.append(b"fact", kind="run")
    scene.runner.start()
    until(lambda: "the newest entry from 1 on" in scene.trouble())
    assert scene.cursor() == 0
    scene.journal.append(b"a")
    scene.wake.notify()
    until(lambda: scene.cursor() == 3)
    assert scene.collector.bodies == ["fact", "a"]
    assert scene.aside() == {1}


def test_no_number_of_poison_entries_stops_a_runner_for_ever(scene: Scene) -> None:
    scene.journal.append(*[b"poison"] * 20, b"a")
    scene.runner.start()
    until(lambda: scene.cursor() == 21)
    assert scene.collector.bodies == ["a"]
    assert scene.aside() == set(range(1, 21))


def test_an_entry_that_was_not_decided_before_a_crash_is_tried_again(scene: Scene) -> None:
    scene.journal.append(b"a", b"b")
    with scene.engine.begin() as connection:
        dead_letters.put(connection, "collector", 2, "ValueError: before the crash", 0.0)
    scene.runner.start()
    until(lambda: scene.cursor() == 2)
    assert scene.collector.bodies == ["a", "b"]
    assert scene.aside() == set()


class Gatherer(Collector):
    """Saves batches only with the next single entry, or when idle."""

    def apply(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.body == b"poison":
                raise ValueError("cannot be read")
            self.bodies.append(entry.body.decode())
        self._last = entries[-1].id
        if len(entries) == 1:
            self._save()

    def idle(self, now: float) -> float | None:
        self._save()
        return super().idle(now)

    def _save(self) -> None:
        with self._engine.begin() as connection:
            cursor.save_state(connection, self.name, {"bodies": list(self.bodies)})
            cursor.save(connection, self.name, self._last)


def test_unsaved_entries_before_a_failed_batch_are_not_lost(scene: Scene) -> None:
    scene.journal.append(b"a", b"b", b"c", b"d", b"poison", b"e", b"f")
    gatherer = Gatherer(scene.engine)
    runner = Runner(gatherer, lambda: scene.journal, scene.engine, scene.wake, Clock(), batch=3)
    runner.start()
    until(lambda: scene.cursor() == 7)
    runner.stop()
    assert gatherer.bodies == ["a", "b", "c", "d", "e", "f"]


def test_an_unreachable_store_is_logged_once_and_its_entries_are_retried(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="gateway.runtime.worker")
    scene.collector.away = True
    scene.journal.append(b"a", b"b")
    scene.runner.start()
    until(lambda: scene.runner.trouble == "the store is away")
    assert scene.cursor() == 0
    scene.collector.away = False
    until(lambda: scene.cursor() == 2)
    until(lambda: scene.runner.trouble is None)
    assert scene.collector.bodies == ["a", "b"]
    logged = [record.getMessage() for record in caplog.records]
    assert logged[0] == "collector waits and tries again: the store is away"
    assert logged[1].startswith("collector continues after")
    assert len(logged) == 2


def test_a_runner_far_behind_does_not_rest(scene: Scene) -> None:
    scene.journal.append(*(b"%d" % n for n in range(9)))
    collector = Collector(scene.engine)
    resting = Runner(
        collector, lambda: scene.journal, scene.engine, scene.wake, Clock(), batch=3, rest_s=60.0
    )
    resting.start()
    until(lambda: scene.cursor() == 9)
    resting.stop()
    assert collector.bodies == [str(n) for n in range(9)]


def test_a_batch_of_long_entries_ends_early_so_that_it_fits_in_memory(tmp_path: Path) -> None:
    scene, sizes = Scene(tmp_path), list[int]()
    scene.journal.append(*[b"x" * 10_000] * 1200)
    apply = scene.collector.apply

    def counted(entries: list[Entry]) -> None:
        sizes.append(len(entries))
        apply([entry._replace(body=b"x") for entry in entries])

    scene.collector.apply = counted  # type: ignore[method-assign]
    runner = Runner(
        scene.collector, lambda: scene.journal, scene.engine, scene.wake, Clock(), batch=5000
    )
    runner.start()
    until(lambda: scene.cursor() == 1200)
    runner.stop()
    scene.engine.dispose()
    assert sizes == [500, 500, 200]


def test_another_runner_continues_where_the_first_one_stopped(scene: Scene) -> None:
    scene.journal.append(b"a", b"b")
    scene.runner.start()
    until(lambda: scene.cursor() == 2)
    scene.runner.stop()
    scene.journal.append(b"c")
    collector = Collector(scene.engine)
    again = Runner(collector, lambda: scene.journal, scene.engine, scene.wake, Clock())
    again.start()
    until(lambda: scene.cursor() == 3)
    again.stop()
    assert collector.bodies == ["a", "b", "c"]


def test_one_process_at_a_time_locks_a_data_folder(tmp_path: Path) -> None:
    path = tmp_path / "gateway.lock"
    with hold(path), pytest.raises(NoriaError, match="end it first"), hold(path):
        pass
    with hold(path):
        assert path.read_text().strip().isdigit()
