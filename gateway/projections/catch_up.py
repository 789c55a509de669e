"""Lets a projection reach the journal's end outside a running gateway, for a command that waits."""

import time
from collections.abc import Callable

from gateway.projections.runner import Runner

_LOOK_S = 0.05
_QUIET_S = 2.0

Tell = Callable[[str], None]
"""Says one sentence to the person who waits."""


def catch_up(runner: Runner, name: str, tell: Tell) -> None:
    """Run ``runner`` until nothing is left to apply, telling how far it is when it takes long."""
    begun = told = time.monotonic()
    trouble: str | None = None
    runner.start()
    try:
        while (left := runner.lag()) > 0:
            if runner.trouble not in (None, trouble):
                trouble = runner.trouble
                tell(f"{name} waits and tries again: {trouble}")
            if time.monotonic() - told > _QUIET_S:
                told = time.monotonic()
                tell(f"{name}: {left} entries left after {told - begun:.0f} s")
            time.sleep(_LOOK_S)
    finally:
        runner.stop()


def wait_for(lag: Callable[[], int], longest_s: float) -> int:
    """Wait until another process has brought ``lag`` to 0; returns what is left (real seconds)."""
    deadline = time.monotonic() + longest_s
    while (left := lag()) > 0 and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return left
