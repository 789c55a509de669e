"""The real firmware gives a restored gateway back what it lost, acknowledged or not."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.integration.backup import Backup
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

SPEED = 600.0
BEFORE, AFTER = 4, 6  # messages before the backup, and between it and the end of the disk


@pytest.mark.timeout(240)
def test_a_board_sends_a_restored_gateway_all_that_it_holds(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    gateway = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    gateway.enrol({DEVICE: KEY})
    gateway.start()
    try:
        with board(tmp_path / "board", mosquitto.port, speed=SPEED):
            _wait_for(gateway, BEFORE)
            backup = Backup(gateway.folder / "data", tmp_path / "backup")
            kept = gateway.glance()["journal"]["messages"]
            _wait_for(gateway, kept + AFTER)
            gateway.kill()
            shown = {line["payload"] for line in gateway.exported()}
            backup.put_back()
            left = {line["payload"] for line in gateway.exported()}
            assert len(shown - left) >= AFTER, "the backup lacks what the board has freed"
            gateway.start()
            until(lambda: shown <= _payloads(gateway), 90, "all that was there before")
    finally:
        gateway.stop()
    assert set(Counter(line["payload"] for line in gateway.exported()).values()) == {1}
    with closing(sqlite3.connect(gateway.folder / "data" / "journal.db")) as raw:
        query = "SELECT body FROM body JOIN entry ON id = entry WHERE kind = 'open' ORDER BY id"
        first, second = (json.loads(body) for (body,) in raw.execute(query))
    assert second["previous"]["origin"] == first["origin"]


def _wait_for(gateway: RunningGateway, messages: int) -> None:
    until(lambda: gateway.glance()["journal"]["messages"] >= messages, 90, f"{messages} messages")


def _payloads(gateway: RunningGateway) -> set[str]:
    """Read beside the running gateway, as ``journal export`` does."""
    with closing(sqlite3.connect(gateway.folder / "data" / "journal.db")) as raw:
        rows = raw.execute("SELECT body FROM body JOIN entry ON id = entry WHERE kind = 'msg'")
        return {body.partition(b"\n")[2].decode("ascii", "replace") for (body,) in rows}
