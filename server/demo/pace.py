"""How fast the demo's time may run, so that no node starves on this machine."""

import json
import subprocess

from gateway.errors import NoriaError
from server.demo.programs import python

_SHARE = 0.4
"""The nodes' share of the machine: the rest is for gateway, broker, page and its browser."""
_PATIENCE_S = 120


def wakes_s(interpreter: str) -> float:
    """Wakes a second that the machine carries now. Raises NoriaError when it cannot be tried."""
    command = python("firmware.virtual.host.pace", "--interpreter", interpreter)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603 - our own module
    if ran.returncode:
        raise NoriaError(ran.stderr.strip() or "the virtual boards cannot be tried")
    return float(json.loads(ran.stdout)["wakes_s"])


def bearable(wanted: float, nodes: int, interval_s: float, carried_wakes_s: float) -> float:
    """The speed: ``wanted``, or so much less that ``nodes`` waking each ``interval_s`` fit."""
    most = _SHARE * carried_wakes_s * interval_s / nodes
    return wanted if most >= wanted else max(1.0, float(int(most)))
