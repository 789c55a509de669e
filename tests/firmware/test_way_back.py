"""The way back of a device whose folder is deleted, and boards that are left as they are."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from gateway.errors import NoriaError
from server.command.device import cable, partitions
from tests.firmware.test_on_a_cable import again, flashed, on_cable, root_of
from tests.installation import Noria, made


def test_only_the_board_gives_the_folder_of_a_device_back(noria: Noria, tmp_path: Path) -> None:
    config = made(noria)
    with on_cable(tmp_path) as (work, _):
        flashed(tmp_path)
        held = root_of(tmp_path) / "config.json"

        def restored(text: str, folder: str = "back") -> Result:
            held.write_text(text)
            return again(work, lambda port: noria("device", "restore", port, folder))

        result = restored(json.dumps({**config, "key": "11" * 32}))
        assert "another key than the registry" in str(result.exception)
        result = restored("{")
        assert "no usable config.json" in str(result.exception)
        assert not Path("back").exists()
        result = restored(json.dumps(config))
        assert result.exit_code == 0, result.output
        assert json.loads(Path("back/config.json").read_text()) == config
        settings = tmp_path / "noria" / "noria.toml"
        settings.write_text(settings.read_text() + 'broker_listen = "0.0.0.0:8883"\n')
        assert "present port and CA" in restored(json.dumps(config), "moved").output
        moved = json.loads(Path("moved/config.json").read_text())
        ca = (tmp_path / "noria/data/certificates/ca.pem").read_text()
        assert moved == {**config, "broker": {**config["broker"], "port": 8883, "ca": ca}}
        assert noria("device", "revoke", config["device"]).exit_code == 0
        result = restored(json.dumps(config))
        assert "is revoked" in str(result.exception)


def test_a_used_board_with_another_table_is_left_as_it_is(
    noria: Noria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(noria)
    stock = partitions.packed([
        partitions.Partition("nvs", 1, 2, 0x9000, 0x6000),
        partitions.Partition("factory", 0, 0, 0x10000, 0x1F0000),
        partitions.Partition("vfs", 1, 0x81, 0x200000, 0x200000),
    ])  # fmt: skip
    given: list[str] = []

    def esptool(_cable: cable.Cable, *arguments: str, words: str) -> str:
        """There is no boot loader of a chip here: it reads a stock MicroPython's table."""
        given.append(arguments[2])
        if arguments[2] == "read-flash":
            Path(arguments[-1]).write_bytes(stock)
        return ""

    monkeypatch.setattr(cable.Cable, "esptool", esptool)
    with on_cable(tmp_path) as (_work, port):
        (root_of(tmp_path) / "main.py").write_text("of another project")
        result = noria("device", "flash", port, "made")
    assert isinstance(result.exception, NoriaError)
    assert "another partition table (nvs, factory, vfs): nothing was changed" in str(
        result.exception
    )
    assert given == ["read-flash"]
    assert (root_of(tmp_path) / "main.py").read_text() == "of another project"


def test_a_board_with_too_little_heap_for_files_is_left_as_it_is(
    noria: Noria, tmp_path: Path
) -> None:
    made(noria)
    with on_cable(tmp_path, heap="160K") as (_, port):
        before = sorted(path.name for path in root_of(tmp_path).iterdir())
        result = noria("device", "flash", port, "made", "--no-table")
        assert isinstance(result.exception, NoriaError), result.output
        assert "KB of heap" in str(result.exception) and "PSRAM" in str(result.exception)
        assert sorted(path.name for path in root_of(tmp_path).iterdir()) == before
