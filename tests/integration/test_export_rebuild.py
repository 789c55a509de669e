"""The commands export and rebuild on a real data folder, without and beside a gateway."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.database.tables import incident, outbox, tank_now
from gateway.domain.outputs import TankEvent
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.runtime import file_lock
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.stores.sqlite import SqliteStore
from server.command.main import cli
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance
from tests.parts import database
from tests.parts.services import until

pytestmark = pytest.mark.usefixtures("each_database")

MESSAGES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a journal of 30 messages of a tank that runs low."""
    (tmp_path / "noria.toml").write_text(
        f'data = "."\n{database.lines(tmp_path)}', encoding="utf-8"
    )
    gateway = Gateway(tmp_path)
    node = SigningDevice()
    gateway.receive(*(node.send(T0 + 600 * n, distance(300 + 25 * n)) for n in range(MESSAGES)))
    if "postgresql" in gateway.engine.dialect.name:
        _register(gateway)
    gateway.close()
    return tmp_path


def _register(gateway: Gateway) -> None:
    """Register the messages and wait until each has its place in the merged journal."""
    listening, merging = (
        ListeningFlag(listening=True),
        MergeOrder(gateway.engine, Clock(), Wakeup()),
    )
    registrar = Registrar(gateway.engine, gateway.reader, "g1", Wakeup(), Clock(), listening)
    registrar.start()

    def placed() -> bool:
        merging.turn()
        return MergedReader(gateway.engine).last_id() >= MESSAGES

    until(placed, 20, "every message's place")
    registrar.stop()


def noria(folder: Path, *arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*arguments, "--config", str(folder / "noria.toml")])
    assert done.exit_code == status, done.output
    return done


def exported(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = noria(folder, "export", "readings", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_export_first_applies_the_rest_of_the_journal(folder: Path) -> None:
    lines = exported(folder)
    assert [line["seq"] for line in lines] == list(range(1, 31))
    assert lines[0] | {"volume_l": None, "sd_l": None} == {
        "tank": "north-1", "device": "k7f3q5", "era": "m4xq2lzt", "boot": 1, "seq": 1, "i": 0,
        "at": T0, "received": T0 + 2, "volume_l": None, "sd_l": None, "mm": 300, "ch": 0, "sp": 4,
        "n": 7, "of": 7, "tc": 112, "estimated": False,
    }  # fmt: skip
    assert lines[0]["volume_l"] == pytest.approx(856, abs=20)


def test_export_is_limited_to_a_tank_and_a_span(folder: Path) -> None:
    some = exported(folder, "--tank", "north-1", "--from", str(T0 + 600), "--to", str(T0 + 1800))
    assert [line["seq"] for line in some] == [2, 3, 4]
    assert exported(folder, "--tank", "north-2") == []


def test_export_of_an_unknown_tank_lists_the_known_ones(folder: Path) -> None:
    done = noria(folder, "export", "readings", "--tank", "nowhere", status=1)
    assert "north-1, north-2" in str(done.exception)


def test_a_rebuilt_store_has_exactly_the_former_readings(folder: Path) -> None:
    before = exported(folder)
    store = SqliteStore(folder / "readings.db")
    stray = next(store.export())
    store.remove([stray])
    store.close()
    done = noria(folder, "rebuild", "store")
    assert done.stdout.startswith("30 readings")
    assert exported(folder) == before


def test_rebuilding_the_watch_restores_levels_and_incidents_without_alerts(folder: Path) -> None:
    noria(folder, "rebuild", "watch")
    first = _watched(folder)
    noria(folder, "rebuild", "watch")
    again = _watched(folder)
    assert first["levels"] == again["levels"]
    assert first["levels"]["north-1"]["state"] in ("low", "critical")
    assert first["incidents"] == again["incidents"]
    assert {kind for _, kind in first["incidents"]} & {"low", "critical"}
    assert again["messages"] == 0


def test_rebuild_refuses_while_a_gateway_runs(folder: Path) -> None:
    with file_lock.hold(folder / file_lock.NAME):
        for what in ("store", "watch"):
            done = noria(folder, "rebuild", what, status=1)
            assert "end it first" in str(done.exception)


def _watched(folder: Path) -> dict[str, Any]:
    engine = database.opened(folder)
    with engine.connect() as connection:
        levels = {r.tank: r.value for r in connection.execute(sa.select(tank_now))}
        incidents = {(r.id, r.kind) for r in connection.execute(sa.select(incident))}
        messages = connection.scalar(sa.select(sa.func.count()).select_from(outbox))
    engine.dispose()
    return {"levels": levels, "incidents": incidents, "messages": messages}


def test_events_are_exported_with_their_bounds(folder: Path) -> None:
    engine = database.opened(folder)
    found = [
        TankEvent(T0, T0 + 60, "north-1", "refill", 340.0, 310.0, 370.0),
        TankEvent(T0 + 600, T0 + 660, "north-1", "knock"),
        TankEvent(T0 + 600, T0 + 660, "south-1", "draw", 20.0),
    ]
    with engine.begin() as connection:
        write_output(connection, found, [], OutputContext((), {}))
    refill = {"tank": "north-1", "kind": "refill", "at": T0, "until": T0 + 60, "litres": 340.0,
              "least_l": 310.0, "most_l": 370.0}  # fmt: skip
    knock = {"tank": "north-1", "kind": "knock", "at": T0 + 600, "until": T0 + 660}
    draw = {**knock, "tank": "south-1", "kind": "draw", "litres": 20.0}
    assert exported_events(folder) == [refill, knock, draw]
    assert exported_events(folder, "--tank", "south-1") == [draw]
    assert exported_events(folder, "--from", f"{T0 + 60}", "--to", f"{T0 + 599}") == [refill]
    assert exported_events(folder, "--from", f"{T0 + 61}", "--to", f"{T0 + 600}") == [knock, draw]


def exported_events(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = noria(folder, "export", "events", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]
