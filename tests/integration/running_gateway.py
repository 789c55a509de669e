"""A gateway as a process with its own folder, controlled by the ``noria`` command."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from gateway import settings
from gateway.monitoring import status as gateway_status
from tests.parts.commands import noria
from tests.parts.services import Service, until

NORIA = (sys.executable, "-m", "server.command")
_PLACE = """\
[[site]]
id = "north"
[[tank]]
id = "north-1"
site = "north"
shape = "ibc1000"
sensor_height_mm = 1100
"""


class RunningGateway:
    """``noria gateway`` in ``folder``, with ``configuration`` (TOML)."""

    def __init__(self, folder: Path, configuration: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "noria.toml"
        self.config.write_text(configuration, "utf-8")
        self.log = folder / "gateway.log"
        self._service = Service([*NORIA, "gateway", "--config", self.config], self.log)

    def enrol(self, keys: dict[str, bytes], more: str = "") -> None:
        """Import devices with their keys; ``more`` is added to each device's table."""
        devices = "".join(
            f'[[device]]\nid = "{device}"\ntank = "north-1"\nkey = "{key.hex()}"\n{more}\n'
            for device, key in keys.items()
        )
        file = self.folder / "registry.toml"
        file.write_text(_PLACE + devices, "utf-8")
        self.noria("registry", "import", str(file))

    def start(self) -> None:
        """Start, and return when it has printed ``ready``."""
        before = self._text().count("ready\n")
        self._service.start(lambda: self._text().count("ready\n") > before)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._service.pid

    def kill(self) -> None:
        """``kill -9``."""
        self._service.kill()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._service.stop()

    def pause(self) -> None:
        """SIGSTOP: it neither reads nor writes until ``resume``."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def noria(self, *words: str) -> str:
        """The output of a command. Raises CalledProcessError when it fails."""
        return noria(*words, "--config", str(self.config))

    def status(self) -> dict[str, Any]:
        """``noria status --json``."""
        return json.loads(self.noria("status", "--json"))

    def glance(self) -> dict[str, Any]:
        """The same, without starting a command, for polling."""
        return gateway_status.read_status(settings.read(self.config))

    def exported(self) -> list[dict[str, Any]]:
        """The messages of ``noria journal export``."""
        lines = [json.loads(line) for line in self.noria("journal", "export").splitlines()]
        return [line for line in lines if "topic" in line]

    def exported_own(self) -> list[dict[str, Any]]:
        """The same of this gateway's own journal, where several share a database."""
        lines = self.noria("journal", "export", "--own").splitlines()
        return [line for line in map(json.loads, lines) if "topic" in line]

    def readings(self) -> list[dict[str, Any]]:
        """``noria export readings``, once the store has caught up."""
        until(lambda: self._lag() == 0, 30, "the store's lag is 0")
        return [json.loads(line) for line in self.noria("export", "readings").splitlines()]

    def _lag(self) -> int | None:
        """The store's lag; None while the store has not reported yet, as after a trouble."""
        lag: int | None = self.glance()["projections"].get("store", {}).get("lag")
        return lag

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self._service.pid, number)

    def _text(self) -> str:
        return self.log.read_text("utf-8") if self.log.exists() else ""
