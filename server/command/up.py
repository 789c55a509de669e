"""``noria up``: runs gateway (with its broker) and server as two processes, and restarts them."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import click

from gateway.settings import Settings
from server.command.config import settings_of, with_config

_PRIORITY = re.compile(r"<[0-7]>")
_PATIENCE_S, _LONGEST_PATIENCE_S = 5.0, 300.0
_WRONG_SETTING = 2
"""Exit status of a program that cannot start until a person changes a setting."""


@click.command()
@with_config
def up(config: str | None) -> None:
    """Run everything: broker, gateway and server. Ctrl-C or SIGTERM ends it."""
    settings = settings_of(config)
    sys.exit(Programs(settings).run())


class Program:
    """One child process, started again with back-off when it dies."""

    def __init__(self, name: str, config: Path) -> None:
        self.name = name
        self.ready = threading.Event()
        self._command = [sys.executable, "-m", "server.command", name, "--config", str(config)]
        self._process: subprocess.Popen[str] | None = None
        self._stopping = False
        self._wait_s = 1.0
        self.exit_status: int | None = None

    def follow(self) -> None:
        """Run until ``stop``; returns at once on a wrong setting."""
        while not self._stopping:
            started = time.monotonic()
            status = self._run_once()
            if self._stopping or (status == _WRONG_SETTING and not self.ready.is_set()):
                self.exit_status = 0 if self._stopping else status
                break
            self._wait_s = 1.0 if time.monotonic() - started > 60 else min(self._wait_s * 2, 30.0)
            click.echo(f"{self.name} ended ({status}); again in {self._wait_s:.0f} s", err=True)
            time.sleep(self._wait_s)
        self.ready.set()

    def _run_once(self) -> int:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command, stderr=subprocess.PIPE, text=True
        )
        self._process = process
        if self._stopping:
            process.terminate()
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip() == "ready":
                self.ready.set()
            else:
                # journald reads an event's priority from the start of its line.
                priority = _PRIORITY.match(line)
                begin = priority.group() if priority else ""
                rest = line[len(begin) :]
                click.echo(f"{begin}{self.name}: {rest}", nl=False, err=True)
        return process.wait()

    def stop(self) -> None:
        """Ask the process to end."""
        self._stopping = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()


class Programs:
    """Gateway and server: ready when both are, ended together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        config = settings.source
        self._programs = [Program("gateway", config), Program("server", config)]

    def run(self) -> int:
        """Block until SIGTERM or SIGINT; returns the status of one that could not start, else 0."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        threads = [threading.Thread(target=p.follow, name=p.name) for p in self._programs]
        for thread in threads:
            thread.start()
        threading.Thread(target=self._announce, daemon=True).start()
        while any(t.is_alive() for t in threads):
            for program in self._programs:
                if program.exit_status is not None:
                    self._end(0, None)
            time.sleep(0.1)
        return max((p.exit_status or 0 for p in self._programs), default=0)

    def _announce(self) -> None:
        for program in self._programs:
            wait_s = _PATIENCE_S
            while not program.ready.wait(wait_s):
                click.echo(f"{program.name} is not ready yet{self._why(program.name)}", err=True)
                wait_s = min(wait_s * 2, _LONGEST_PATIENCE_S)
        if all(p.exit_status is None for p in self._programs):
            click.echo("ready", err=True)

    def _why(self, name: str) -> str:
        """What it waits for, where that is known."""
        settings = self._settings
        if name != "gateway" or settings.broker == "auto":
            return ""
        # Imported here: SQLAlchemy takes 15 MB, which the usual run never needs.
        from gateway.database import heartbeat
        from gateway.database.engine import open_database

        engine = open_database(settings)
        known = heartbeat.read(engine, settings.gateway_id)
        engine.dispose()
        if not known.running or known.connected:
            return ""
        return (
            f": it has no connection to the broker {settings.broker}. It tries again by itself; "
            f"start that broker, or correct broker in {settings.source}"
        )

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        for program in self._programs:
            program.stop()
