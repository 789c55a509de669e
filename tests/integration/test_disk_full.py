"""The disk fills up under a running gateway: it stops acknowledging, reports it, and recovers."""

import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running_gateway import RunningGateway
from tests.parts import missing
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node
from tests.wire_node.sealed import drawn

SIZE_MB = 12
BURST = 40


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk for the data folder, which only root can mount."""
    folder = tmp_path / "noria" / "data"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"no small disk can be mounted here ({done.stderr.strip()}): run as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk; returns the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return filler


def test_nothing_is_lost_on_a_full_disk(
    small_disk: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    nodes = [Node(drawn(7), secrets.token_bytes(32), mosquitto.port, "any") for _ in range(3)]
    gateway.enrol({node.ring.device: node.ring.key for node in nodes})
    gateway.start()
    try:
        for node in nodes:
            assert node.connection(BURST, time.time)
        filler = fill(small_disk)
        until(lambda: not _all_acked(nodes), 60, "the disk to be full for the journal as well")
        until(
            lambda: gateway.glance()["journal"]["trouble"] is not None, 10, "the status to name it"
        )
        freed = [node.ring.freed for node in nodes]
        assert "full" in gateway.glance()["journal"]["trouble"]
        assert "nothing is acknowledged until this passes" in gateway.log.read_text("utf-8")
        assert "full" in gateway.noria("status")
        assert [node.ring.freed for node in nodes] == freed
        filler.unlink()
        until(lambda: _all_acked(nodes), 60, "every message to be acknowledged")
        assert gateway.glance()["journal"]["trouble"] is None
        _each_once(gateway, nodes)
    finally:
        gateway.stop()


def _all_acked(nodes: list[Node]) -> bool:
    """Have each node connect once more; whether acks cover all that it ever sealed."""
    return all(node.connection(BURST, time.time, wait_s=1.5) for node in nodes)


def _each_once(gateway: RunningGateway, nodes: list[Node]) -> None:
    sent = {
        (node.ring.topic, node.ring.payload(message))
        for node in nodes
        for message in node.ring.sealed
    }
    kept = [(line["topic"], line["payload"]) for line in gateway.exported()]
    assert len(kept) == len(set(kept))
    assert set(kept) == sent
    rows = [(r["device"], r["boot"], r["seq"]) for r in gateway.readings()]
    assert len(rows) == len(set(rows)) == len(sent)


def test_a_gateway_stops_while_its_disk_is_full(
    small_disk: Path, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    node = Node(drawn(7), secrets.token_bytes(32), mosquitto.port, "any")
    gateway.enrol({node.ring.device: node.ring.key})
    gateway.start()
    try:
        filler = fill(small_disk)
        until(lambda: not _all_acked([node]), 60, "the disk to be full for the journal as well")
        gateway.stop()
        filler.unlink()
        gateway.start()
        until(lambda: _all_acked([node]), 60, "every message to be acknowledged")
        _each_once(gateway, [node])
    finally:
        gateway.stop()
