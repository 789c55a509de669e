"""``python -m tests.integration.killed_archiving TEMPLATE FOLDER POINTS``: kill -9 in archiving.

A point is a call or a return of a function of ``gateway.journal`` or of one that it calls in C
(SQLite, the file system). A child process archives a copy of the journal and kills itself there.
The journal must read as before, and again after the next run. Prints a line of JSON for each point.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.integration import archived

LARGEST = 400
ALWAYS = (
    "finish",
    "verify",
    "_catalogued",
    "_sync",
    "_transaction",
    "_delete_bodies",
    "_archive_errors",
)
BEFORE = archived.SEPTEMBER


class Kill:
    """Counts the events in ``gateway.journal`` and kills the process at number ``point``."""

    def __init__(self, point: int) -> None:
        self._point = point
        self.seen: list[str] = []

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        if "/gateway/journal/" not in frame.f_code.co_filename:
            return
        name = getattr(arg, "__name__", "") if event.startswith("c_") else frame.f_code.co_name
        self.seen.append(f"{event} {name}")
        if len(self.seen) == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def archive(folder: Path, point: int) -> list[str]:
    """Archive until the kill at ``point``; returns all events where there are fewer."""
    kill = Kill(point)
    sys.setprofile(kill)
    try:
        archived.archive(folder, BEFORE, LARGEST)
    finally:
        sys.setprofile(None)
    return kill.seen


def killed(folder: Path, point: int) -> int:
    """Archive until ``point`` in a child; returns the signal that ended it."""
    child = os.fork()
    if child == 0:
        archive(folder, point)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def points(events: list[str], wanted: int) -> list[int]:
    """The points of every important function, and evenly spaced ones between them."""
    first = {name: n for n, name in reversed(list(enumerate(events, 1)))}
    always = {first[f"{event} {name}"] for name in ALWAYS for event in ("call", "return")}
    even = range(1, len(events), max(1, len(events) // wanted))
    return sorted({*even, *always})


def main(template: Path, folder: Path, wanted: int) -> None:
    """Run every point on its own copy."""
    before = archived.entries(template)
    events = archive(archived.copied(template, folder / "whole"), 0)
    for point in points(events, wanted):
        copy = archived.copied(template, folder / str(point))
        status = killed(copy, point)
        left = archived.entries(copy) == before
        halfway = {"segments": len(archived.segments(copy)), "bodies": archived.bodies(copy)}
        archived.archive(copy, BEFORE, LARGEST)
        outcome: dict[str, Any] = {
            "at": events[point - 1],
            "status": status,
            "left": left,
            "after": archived.entries(copy) == before,
            "bodies": archived.bodies(copy),
            "strays": [p.name for p in (copy / "archive").iterdir() if p.suffix == ".new"],
            "faults": archived.faults(copy),
            "halfway": halfway,
        }
        print(json.dumps(outcome), flush=True)
        shutil.rmtree(copy)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
