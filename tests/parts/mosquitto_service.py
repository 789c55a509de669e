"""A real Mosquitto as a subprocess, to be killed and started again as a fault test needs."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from tests.parts import require
from tests.parts.services import Service, free_port, listening


class Mosquitto:
    """A real Mosquitto in ``folder``. Kill it and start it again as a fault test needs."""

    def __init__(self, folder: Path, config: str | None = None, port: int | None = None) -> None:
        """``config`` is the text of a configuration; ``{port}`` and ``{folder}`` are filled in.

        Without it: one listener on a free port, anonymous, persistent, with the limits that the
        gateway's own private broker has.
        """
        self.folder = folder
        self.port = port or free_port()
        text = _MOSQUITTO if config is None else config
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            text.replace("{port}", str(self.port)).replace("{folder}", str(folder)),
            encoding="utf-8",
        )
        self._config.chmod(0o600)
        self._service = Service(
            [require("mosquitto"), "-c", self._config], folder / "mosquitto.log"
        )

    @property
    def url(self) -> str:
        """``mqtt://127.0.0.1:port``."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._service.pid

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self._service.text()

    def start(self) -> None:
        """Start on the same port and folder as before. Raises PartError with its log."""
        self._service.start(lambda: listening(self.port))

    def kill(self) -> None:
        """``kill -9``."""
        self._service.kill()

    def stop(self) -> None:
        """End it cleanly."""
        self._service.stop()


# Started as root Mosquitto drops to its own user, who cannot enter a test's private folder.
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location {folder}/
autosave_interval 5
message_size_limit 16384
max_queued_messages 1000000
max_inflight_messages 1000
set_tcp_nodelay true
log_dest stdout
"""


@contextlib.contextmanager
def mosquitto(folder: Path, config: str | None = None) -> Generator[Mosquitto]:
    """A running Mosquitto, ended afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, config)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
