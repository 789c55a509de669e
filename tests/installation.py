"""A new installation, and the ``noria`` command that runs on it, for tests of commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.command.main import cli
from tests.unit.test_registry_file import WHOLE

Noria = Callable[..., Result]


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Noria:
    """Runs the command on a new installation in ``folder/noria``, with ``folder/r.toml`` beside it:
    a registry of one IBC and one station, not imported yet.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NORIA_CONFIG", str(folder / "noria" / "noria.toml"))
    (folder / "r.toml").write_text(WHOLE)

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, arguments, input=typed)

    assert run("init", "noria").exit_code == 0
    return run


def made(
    noria: Noria, *more: str, tank: str = "north-1", typed: str = "wifi-word\n"
) -> dict[str, Any]:
    """The ``config.json`` of a new device, in the folder ``made``."""
    result = noria("device", "new", "--tank", tank, "--out", "made", *more, typed=typed)
    assert result.exit_code == 0, result.output
    return json.loads(Path("made/config.json").read_text())
