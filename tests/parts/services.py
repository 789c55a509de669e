"""Real services as subprocesses: free port, own folder, ready or failed with their log."""

import contextlib
import itertools
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.parts.errors import PartError

START_S = 60.0
STOP_S = 30.0
_PATIENCE = 2.0


# Below those that Linux gives to outgoing connections and to whoever binds port 0: what is free now
# is still free when a service has started. Each process begins elsewhere, and gives none twice.
_PORTS = range(10_000, 32_000)
_ports = itertools.cycle(_PORTS)
for _ in range(secrets.randbelow(len(_PORTS))):
    next(_ports)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is free at this moment."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("_ports has no end")


def until(
    condition: Callable[[], bool], timeout_s: float = 15.0, what: str = "the condition"
) -> None:
    """Wait until ``condition()``; raises TimeoutError naming ``what``.

    ``timeout_s`` is for an idle machine. On a busy one the wait may be longer: twice, times the
    load of each core.
    """
    began = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - began
        if waited_s > timeout_s * _PATIENCE * max(1.0, _load_per_core()):
            raise TimeoutError(f"{what}: not within {waited_s:.0f} s, load {_load_per_core():.1f}")
        time.sleep(0.02)


def _load_per_core() -> float:
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def listening(port: int) -> bool:
    """Whether a program accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Service:
    """A subprocess with its log in a file. Ends with ``stop_signal``, then SIGKILL."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], timeout_s: float = START_S) -> None:
        """Start, and return when ``ready()``. Raises PartError with the log's end otherwise."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        deadline = time.monotonic() + timeout_s
        while not ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                how = f"ended with status {code}" if code is not None else "is not ready"
                self.stop()
                raise PartError(f"{self.command[0]} {how}:\n{self.text()[-3000:]}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process id. Raises PartError when it was never started."""
        if self._process is None:
            raise PartError(f"{self.command[0]} is not running")
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL, as ``kill -9``, and wait for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)

    def stop(self) -> None:
        """``stop_signal``; SIGKILL when it does not end within ``STOP_S``."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def text(self) -> str:
        """The log written so far."""
        return self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""
