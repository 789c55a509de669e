"""The speed of the demo's time at which every node runs in time on this machine."""

import json
import subprocess

from gateway.errors import NoriaError
from server.demo.programs import python

_SHARE = 0.4
"""The nodes' share of the machine; the rest is for gateway, broker, server and browser."""
_TIMEOUT_S = 120


def measure_wakes_s(interpreter: str) -> float:
    """Measure the wakes a second that the machine can run now. Raises NoriaError."""
    command = python("firmware.virtual.host.pace", "--interpreter", interpreter)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - our own module
    if ran.returncode:
        raise NoriaError(ran.stderr.strip() or "the virtual boards cannot be tried")
    return float(json.loads(ran.stdout)["wakes_s"])


def feasible_speed(wanted: float, nodes: int, interval_s: float, wakes_s: float) -> float:
    """The highest speed up to ``wanted`` at which ``nodes`` can wake every ``interval_s``."""
    most = _SHARE * wakes_s * interval_s / nodes
    return wanted if most >= wanted else max(1.0, float(int(most)))
