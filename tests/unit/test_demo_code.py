"""The code that signs in to ``noria demo`` without a password, and where it does not."""

from pathlib import Path

import pytest

from gateway import settings
from server.accounts import demo

CODE = "a-long-and-random-demo-code"


def made(folder: Path, listen: str) -> settings.Settings:
    file = folder / "noria.toml"
    file.write_text(f'server_listen = "{listen}"\ndemo_code = "{CODE}"\n', "utf-8")
    return settings.read(file)


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"])
def test_a_running_demo_signs_in_by_its_code(
    listen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(tmp_path, listen)
    monkeypatch.setenv(demo.MARK, str(found.source))
    assert demo.code(found) == CODE


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.0.2.7:8080", "demo.example:8080"])
def test_no_code_opens_an_address_that_others_reach(
    listen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(tmp_path, listen)
    monkeypatch.setenv(demo.MARK, str(found.source))
    assert demo.code(found) == ""


@pytest.mark.parametrize("running", [None, "", "other/noria.toml"])
def test_a_copied_configuration_opens_nothing(
    running: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(demo.MARK, raising=False)
    if running is not None:
        monkeypatch.setenv(demo.MARK, running)
    assert demo.code(made(tmp_path, "127.0.0.1:8080")) == ""
