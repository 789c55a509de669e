"""``noria registry`` and ``noria device`` on a real installation's files."""

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway import settings
from gateway.database.engine import connect
from gateway.database.tables import fact
from gateway.domain.registry import Registry
from gateway.errors import RegistryError
from gateway.mqtt import broker
from gateway.mqtt.certificates import authority
from gateway.registry import rows
from tests.installation import Noria
from tests.unit.test_registry_file import KEY, WHOLE


def kept(folder: Path) -> Registry:
    return rows.load(connect(folder / "noria" / "data" / "noria.db"))


def facts_of(folder: Path) -> list[sa.Row[Any]]:
    with connect(folder / "noria" / "data" / "noria.db").connect() as connection:
        return list(connection.execute(sa.select(fact)))


def test_an_import_reports_its_changes_and_a_second_changes_nothing(
    noria: Noria, tmp_path: Path
) -> None:
    first = noria("registry", "import", "r.toml")
    assert first.output.splitlines() == [
        "added    site north",
        "added    tank north-1",
        "added    tank cans",
        "added    device k7f3q5",
        "added    install k7f3q5",
        "added    plan north-1",
        "6 rows changed.",
    ]
    assert noria("registry", "import", "r.toml").output == "Nothing changed.\n"
    (tmp_path / "r.toml").write_text(WHOLE.replace("low_pct = 30", "low_pct = 40"))
    changed = noria("registry", "import", "r.toml").output.splitlines()
    assert changed == ["changed  tank north-1: low_pct", "1 rows changed."]
    history = kept(tmp_path).tanks["north-1"]
    assert [row.low_pct for row in history] == [30.0, 40.0]
    assert history[0].rid == history[1].rid


def test_loads_of_the_same_rows_share_one_registry(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    before, again = kept(tmp_path), kept(tmp_path)
    assert before is again
    (tmp_path / "r.toml").write_text(WHOLE.replace("low_pct = 30", "low_pct = 40"))
    noria("registry", "import", "r.toml")
    after = kept(tmp_path)
    assert [row.low_pct for row in after.tanks["north-1"]] == [30.0, 40.0]
    assert [row.low_pct for row in before.tanks["north-1"]] == [30.0]
    engine = connect(tmp_path / "noria" / "data" / "noria.db")
    with engine.connect() as connection:
        assert rows.load_from(connection, rows.version_of(connection)) is after
        assert rows.load_from(connection, rows.version_of(connection) - 1) is before


def test_a_wrong_file_changes_nothing(noria: Noria, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(WHOLE.replace('tank = "north-1"\nfrom', 'tank = "x"\nfrom'))
    result = noria("registry", "import", "r.toml")
    assert isinstance(result.exception, RegistryError)
    assert str(result.exception).startswith("r.toml: [[install]] k7f3q5: tank = 'x': no tank")
    assert kept(tmp_path) == Registry()


def test_an_export_with_keys_is_imported_as_the_same_registry(
    noria: Noria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noria("registry", "import", "r.toml")
    (tmp_path / "r.toml").write_text(WHOLE.replace("taps = 4", "taps = 2"))
    noria("registry", "import", "r.toml")
    (tmp_path / "out.toml").write_text("longer than what is written over it" * 999)
    assert noria("registry", "export", "--with-keys", "out.toml").exit_code == 0
    assert stat.S_IMODE((tmp_path / "out.toml").stat().st_mode) == 0o600
    noria("init", "other")
    first = kept(tmp_path)
    monkeypatch.setenv("NORIA_CONFIG", str(tmp_path / "other" / "noria.toml"))
    assert noria("registry", "import", "out.toml").exit_code == 0
    assert rows.load(connect(tmp_path / "other" / "data" / "noria.db")) == first


def test_an_export_without_keys_can_be_imported_where_they_are_known(
    noria: Noria, tmp_path: Path
) -> None:
    noria("registry", "import", "r.toml")
    shown = noria("registry", "export").output
    assert KEY not in shown
    (tmp_path / "r.toml").write_text(shown)
    assert noria("registry", "import", "r.toml").output == "Nothing changed.\n"


def test_facts_contain_no_name_no_key_and_no_free_text(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    found = facts_of(tmp_path)
    assert [f.kind for f in found] == ["reg", "reg", "reg", "reg", "cust", "cal", "plan"]
    text = " ".join(f"{f.subject} {json.dumps(f.body)}" for f in found)
    for secret in ("north", "cans-", "router", "count of", KEY):
        assert secret not in text
    tank = kept(tmp_path).tank("north-1")
    assert tank is not None
    assert tank.rid in text


def test_a_device_that_moves_keeps_its_past_with_the_old_tank(noria: Noria, tmp_path: Path) -> None:
    second = WHOLE.split("[[tank]]")[1].replace("north-1", "north-2")
    (tmp_path / "r.toml").write_text(f"{WHOLE.split('[[install]]')[0]}\n[[tank]]{second}")
    noria("registry", "import", "r.toml")
    move = f'[[device]]\nid = "k7f3q5"\ntank = "north-2"\nkey = "{KEY}"\n'
    (tmp_path / "r.toml").write_text(move)
    assert noria("registry", "import", "r.toml").exit_code == 0
    registry = kept(tmp_path)
    moved_at = registry.installs["k7f3q5"][-1].since
    assert registry.tank_of("k7f3q5", moved_at - 1) == "north-1"
    assert registry.tank_of("k7f3q5", moved_at + 1) == "north-2"


def test_only_the_owner_can_read_the_database(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    for file in (tmp_path / "noria" / "data").glob("noria.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_device_gets_a_board_configuration(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    arguments = ("--tank", "north-1", "--uplink", "router", "--wifi", "site", "--out", "board")
    result = noria("device", "new", *arguments, typed="wifi-word\n")
    assert result.exit_code == 0, result.output
    path = tmp_path / "board" / "config.json"
    board = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    device = kept(tmp_path).device(board["device"])
    assert device is not None
    assert device.key is not None
    assert (device.tank, device.uplink, device.sensor) == ("north-1", "router", "a02yyuw")
    assert board == {
        "device": device.id,
        "key": device.key.hex(),
        "wifi": [{"ssid": "site", "password": "wifi-word"}],
        "broker": {
            "host": "127.0.0.1",
            "port": 1883,
            "login": device.id,
            "password": broker.login(device.key),
        },
        "sensor": "a02yyuw",
        "board": "xiao_esp32s3",
    }
    assert device.key.hex() not in result.output
    assert "wifi-word" not in result.output
    assert "--broker-host" in result.output  # no board reaches 127.0.0.1
    again = noria("device", "new", *arguments, typed="\n")
    assert isinstance(again.exception, RegistryError)
    assert len(kept(tmp_path).devices) == 2


def test_a_device_for_an_external_broker_comes_with_its_rules(noria: Noria, tmp_path: Path) -> None:
    noria("registry", "import", "r.toml")
    config = tmp_path / "noria" / "noria.toml"
    ca = tmp_path / "noria" / "ca.pem"
    ca.write_bytes(authority.new_authority(time.time()).certificate)
    text = config.read_text().replace('broker = "auto"', 'broker = "mqtts://broker.example"')
    config.write_text(text + '\nbroker_ca = "ca.pem"\n')
    assert settings.read(config).broker == "mqtts://broker.example"
    result = noria("device", "new", "--tank", "cans", "--out", "board")
    board = json.loads((tmp_path / "board" / "config.json").read_text())
    assert board["broker"]["host"] == "broker.example"
    assert board["broker"]["port"] == 8883
    assert board["broker"]["ca"] == ca.read_text()
    assert board["sensor"] == "hx711"
    assert f"topic write noria/1/{board['device']}/up" in result.output
    assert f"topic read noria/1/{board['device']}/ack" in result.output


def test_a_device_for_an_unknown_tank_writes_nothing(noria: Noria, tmp_path: Path) -> None:
    result = noria("device", "new", "--tank", "nowhere", "--out", "board")
    assert isinstance(result.exception, RegistryError)
    assert "tank = 'nowhere': no tank has this id" in str(result.exception)
    assert not (tmp_path / "board").exists()
    assert kept(tmp_path) == Registry()


def test_a_device_that_cannot_be_enrolled_leaves_no_file_behind(
    noria: Noria, tmp_path: Path
) -> None:
    """The database takes the first row of a list and refuses the second, as on a full disk."""
    noria("registry", "import", "r.toml")
    engine = connect(tmp_path / "noria" / "data" / "noria.db")
    refuse = (
        "CREATE TRIGGER full BEFORE INSERT ON registry_row WHEN NEW.value LIKE '%\"cans\"%' "
        "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(refuse)
    before = kept(tmp_path).devices
    (tmp_path / "list.csv").write_text("tank,out\nnorth-1,a\ncans,b\n")
    result = noria("device", "new", "--list", "list.csv")
    assert "disk is full" in str(result.exception)
    boards = tmp_path / "noria" / "data" / "boards"
    assert kept(tmp_path).devices == before
    assert [path.name for path in boards.iterdir()] == []
    assert not list(tmp_path.glob("[ab]/*"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert noria("device", "new", "--list", "list.csv").exit_code == 0
    made = {json.loads((tmp_path / name / "config.json").read_text())["device"] for name in "ab"}
    assert set(kept(tmp_path).devices) == made | set(before)
    assert {path.stem for path in boards.iterdir()} == made


def test_devices_are_listed_and_revoked(noria: Noria, tmp_path: Path) -> None:
    assert "No devices yet" in noria("device", "list").output
    noria("registry", "import", "r.toml")
    assert noria("device", "list").output.split() == [
        "k7f3q5", "north-1", "a02yyuw", "north-router", "key",
    ]  # fmt: skip
    assert noria("device", "revoke", "k7f3q5").exit_code == 0
    assert noria("device", "list").output.split()[-1] == "revoked"
    device = kept(tmp_path).device("k7f3q5")
    assert device is not None
    assert device.revoked
    missing = noria("device", "revoke", "abcdef")
    assert isinstance(missing.exception, RegistryError)
