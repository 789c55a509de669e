"""Files as other systems' editors save them, names with emoji, figures in other units."""

import json
import subprocess
from pathlib import Path

import pytest

from firmware.virtual.host import interpreter
from gateway import settings
from gateway.errors import RegistryError, SettingError
from tests.installation import Noria
from tests.integration.test_registry_command import kept
from tests.parts import require
from tests.unit.test_registry_file import WHOLE

SSID = "Réseau d'été 📶"


def test_a_network_name_with_an_emoji_reaches_micropython_whole(
    noria: Noria, tmp_path: Path
) -> None:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    noria("registry", "import", "r.toml")
    arguments = ("--tank", "north-1", "--wifi", SSID, "--out", "board")
    assert noria("device", "new", *arguments, typed="mot de passe 🌊\n").exit_code == 0
    script = (
        "import json\n"
        f"one = json.loads(open({str(tmp_path / 'board' / 'config.json')!r}).read())['wifi'][0]\n"
        "print(one['ssid'].encode().hex(), one['password'].encode().hex())"
    )
    ran = subprocess.run(
        found.command(["-c", script], heap=None), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [SSID.encode().hex(), "mot de passe 🌊".encode().hex()]


@pytest.mark.parametrize(
    ("ssid", "password", "wanted"),
    [("📶" * 9, "", "this one 36"), ("site", "1234567", "its password has 7 bytes")],
)
def test_a_network_that_cannot_exist_is_refused(
    noria: Noria, ssid: str, password: str, wanted: str
) -> None:
    noria("registry", "import", "r.toml")
    arguments = ("--tank", "north-1", "--wifi", ssid, "--out", "board")
    result = noria("device", "new", *arguments, typed=f"{password}\n")
    assert isinstance(result.exception, SettingError)
    assert wanted in str(result.exception)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_registry_and_a_configuration_saved_by_notepad_are_read(
    noria: Noria, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "r.toml").write_bytes(WHOLE.replace("\n", "\r\n").encode(encoding))
    config = tmp_path / "noria" / "noria.toml"
    config.write_bytes(config.read_text("utf-8").replace("\n", "\r\n").encode(encoding))
    result = noria("registry", "import", "r.toml")
    assert result.exit_code == 0, result.output
    assert "north-1" in kept(tmp_path).tanks


def test_a_secret_saved_by_notepad_has_no_mark(noria: Noria, tmp_path: Path) -> None:
    config = tmp_path / "noria" / "noria.toml"
    (config.parent / "influx.token").write_bytes(b"\xef\xbb\xbfnoria:secret\r\n")
    config.write_text(config.read_text() + '\ninfluxdb_token_file = "influx.token"\n')
    assert settings.read(config).influxdb_token == "noria:secret"
    (config.parent / "influx.token").write_bytes(b"\xff\x00\x81")
    with pytest.raises(SettingError, match="save the file as UTF-8"):
        settings.read(config)


def test_doubtful_figures_stop_an_import_unless_it_is_meant(noria: Noria, tmp_path: Path) -> None:
    text = WHOLE.replace("sensor_height_mm = 1100", "sensor_height_mm = 110")
    assert text != WHOLE
    (tmp_path / "r.toml").write_text(text)
    result = noria("registry", "import", "r.toml")
    assert isinstance(result.exception, RegistryError)
    assert "--anyway" in str(result.exception)
    assert "written in centimetres? then 1100" in result.output
    assert not kept(tmp_path).tanks
    assert noria("registry", "import", "r.toml", "--anyway").exit_code == 0
    assert "north-1" in kept(tmp_path).tanks


def test_the_board_configuration_is_plain_utf_8(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    noria("device", "new", "--tank", "north-1", "--wifi", SSID, "--out", "board", typed="\n")
    raw = (tmp_path / "board" / "config.json").read_bytes()
    assert SSID.encode() in raw
    assert json.loads(raw)["wifi"] == [{"ssid": SSID, "password": ""}]
