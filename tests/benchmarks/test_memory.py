"""What gateway and server hold in memory with 1,000 tanks: real programs, after real work.

Resident is what the kernel counts for a process alone; proportional shares what both map of the
same files between them, and is what a machine that runs both must have.
"""

import time
from pathlib import Path

import httpx
import pytest

from server.accounts import people
from tests.benchmarks import figures
from tests.benchmarks.fleet import Fleet, LoadProcess, behind, load_program, write_packets
from tests.integration.running_gateway import NORIA, RunningGateway
from tests.parts import database
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import Service, free_port, until

TANKS = 1000
ROUNDS = 20
BAR_MB = 150
PASSWORD = "a rather long one"


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_gateway_and_server_with_1000_tanks(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port, load, fleet = free_port(), load_program(tmp_path), Fleet(TANKS)
    gateway = RunningGateway(
        tmp_path / "noria",
        f'broker = "{mosquitto.url}"\nchannels = ["log"]\nserver_listen = "127.0.0.1:{port}"\n',
    )
    fleet.enrol(gateway)
    engine = database.opened(gateway.folder / "data")
    people.add(engine, "Van One", "coordinator", PASSWORD, time.time())
    engine.dispose()
    file = write_packets(tmp_path / "packets", fleet.sealed(ROUNDS, time.time() - ROUNDS))
    server = Service([*NORIA, "server", "--config", gateway.config], tmp_path / "server.log")
    gateway.start()
    server.start(lambda: "ready" in server.text())
    try:
        until(lambda: behind(gateway) == 0, 300, "the registry's facts are followed")
        quiet = [figures.memory_mb(pid) for pid in (gateway.pid, server.pid)]
        publisher = LoadProcess(load, "publish", mosquitto.port, file, TANKS, 0)
        publisher.go()
        publisher.ended()
        until(lambda: gateway.glance()["received"]["stored"] == TANKS * ROUNDS, 300, "all stored")
        until(lambda: behind(gateway) == 0, 300, "store and watch have caught up")
        _look_around(f"http://127.0.0.1:{port}")
        time.sleep(2)  # the server releases memory once a second
        after = [figures.memory_mb(pid) for pid in (gateway.pid, server.pid)]
    finally:
        server.stop()
        gateway.stop()
    for when, found in (("before the first message", quiet), ("after work", after)):
        resident, shared = (sum(part) for part in zip(*found, strict=True))
        figures.put(
            f"gateway and server with {TANKS} tanks, {when}",
            f"{resident:.0f} MB resident (bar {BAR_MB}), {shared:.0f} MB proportional",
            f"gateway {found[0][0]:.0f}, server {found[1][0]:.0f} MB resident",
        )
    assert sum(resident for resident, _ in after) <= 1.05 * BAR_MB  # allocators differ


def _look_around(url: str) -> None:
    """Every kind of page and of answer, ten times: what a day of looking leaves behind."""
    given = {"login": "van-one", "password": PASSWORD}
    token = httpx.post(f"{url}/api/v1/session", json=given).raise_for_status().json()["token"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        for turn in range(10):
            for path in ("/", f"/tanks/tank-{turn}", "/devices", "/incidents", "/api/v1/tanks"):
                client.get(path, timeout=60).raise_for_status()
