"""``python -m tests.parts``: get every real part that is missing, with a line of progress for each.

Debian's packages come by apt-get (as root, or by ``sudo -n``), MicroPython from the next Debian
release into the cache folder, InfluxDB from its Go modules. A second run takes a second.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

from firmware.virtual.host import apt, interpreter
from tests.parts import PARTS, influxdb
from tests.parts.errors import PartError


def report(text: str) -> None:
    """A line of progress."""
    print(f"parts: {text}", flush=True)


def main() -> int:
    """Get what is missing; exit status 1 when something could not be had."""
    lacking = [name for name, part in PARTS.items() if part.find() is None]
    failures: list[str] = []
    packages = [package for name in lacking for package in PARTS[name].packages]
    if packages:
        _attempt("Debian packages", lambda: _apt_install(packages), failures)
    for name in lacking:
        get = _GETTERS.get(name)
        if get is not None:
            _attempt(name, get, failures)
    for name, part in PARTS.items():
        found = part.find()
        report(f"{name:16} {found or 'MISSING: ' + part.remedy}")
        if found is None:
            failures.append(name)
    return 1 if failures else 0


def _attempt(name: str, get: Callable[[], object], failures: list[str]) -> None:
    report(f"getting {name} ...")
    begun = time.monotonic()
    try:
        get()
    except (PartError, apt.FetchError) as error:
        failures.append(name)
        report(f"{name} could not be had: {error}")
    else:
        report(f"{name} after {time.monotonic() - begun:.0f} s")


def _apt_install(packages: list[str]) -> None:
    if shutil.which("apt-get") is None:
        raise PartError(f"this is not Debian: install {' '.join(packages)} another way")
    root = _as_root()
    wanted = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    _run([*wanted, "update"])
    _run([*wanted, "install", "--no-install-recommends", *packages])


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _quiet(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    raise PartError(
        "installing packages takes root, and sudo asks for a password here: "
        "run make parts as root once, or install them yourself"
    )


def _quiet(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PartError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


_GETTERS: dict[str, Callable[[], object]] = {
    "micropython": lambda: interpreter.find(fetch=True),
    "micropython-i386": lambda: interpreter.find_32_bit(fetch=True),
    "influxd-1.8": lambda: influxdb.build("1.8"),
    "influxd-2.9": lambda: influxdb.build("2.9"),
}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PartError as error:
        sys.exit(f"parts: {error}")
