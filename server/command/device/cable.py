"""A board on a cable: runs mpremote and esptool, and explains their errors.

``pip install noria[device]`` installs both.
"""

import importlib.util
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.errors import NoriaError

_TIMEOUT_S = 300
HELLO_S = 20
_INSTALL = "pip install 'noria[device]'"


class CableError(NoriaError):
    """The board cannot be reached, or a step failed; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Cable:
    """A board at ``port``. With ``dry_run`` each step is printed and not run."""

    port: str
    dry_run: bool = False

    def check(self) -> None:
        """Raise CableError unless the port exists and may be opened."""
        if self.dry_run or not self.port.startswith("/"):
            return  # COM3 and the like: the tool reports a missing port
        path = Path(self.port)
        if not path.exists():
            raise CableError(f"{self.port} is not there: {_ports()}")
        if not os.access(path, os.R_OK | os.W_OK):
            raise CableError(
                f"{self.port} may not be opened: add yourself to its group "
                "('sudo usermod -aG dialout $USER'), then sign in again"
            )

    def hello(self) -> None:
        """Raise CableError unless the board's prompt answers."""
        if not self.dry_run:
            arguments = ["connect", self.port, "exec", "print('hello')"]
            self._run("mpremote", arguments, "Asking the board for its prompt.", HELLO_S)

    def mpremote(self, *arguments: str, words: str) -> str:
        """Run mpremote at the port; returns its output. Raises CableError."""
        return self._run("mpremote", ["connect", self.port, *arguments], words)

    def esptool(self, *arguments: str, words: str) -> str:
        """Run esptool at the port; returns its output. Raises CableError."""
        return self._run("esptool", ["--port", self.port, *arguments], words)

    def _run(self, tool: str, arguments: list[str], words: str, timeout_s: int = _TIMEOUT_S) -> str:
        click.echo(words)
        if self.dry_run:
            click.echo("  $ " + " ".join([tool, *(_shown(argument) for argument in arguments)]))
            return ""
        if importlib.util.find_spec(tool) is None:
            raise CableError(f"{tool} is not installed: {_INSTALL}")
        try:
            ran = subprocess.run(  # noqa: S603 - our own interpreter and a tool of its packages
                [sys.executable, "-m", tool, *arguments],
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout_s,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise CableError(_asleep(self.port)) from None
        if ran.returncode:
            raise CableError(_explained(tool, self.port, ran.stdout + ran.stderr))
        return ran.stdout


def _shown(argument: str) -> str:
    return "'…'" if "\n" in argument else shlex.quote(argument)


def _ports() -> str:
    if importlib.util.find_spec("serial") is None:
        return f"plug the board in. To see the ports: {_INSTALL}"
    from serial.tools import list_ports

    found = [port.device for port in list_ports.comports() if port.vid is not None]
    return f"this machine has {', '.join(found)}" if found else "no board is plugged in"


def _asleep(port: str) -> str:
    return (
        f"the board at {port} does not answer, it may be asleep: press its reset button and try "
        "again within two minutes"
    )


def _explained(tool: str, port: str, output: str) -> str:
    lowered = output.lower()
    tail = "\n".join(line for line in output.strip().splitlines()[-3:])
    if "in use" in lowered or "resource busy" in lowered or "failed to access" in lowered:
        return f"{port} is busy: close the program that has it open (a serial monitor), try again"
    if "raw repl" in lowered or "failed to connect" in lowered or "no serial data" in lowered:
        return _asleep(port)
    if "could not open" in lowered or "no such file" in lowered:
        return f"{port} cannot be opened: {_ports()}"
    return f"{tool} failed at {port}:\n{tail}"
