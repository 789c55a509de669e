"""Damaged files: what can be made anew is, and for the rest a sentence says how to go on."""

import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from gateway.domain.inputs import Reading
from gateway.errors import StoreError
from gateway.settings import read
from gateway.stores.sqlite import SqliteStore
from tests.integration.running_gateway import NORIA, RunningGateway
from tests.integration.test_private_broker import Place, acknowledged
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node

KEY = bytes(range(32))


def _damage_head(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(size))


def _command(gateway: RunningGateway, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [*NORIA, *arguments, "--config", gateway.config],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def reading(at: float) -> Reading:
    return Reading(
        device="k7f3q5", era="aaaaaaaa", boot=1, seq=int(at), channel=0, i=0, tank="tank-1",
        received=at, at=at, estimated=False, quantity="mm", value=400, spread=3, valid=7,
        tried=7, temperature_dc=150, volume_l=600.0, sd_l=4.0, fault=None,
    )  # fmt: skip


@pytest.fixture
def gateway(tmp_path: Path, mosquitto: Mosquitto) -> RunningGateway:
    """A gateway that has stored three messages and was stopped."""
    made = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\nchannels = []\n')
    made.enrol({"k7f3q5": KEY})
    made.start()
    assert Node("k7f3q5", KEY, mosquitto.port, "").connection(3, time.time)
    until(lambda: made.glance()["received"]["stored"] == 3, 20, "three messages")
    until(lambda: made.glance()["projections"].get("store", {}).get("lag") == 0, 20, "the store")
    made.stop()
    return made


def _exported(gateway: RunningGateway) -> list[object]:
    return [json.loads(line) for line in gateway.noria("export", "readings").splitlines()]


@pytest.mark.parametrize("size", [15, 4096, 20_000])
def test_a_damaged_main_database_is_named_with_the_way_to_go_on(
    gateway: RunningGateway, size: int
) -> None:
    database = read(Path(gateway.config)).database_path
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _damage_head(database, size)
    for command in ("status", "gateway", "registry export"):
        code, text = _command(gateway, *command.split())
        assert code == 2, text
        assert str(database) in text
        assert "Traceback" not in text
        assert "backup" in text
        assert "noria rebuild" in text
        assert len(text.splitlines()) < 5


@pytest.mark.parametrize("size", [15, 4096])
def test_damaged_readings_are_filled_again_from_the_journal(
    gateway: RunningGateway, size: int
) -> None:
    before = _exported(gateway)
    assert before
    store = read(Path(gateway.config)).store_path
    _damage_head(store, size)
    gateway.start()
    until(lambda: gateway.glance()["projections"]["store"]["lag"] == 0, 20, "the store")
    kept = sorted(store.parent.glob("readings.db.damaged-*"))
    assert len(kept) == 1
    assert kept[0].name in gateway.noria("status")
    gateway.stop()
    assert _exported(gateway) == before


def test_a_lost_file_of_readings_is_filled_again(gateway: RunningGateway) -> None:
    before = _exported(gateway)
    read(Path(gateway.config)).store_path.unlink()
    gateway.start()
    until(lambda: len(_exported(gateway)) == len(before), 20, "the store")
    gateway.stop()
    assert _exported(gateway) == before


def test_a_rebuild_does_not_need_the_damaged_file(gateway: RunningGateway) -> None:
    before = _exported(gateway)
    _damage_head(read(Path(gateway.config)).store_path, 4096)
    code, text = _command(gateway, "export", "readings")
    assert code == 2
    assert "noria rebuild store" in text
    assert _command(gateway, "rebuild", "store")[0] == 0
    assert _exported(gateway) == before


def test_damage_met_while_writing_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    store = SqliteStore(path, renew=True)
    readings = [reading(at=float(second)) for second in range(3000)]
    store.write(readings)
    store.close()
    with path.open("r+b") as file:  # behind the first page, so that opening it still works
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    again = SqliteStore(path, renew=True)
    with pytest.raises(StoreError, match="noria rebuild store"):
        again.write(readings)
    assert again.is_empty()
    again.write(readings)
    assert len(list(again.export())) == 3000
    again.close()
    assert len(list(tmp_path.glob("readings.db.damaged-*"))) == 1


def test_an_unexpected_error_is_one_sentence_and_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from server.command import main

    def broken(**_: object) -> None:
        raise KeyError("of a fault")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(main.cli, "main", broken)
    with pytest.raises(SystemExit) as ended:
        main.noria(["status"])
    assert ended.value.code == 1
    text = capsys.readouterr().err
    (file,) = tmp_path.glob("noria-error-*.txt")
    assert str(file) in text
    assert "Traceback" not in text
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("fault", ["truncated", "zeroed head", "random tail"])
def test_a_damaged_queue_of_the_private_broker_is_set_aside(tmp_path: Path, fault: str) -> None:
    require("mosquitto")
    place = Place(tmp_path / "noria")
    acknowledged(place.node())
    place.gateway.stop()
    queue = place.broker_folder / "noria.db"
    data = queue.read_bytes()
    assert len(data) > 100
    queue.write_bytes(
        {
            "truncated": data[: len(data) * 7 // 10],
            "zeroed head": bytes(15) + data[15:],
            "random tail": data[:60] + os.urandom(len(data) - 60),
        }[fault]
    )
    place.gateway.start()
    try:
        acknowledged(place.node())
        kept = list(place.broker_folder.glob("noria.db.damaged-*"))
        assert len(kept) <= 1  # Mosquitto reads past some damage
        for path in kept:
            assert path.name in place.gateway.noria("status")
    finally:
        place.gateway.stop()
    assert kept or fault == "random tail"
