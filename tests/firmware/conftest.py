"""A gateway for a virtual board, and an installation with one IBC and one station."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.virtual.host import interpreter
from tests.firmware.board_at_work import DEVICE, KEY
from tests.firmware.on_micropython import CUTS, RUNS
from tests.firmware.signing_gateway import SigningGateway
from tests.installation import Noria, installed
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto


def pytest_collection_finish(session: pytest.Session) -> None:
    """What computes on MicroPython begins now, so that it is done when its tests' turn comes."""
    calls = (getattr(item, "callspec", None) for item in session.items
             if item.name.startswith("test_it_holds_on_micropython["))  # fmt: skip
    modules = {call.params["module"] for call in calls if call is not None}
    if modules and not session.config.option.collectonly and interpreter.find() is not None:
        RUNS.begin(modules, CUTS)


def pytest_sessionfinish() -> None:
    """Nothing of it outlives the run."""
    RUNS.stop()


@pytest.fixture
def gateway(mosquitto: Mosquitto) -> Iterator[SigningGateway]:
    """Keeps and acknowledges what the board of ``board_at_work`` sends to ``mosquitto``."""
    require("micropython")
    with SigningGateway(mosquitto.port, DEVICE, KEY) as listening:
        yield listening


@pytest.fixture
def noria(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noria:
    """Runs the command on a new installation with one IBC and one station."""
    run = installed(tmp_path, monkeypatch)
    assert run("registry", "import", "r.toml").exit_code == 0
    return run
