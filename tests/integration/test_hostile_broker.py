"""A real gateway beside a broker that breaks the protocol: it says so, waits, and goes on."""

import socket
import threading
from pathlib import Path

from tests.integration.running_gateway import RunningGateway
from tests.parts.services import until

TRUNCATED = b"\x32\x02\xff\xff"


class HostileBroker(threading.Thread):
    """Accepts every login and subscription, then sends a PUBLISH that is shorter than its topic."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.connections = 0
        self.subscribed = threading.Event()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x20\x02\x00\x00")
                asked = connection.recv(4096)
                mid = asked[2:4]
                connection.sendall(b"\x90\x03" + mid + b"\x01")
                self.subscribed.wait(2.0)  # the gateway prints that it is ready
                connection.sendall(TRUNCATED)
                while connection.recv(4096):
                    pass


def test_a_truncated_publish_does_not_end_the_gateway(tmp_path: Path) -> None:
    broker = HostileBroker()
    broker.start()
    gateway = RunningGateway(tmp_path / "noria", f'broker = "mqtt://127.0.0.1:{broker.port}"\n')
    gateway.start()
    try:
        until(lambda: broker.connections >= 2, 30, "it connects again")
        text = gateway.log.read_text()
        assert "shorter than its topic" in text and "Traceback" not in text
        assert gateway.status()["broker"]["connected"] in (True, False)  # it answers
        assert text.count("\n") < 40
    finally:
        gateway.stop()
        broker.listener.close()
