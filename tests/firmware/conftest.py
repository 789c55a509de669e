"""A gateway that a virtual board speaks to, and an installation with one IBC and one station."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.board_at_work import DEVICE, KEY
from tests.firmware.signing_gateway import SigningGateway
from tests.installation import Noria, installed
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto


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
