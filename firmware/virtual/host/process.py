"""One interpreter process for one boot: its calls use a socket, its console goes to a file."""

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.virtual.host.interpreter import Interpreter
from firmware.virtual.host.rom import SHIMS, Rom

HALTED = 42
"""Exit code of a board that stopped as the chip does; any other is a crash."""

_CONSOLE_LIMIT = 256 * 1024
_CHUNK = 65536


class Process:
    """Runs boot.py and main.py of the ``root`` folder until the board halts or is killed.

    ``on_call`` gets each call; its result is sent back, unless the board has stopped by then.
    ``on_end`` gets the exit code, once, when the process ends by itself.
    """

    def __init__(
        self, on_call: Callable[[dict[str, Any]], dict[str, Any]], on_end: Callable[[int], None]
    ) -> None:
        self._on_call = on_call
        self._on_end = on_end
        self._wire: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._held = b""

    def start(
        self,
        interpreter: Interpreter,
        root: Path,
        heap: str | None,
        greeting: dict[str, Any],
        cable: int | None = None,
        rom: Rom | None = None,
    ) -> None:
        """Start the interpreter and send it the state of the chip.

        With ``cable``, a terminal's master side, the prompt runs there. With ``rom`` the chip's
        own modules are in ROM.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            script = "_storm" if "storm" in greeting else "_start"
            script, wire = "_prompt" if cable is not None else script, theirs.fileno()
            command = interpreter.command(
                rom.script(script, wire) if rom else [f"{SHIMS / script}.py", str(wire)],
                heap=heap,
                micropypath=[
                    str(rom.shims.parent if rom else SHIMS), str(root), ".frozen",
                    str(root / "lib"),
                ],
            )  # fmt: skip
            with _console(root).open("ab") as console:
                self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                    command,
                    cwd=root,
                    stdin=subprocess.DEVNULL if cable is None else cable,
                    stdout=console if cable is None else cable,
                    stderr=console,
                    pass_fds=(theirs.fileno(),),
                    process_group=0,  # Ctrl-C is for the host, which ends its boards itself
                )
        ours.setblocking(False)
        self._wire = ours
        ours.send(_framed(greeting))
        asyncio.get_running_loop().add_reader(ours.fileno(), self._readable)

    @property
    def running(self) -> bool:
        """Whether a boot runs."""
        return self._child is not None

    def kill(self) -> None:
        """Stop at once, as without power. ``on_end`` is not called."""
        child = self._close()
        if child is not None:
            child.kill()
            child.wait()

    def _readable(self) -> None:
        wire = self._wire
        if wire is None:
            return
        try:
            data = wire.recv(_CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._ended()
            return
        self._held += data
        while (call := self._take()) is not None:
            answer = self._on_call(call)
            if self._wire is None:  # the call ended the board
                return
            # A peer that just died is noticed at the next read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                wire.send(_framed(answer))

    def _take(self) -> dict[str, Any] | None:
        """The next complete call, or None."""
        if len(self._held) < 4:
            return None
        end = 4 + int.from_bytes(self._held[:4], "big")
        if len(self._held) < end:
            return None
        body, self._held = self._held[4:end], self._held[end:]
        return json.loads(body)

    def _ended(self) -> None:
        child = self._close()
        if child is not None:
            # It closed its socket on exit, so this wait is short.
            self._on_end(child.wait())

    def _close(self) -> subprocess.Popen[bytes] | None:
        if self._wire is not None:
            asyncio.get_running_loop().remove_reader(self._wire.fileno())
            self._wire.close()
        child, self._child, self._wire, self._held = self._child, None, None, b""
        return child


def console_tail(root: Path, lines: int = 12) -> str:
    """The last lines that the board printed."""
    console = _console(root)
    if not console.exists():
        return ""
    return "\n".join(console.read_text("utf-8", "replace").splitlines()[-lines:])


def _console(root: Path) -> Path:
    console = root.parent / "console.log"
    if console.exists() and console.stat().st_size > _CONSOLE_LIMIT:
        console.replace(console.with_suffix(".old"))
    return console


def _framed(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer, separators=(",", ":")).encode()
    return len(body).to_bytes(4, "big") + body
