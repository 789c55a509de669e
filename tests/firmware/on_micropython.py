"""Runs the modules of ``on_device/`` on the real interpreter, the longest beside other tests.

Those only compute, by a clock of their own, so they run at the lowest priority while others wait:
on two cores they cost a run of all tests next to nothing. The others run when their turn comes.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from firmware.virtual.host import interpreter

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"
VECTORS = HERE.parent / "vectors"
CUTS = int(os.environ.get("NORIA_CUTS", "100"))
"""Power cuts of the longest checks; from 1,000 on all of them run at their full size."""
LONGEST = ("volume_checks", "cut_checks", "forgery_checks", "clock_checks", "away_checks")
"""What may begin before its turn, in this order."""
_NICE = ("nice", "-n", "19")

Outcomes = dict[str, str | None]
"""The error of each check by its name, None where it holds."""


class Runs:
    """Each module once, for each number of cuts; ``stop`` ends what still runs."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)  # the other core is for what is timed
        self._begun: dict[tuple[str, int], Future[Outcomes]] = {}
        self._running: set[subprocess.Popen[str]] = set()

    def begin(self, modules: Iterable[str], cuts: int) -> None:
        """Start those that may begin before their turn."""
        for module in sorted(set(modules) & set(LONGEST), key=LONGEST.index):
            self._begun[module, cuts] = self._pool.submit(self._run, module, cuts, _NICE)

    def outcomes(self, module: str, cuts: int) -> Outcomes:
        """The outcomes of a module's checks, once it ran. Raises AssertionError if it crashed."""
        if (module, cuts) not in self._begun:
            with ThreadPoolExecutor(1) as pool:  # not behind those that wait
                self._begun[module, cuts] = pool.submit(self._run, module, cuts)
        return self._begun[module, cuts].result()

    def stop(self) -> None:
        """The tests are over."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self._running):
            process.kill()

    def _run(self, module: str, cuts: int, before: Sequence[str] = ()) -> Outcomes:
        found = interpreter.find()
        assert found is not None
        command = found.command(
            [str(HERE / "on_device" / "run.py"), module, str(VECTORS)],
            heap="24M",  # the flash of many boards; each collection walks all of it
            micropypath=[str(DEVICE), str(HERE / "on_device")],
        )
        process = subprocess.Popen(
            [*before, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NORIA_CUTS": str(cuts)},
        )
        self._running.add(process)
        output, errors = process.communicate()
        self._running.discard(process)
        assert process.returncode == 0, output + errors
        print("\n".join(line for line in output.splitlines() if line.startswith("#")))
        # Between the results there is what a node tells on its console.
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        return {line["name"]: line["error"] for line in lines}


RUNS = Runs()
