"""``python -m firmware.virtual.host.run --fleet fleet.json``: a fleet as a process.

It reads commands as JSON lines from standard input (``story.py``) and prints events as JSON lines.
It ends at ``{"do": "stop"}``, end of input, SIGTERM or SIGINT, and leaves no process behind.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from firmware.virtual.host import story
from firmware.virtual.host.board import Event
from firmware.virtual.host.fleet import Fleet, FleetError, load

_CHUNK = 65536


def main() -> int:
    """Run the fleet; exit code 0 after a clean end, 2 when it could not be built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleet", type=Path, required=True, help="fleet.json")
    parser.add_argument("--data", type=Path, help="flash folders are kept here (default: thrown)")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="noria-fleet-") as scratch:
            asyncio.run(_run(load(given.fleet), given.data or Path(scratch)))
    except FleetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _run(plan: dict[str, Any], folder: Path) -> None:
    fleet = Fleet(plan, folder.resolve(), _print)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with fleet:
        _print(
            {"event": "ready", "boards": len(fleet.boards), "interpreter": fleet.interpreter.name}
        )
        threading.Thread(target=_listen, args=(loop, fleet, stop), daemon=True).start()
        await stop.wait()
    _print({"event": "stopped", "wakes": sum(board.wakes for board in fleet.boards.values())})


def _listen(loop: asyncio.AbstractEventLoop, fleet: Fleet, stop: asyncio.Event) -> None:
    """Read commands until the end of input, in a thread, since the loop cannot poll files."""
    held = b""
    with suppress(RuntimeError):  # the loop has closed
        while data := os.read(0, _CHUNK):
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                if line.strip():
                    loop.call_soon_threadsafe(_execute, fleet, line, stop)
        loop.call_soon_threadsafe(stop.set)


def _execute(fleet: Fleet, line: bytes, stop: asyncio.Event) -> None:
    command: dict[str, Any] = {}
    try:
        command = json.loads(line)
        if command.get("do") == "stop":
            stop.set()
            return
        answer: Event = {"event": "done", "do": command["do"], "value": story.do(fleet, command)}
    except (ValueError, KeyError, AttributeError, FleetError) as error:
        answer = {"event": "error", "message": f"{error}", "line": line.decode("utf-8", "replace")}
    _print(answer)


def _print(event: Event) -> None:
    """Print one line at once; the boards go on when nobody reads any more."""
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
