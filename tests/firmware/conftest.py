"""A new installation with one IBC and one station, and the command that runs on it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.command.main import cli
from tests.firmware.installation import Noria
from tests.unit.test_registry_file import WHOLE


@pytest.fixture
def noria(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noria:
    """Runs the command on a new installation with one IBC and one station."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NORIA_CONFIG", str(tmp_path / "noria" / "noria.toml"))
    (tmp_path / "r.toml").write_text(WHOLE)

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, arguments, input=typed)

    assert run("init", "noria").exit_code == 0
    assert run("registry", "import", "r.toml").exit_code == 0
    return run
