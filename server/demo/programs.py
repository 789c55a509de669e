"""The demo's child processes: ``noria up`` and the fleet of virtual boards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.errors import NoriaError


class Child:
    """A child in its own process group; ``on_line`` receives each line of its output."""

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._log = log.open("a", encoding="utf-8")
        self._on_line = on_line
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._log.write(line)
            self._log.flush()
            self._on_line(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def send(self, command: dict[str, Any]) -> None:
        """Send a line of JSON. Raises NoriaError when the process has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise NoriaError(
                f"{self.name} ended early; its log says why: {self._log.name}"
            ) from error

    def end(self, timeout_s: float = 10.0) -> None:
        """Send SIGTERM, and SIGKILL to the whole group after ``timeout_s``."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(2.0)
        self._log.close()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *arguments]
