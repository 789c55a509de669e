"""``noria up``: what it waits for, and a stop that is asked for many times."""

import signal
import subprocess
import time
from pathlib import Path

from gateway.runtime.wakeup import SelectWakeup
from tests.integration.running_gateway import NORIA, RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import Service, free_port, until


def test_it_names_the_broker_that_it_waits_for_and_goes_on(tmp_path: Path) -> None:
    port = free_port()
    made = RunningGateway(
        tmp_path / "noria",
        f'broker = "mqtt://127.0.0.1:{port}"\nserver_listen = "127.0.0.1:{free_port()}"\n',
    )
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker", port=port)  # skips before anything runs
    up = Service([*NORIA, "up", "--config", made.config], tmp_path / "up.log")
    up.start(lambda: f"no connection to the broker mqtt://127.0.0.1:{port}" in up.text())
    try:
        assert "\nready\n" not in up.text()
        broker.start()
        until(lambda: "\nready\n" in up.text(), 30, "ready")
    finally:
        up.stop()
        broker.stop()


def test_signals_that_come_after_the_end_ring_no_closed_bell() -> None:
    wakeup = SelectWakeup()
    wakeup.notify()
    wakeup.close()
    wakeup.notify()


def test_a_gateway_that_is_asked_to_stop_many_times_ends_cleanly(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    made = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\nchannels = []\n')
    log = (tmp_path / "gateway.log").open("w+b")
    process = subprocess.Popen([*NORIA, "gateway", "--config", made.config], stderr=log)
    until(lambda: b"ready" in (tmp_path / "gateway.log").read_bytes(), 20, "ready")
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    log.close()
    assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()
