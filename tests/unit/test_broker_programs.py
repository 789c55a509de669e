"""Which program the private broker is, by what is installed."""

import importlib.util
from pathlib import Path

import pytest

from gateway import settings
from gateway.errors import BrokerError
from gateway.mqtt.broker import mosquitto, programs
from gateway.mqtt.broker.rules import Login

ADMIN = Login("noria-admin", "x", (), ())


def choose(folder: Path) -> programs.BrokerProgram:
    (folder / "noria.toml").write_text("")
    return programs.choose(settings.read(folder / "noria.toml"), folder, ("127.0.0.1", 1), ADMIN)


def test_without_mosquitto_it_is_amqtt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "program", lambda: None)
    assert isinstance(choose(tmp_path), programs.Amqtt)


def test_without_either_the_remedies_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(mosquitto, "plugin", lambda: None)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "amqtt" else found(name)
    )
    with pytest.raises(BrokerError) as refused:
        choose(tmp_path)
    assert "apt-get install mosquitto" in str(refused.value)
    assert "pip install 'noria[trial]'" in str(refused.value)
