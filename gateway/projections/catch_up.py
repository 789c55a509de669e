"""Waiting until a projection has applied the whole journal, for commands."""

import time
from collections.abc import Callable

from gateway.projections.runner import Runner

_LAG_POLL_S, _REPORT_EVERY_S = 0.05, 2.0


def catch_up(runner: Runner, name: str, report: Callable[[str], None]) -> None:
    """Run ``runner`` until its lag is 0, for a command that waits while no gateway runs.

    ``report`` receives a sentence for each new trouble, and every 2 s one about the progress.
    """
    begun = reported = time.monotonic()
    trouble: str | None = None
    runner.start()
    try:
        while (left := runner.lag()) > 0:
            if runner.trouble not in (None, trouble):
                trouble = runner.trouble
                report(f"{name} waits and tries again: {trouble}")
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                report(f"{name}: {left} entries left after {reported - begun:.0f} s")
            time.sleep(_LAG_POLL_S)
    finally:
        runner.stop()


def wait_for(lag: Callable[[], int], longest_s: float) -> int:
    """Wait until another process has brought ``lag`` to 0; returns what is left of it (real s)."""
    deadline = time.monotonic() + longest_s
    while (left := lag()) > 0 and time.monotonic() < deadline:
        time.sleep(_LAG_POLL_S)
    return left
