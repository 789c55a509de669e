"""Everything on, against the broker alone: same configuration, same publisher, same run.

Raw is a C subscriber that only sends PUBACK. Ours ends with the last ack. Both cores are shared by
publisher, broker and gateway, so other work on the machine costs ours more than it costs raw.
"""

import time
from pathlib import Path

import pytest

from tests.benchmarks import figures
from tests.benchmarks.fleet import Fleet, LoadProcess, behind, load_program, write_packets
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

MESSAGES = 60_000
BAR, FLOOR = 0.35, 0.08
"""What we aim at on a machine of its own; and what even a busy one must reach."""
SIZES = (10, 100, 1000, 10_000)


@pytest.mark.benchmark
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tanks", SIZES)
def test_ingest_with_everything_on_beside_the_broker_alone(
    tanks: int, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    load, fleet = load_program(tmp_path), Fleet(tanks)
    gateway = RunningGateway(
        tmp_path / "noria", f'broker = "{mosquitto.url}"\nchannels = ["log"]\n'
    )
    fleet.enrol(gateway)
    rounds = MESSAGES // tanks
    file = write_packets(tmp_path / "packets", fleet.sealed(rounds, time.time() - rounds))
    connections = min(tanks, 1000)
    raw = _raw(load, mosquitto.port, file, connections)
    gateway.start()
    try:
        until(lambda: behind(gateway) == 0, 300, "the registry's facts are followed")
        before = figures.cpu_s(gateway.pid)
        ours, acks = _ours(load, mosquitto.port, file, connections, rounds, tanks)
        until(lambda: behind(gateway) == 0, 300, "store and watch have caught up")
        cpu_us = (figures.cpu_s(gateway.pid) - before) / MESSAGES * 1e6
        rss_mb, _ = figures.memory_mb(gateway.pid)
        found = gateway.glance()
    finally:
        gateway.stop()
    figures.put(
        f"ingest, {tanks} devices and tanks, until the last ack",
        f"{ours:.0f} messages/s, {ours / raw:.2f} of raw (bar {BAR})",
        f"raw {raw:.0f}/s; {acks / MESSAGES:.2f} acks a message; gateway {cpu_us:.0f} us of CPU "
        f"a message, store and watch included; {rss_mb:.0f} MB resident",
    )
    assert found["received"]["stored"] == MESSAGES
    assert ours / raw >= FLOOR


def _raw(load: Path, port: int, file: Path, connections: int) -> float:
    subscriber = LoadProcess(load, "count", port, "noria/1/+/up", 1, MESSAGES)
    publisher = LoadProcess(load, "publish", port, file, connections, 0)
    publisher.go()
    begun, _, _ = publisher.ended()
    _, last, number = subscriber.ended()
    assert number == MESSAGES
    return MESSAGES / (last - begun)


def _ours(
    load: Path, port: int, file: Path, connections: int, rounds: int, tanks: int
) -> tuple[float, int]:
    """Messages/s from the first publish to the last ack, and how many acks there were."""
    subscriber = LoadProcess(load, "acks", port, rounds, tanks)
    publisher = LoadProcess(load, "publish", port, file, connections, 0)
    publisher.go()
    begun, _, _ = publisher.ended()
    _, last, acks = subscriber.ended()
    return MESSAGES / (last - begun), acks
