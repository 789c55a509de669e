"""What reaches the disk: an SD card wears out by the bytes that are written to it.

The kernel's own count (``write_bytes`` of /proc/PID/io): a page counts each time that it becomes
dirty, whatever part of it changed. Gateway and private Mosquitto with 50 tanks, on a real file
system: on tmpfs and overlays the count is 0.
"""

import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt.broker import login
from tests.benchmarks import figures
from tests.benchmarks.fleet import Fleet, behind
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.services import free_port, until
from tests.wire_node.sealed import Ring

TANKS, SETTLE_S, WORK_S, REST_S = 50, 40, 180, 120
MESSAGE_BAR, REST_BAR = 12_000, 60_000


def written(pids: list[int]) -> int:
    """Bytes that these processes have sent towards the disk, by the kernel's count."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/io").read_text("ascii").splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
    return total


class Senders:
    """A connected client for each node, as the private broker wants it."""

    def __init__(self, fleet: Fleet, port: int) -> None:
        self.fleet, self.clients = fleet, list[paho.Client]()
        for ring in fleet.rings:
            client = paho.Client(CallbackAPIVersion.VERSION2, client_id=ring.device)
            client.username_pw_set(ring.device, login(ring.key))
            client.connect("127.0.0.1", port, keepalive=300)
            client.subscribe(f"noria/1/{ring.device}/ack")
            client.loop_start()
            self.clients.append(client)

    def send(self, turn: int) -> None:
        """One message of one node, with one reading."""
        n = turn % len(self.clients)
        ring: Ring = self.fleet.rings[n]
        reading = {"o": 0, "mm": 300 + turn // 50 % 300, "sp": 4, "n": 7, "of": 7, "tc": 112}
        payload = ring.payload(ring.seal(time.time(), up=10 + turn, r=[reading]))
        ring.sealed.clear()
        self.clients[n].publish(ring.topic, payload, qos=1)

    def run(self, seconds: float, turn: int) -> int:
        """A message a second; returns the next turn."""
        begun = time.monotonic()
        for n in range(int(seconds)):
            time.sleep(max(begun + n - time.monotonic(), 0))
            self.send(turn + n)
        return turn + int(seconds)

    def close(self) -> None:
        for client in self.clients:
            client.disconnect()
            client.loop_stop()


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_bytes_written_a_message_and_at_rest(tmp_path: Path) -> None:
    require("mosquitto")
    port, fleet = free_port(), Fleet(TANKS)
    gateway = RunningGateway(tmp_path / "noria", f'broker_listen = "127.0.0.1:{port}"\n')
    fleet.enrol(gateway)
    gateway.start()
    try:
        broker = int((gateway.folder / "data" / "broker" / "broker.pid").read_text())
        pids = [gateway.pid, broker]
        until(lambda: behind(gateway) == 0, 60, "the registry's facts are followed")
        senders = Senders(fleet, port)
        turn = senders.run(SETTLE_S, 0)
        before, parts = written(pids), [written([pid]) for pid in pids]
        senders.run(WORK_S, turn)
        message = (written(pids) - before) / WORK_S
        shares = [written([pid]) - was for pid, was in zip(pids, parts, strict=True)]
        until(lambda: behind(gateway) == 0, 60, "store and watch have caught up")
        assert gateway.glance()["received"]["stored"] == SETTLE_S + WORK_S
        time.sleep(30)
        before = written(pids)
        time.sleep(REST_S)
        rest = (written(pids) - before) * 60 / REST_S
        senders.close()
    finally:
        gateway.stop()
    if before == 0:
        pytest.skip("this file system counts no bytes: give --basetemp on a disk")
    figures.put(
        f"bytes written for a message, one a second, {TANKS} tanks",
        f"{message / 1000:.1f} KB (bar {MESSAGE_BAR / 1000:.0f})",
        f"gateway {shares[0] / WORK_S / 1000:.1f}, Mosquitto {shares[1] / WORK_S / 1000:.1f} KB",
    )
    figures.put("bytes written at rest", f"{rest / 1000:.0f} KB a minute (bar 60)")
    assert message <= MESSAGE_BAR
    assert rest <= REST_BAR
