"""The broker as a child process: starts and ends it, also one left over from a crash."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from gateway.database import damaged
from gateway.errors import BrokerError

START_S = 15.0
END_S = 10.0
_POLL_S = 0.05
_SHOWN_LINES = 5
_LOG_BYTES = 1_000_000


QUEUES = "noria.db"
"""The file in the broker's folder that keeps queues and retained messages."""


class Child:
    """``mark`` is a part of the command line that identifies a leftover child as ours.

    As ``user`` (uid, gid) it works in ``folder``, with the mark in its name: that user cannot
    enter the folders above, so that no path in the command would be of use.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, mark: str, address: tuple[str, int],
        user: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self._command = list(command)
        self._folder = folder
        self._user = user
        self._log = folder / "broker.log"
        self._queues = folder / QUEUES
        self._pid = folder / "broker.pid"
        self._mark = mark
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        Where it ends at once and has a file of queues, it is tried once more without that file,
        which is put back when this does not help: nodes send again what no gateway has
        acknowledged. Raises BrokerError when the port is taken or when it ends, with the last
        lines it wrote.
        """
        try:
            self._start()
        except BrokerError as error:
            if self.running or not (self._queues.exists() and self._process):
                raise
            kept = damaged.set_aside(self._queues)
            try:
                self._start()
            except BrokerError:
                kept.replace(self._queues)
                raise error from None

    def _start(self) -> None:
        self._process = None
        self._end_leftover()
        _check_free(self._address)
        # The log covers this run only: it names clients, whose history is not kept.
        self._log.write_bytes(b"")
        with self._log.open("ab") as log:
            # In a session of its own, Ctrl-C at a terminal reaches only the gateway.
            self._process = self._open(log)
        self._pid.write_text(f"{self._process.pid}\n", "ascii")
        until = time.monotonic() + START_S
        while not _listening(self._address):
            if not self.running:
                raise BrokerError(f"the private broker ended at once: {self._last_lines()}")
            if time.monotonic() > until:
                self.stop()
                raise BrokerError(
                    f"the private broker does not listen after {START_S:.0f} s: "
                    f"{self._last_lines()}"
                )
            time.sleep(_POLL_S)

    def _open(self, log: BinaryIO) -> "subprocess.Popen[bytes]":
        command, program = self._command, self._command[0]
        if self._user is None:
            return subprocess.Popen(  # noqa: S603 - a fixed command, no shell
                command, stdout=log, stderr=log, start_new_session=True
            )
        uid, gid = self._user
        return subprocess.Popen(  # noqa: S603 - a fixed command, no shell
            [f"{program} ({self._mark})", *command[1:]], executable=program, stdout=log, stderr=log,
            start_new_session=True, cwd=self._folder, user=uid, group=gid, extra_groups=[],
            umask=0o077,
        )  # fmt: skip

    def trim_log(self) -> None:
        """Empty a log that strangers have filled: they may write a line with each connection."""
        with contextlib.suppress(OSError):
            if self._log.stat().st_size > _LOG_BYTES:
                os.truncate(self._log, 0)

    def reload(self) -> None:
        """SIGHUP: it reads its files again."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it, with SIGTERM first, upon which it saves its queues."""
        if self._process is not None:
            if self.running:
                self._process.terminate()
                try:
                    self._process.wait(END_S)
                except subprocess.TimeoutExpired:
                    self._process.kill()
            self._process.wait()
        self._pid.unlink(missing_ok=True)

    def _end_leftover(self) -> None:
        """End a broker that outlived a killed gateway; it saves its queues for the next one."""
        try:
            pid = int(self._pid.read_text("ascii"))
        except (OSError, ValueError):
            return
        if self._mark in _command_line(pid):
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + END_S
            while self._mark in _command_line(pid) and time.monotonic() < until:
                time.sleep(_POLL_S)
            if self._mark in _command_line(pid):
                os.kill(pid, signal.SIGKILL)
        self._pid.unlink(missing_ok=True)

    def _last_lines(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-_SHOWN_LINES:]
        return " / ".join(lines) or "it wrote nothing"


def _command_line(pid: int) -> str:
    """The command line of a running process; empty when there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ")
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603 - a fixed command and a number
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout


def _check_free(address: tuple[str, int]) -> None:
    host, port = address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = found[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise BrokerError(
            f"broker_listen = {host}:{port}: cannot be listened on ({error.strerror}): choose "
            "another address, or set broker to the URL of the broker that runs there"
        ) from error


def _listening(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(loopback_of(address), timeout=1.0).close()
    except OSError:
        return False
    return True


def loopback_of(address: tuple[str, int]) -> tuple[str, int]:
    """The address at which this machine reaches a listener, which may be on every interface."""
    host, port = address
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared, not bound
