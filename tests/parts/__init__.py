"""The real parts that tests run against, and how each is found.

``require("mosquitto")`` gives the part's path, or skips the test with the reason and the remedy.
Under ``NORIA_REQUIRE=all`` it fails instead: CI accepts no skip. ``make parts`` gets everything.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from firmware.virtual.host import interpreter
from tests.parts import influxdb
from tests.parts.errors import PartError

# Daemons live in sbin, which is not on every user's path.
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True, slots=True)
class Part:
    """One real part: how to find it, the Debian packages it comes in, what to do without them."""

    find: Callable[[], Path | None]
    packages: tuple[str, ...] = ()
    remedy: str = "run make parts"


def on_path(*names: str) -> Path | None:
    """The first program of ``names`` on the path or in the sbin folders, or None."""
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN))
    found = (shutil.which(name, path=search) for name in names)
    return next((Path(path) for path in found if path), None)


def _micropython() -> Path | None:
    """The binary. Start it with ``interpreter.find()``, which knows its loader and libraries."""
    try:
        found = interpreter.find()
    except ValueError as error:  # NORIA_MICROPYTHON names something else
        raise PartError(str(error)) from error
    return Path(found.program[-1]) if found else None


def _micropython_32_bit() -> Path | None:
    """The binary with 32-bit words, which ``interpreter.find_32_bit()`` starts."""
    found = interpreter.find_32_bit()
    return Path(found.program[-1]) if found else None


def _postgresql() -> Path | None:
    """The server; Debian keeps it off the path, in a folder for each version."""
    versions = sorted(
        (p for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        key=lambda p: int(p.parts[-3]) if p.parts[-3].isdigit() else 0,
    )
    return versions[-1] if versions else on_path("postgres")


PARTS: Mapping[str, Part] = {
    "mosquitto": Part(
        lambda: on_path("mosquitto"), ("mosquitto",), "apt-get install mosquitto, or make parts"
    ),
    "postgresql": Part(_postgresql, ("postgresql",), "apt-get install postgresql, or make parts"),
    "chromium": Part(
        lambda: on_path("chromium", "chromium-browser", "google-chrome"),
        ("chromium", "fonts-dejavu-core", "fonts-liberation"),
        "apt-get install chromium, or make parts",
    ),
    "openssl": Part(
        lambda: on_path("openssl"), ("openssl",), "apt-get install openssl, or make parts"
    ),
    "micropython": Part(_micropython),
    "micropython-i386": Part(_micropython_32_bit),
    "influxd-1.8": Part(lambda: influxdb.find("1.8"), (), "make parts (builds it with Go)"),
    "influxd-2.9": Part(
        lambda: influxdb.find("2.9"),
        ("clang", "pkg-config", "gcc", "libc6-dev"),
        "make parts (builds it with Go and Rust)",
    ),
}


def require(name: str) -> Path:
    """Where the part called ``name`` is; else the test is skipped, or fails in CI.

    Raises PartError for a name that is not in ``PARTS``.
    """
    if name not in PARTS:
        raise PartError(f"no part is called {name!r}: use one of {', '.join(PARTS)}")
    part = PARTS[name]
    found = part.find()
    if found is None:
        missing(f"{name} is not here: {part.remedy}")
    return found


def everything_required() -> bool:
    """Whether a missing part is a failure: NORIA_REQUIRE=all."""
    return os.environ.get("NORIA_REQUIRE") == "all"


def missing(reason: str) -> NoReturn:
    """Skip with ``reason``, or fail where everything is required."""
    if everything_required():
        pytest.fail(f"NORIA_REQUIRE=all, and {reason}", pytrace=False)
    pytest.skip(reason)
