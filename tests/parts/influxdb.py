"""Real InfluxDB servers, both lines that people have in the field, built with Go.

Debian's own 1.6.7 lacks ``/api/v2/write`` and 2.x is not packaged, so each is built once, into
the cache folder: 1.8.10 in about a minute, 2.9.1 (with its Rust query engine) in about five, on two
cores. ``NORIA_INFLUXD`` or an ``influxd`` on the path wins for the line that it belongs to.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from firmware.virtual.host import interpreter
from tests.parts.errors import PartError

# Where the two toolchains put themselves; not on the path of every shell.
TOOLCHAINS = (Path("/usr/local/go/bin"), Path.home() / ".cargo/bin")
VERSIONS = {"1.8": "1.8.10", "2.9": "2.9.1"}
PKG_CONFIG = "github.com/influxdata/pkg-config@v0.3.0"
MODULE_1 = "github.com/influxdata/influxdb/cmd/influxd"
MODULE_2 = "github.com/influxdata/influxdb/v2/cmd/influxd"


def find(line: str) -> Path | None:
    """The server of ``line`` ("1.8" or "2.9"), or None."""
    for given in (os.environ.get("NORIA_INFLUXD"), shutil.which("influxd")):
        if given and _line(Path(given)) == line:
            return Path(given)
    built = _target(line)
    return built if built.is_file() else None


def build(line: str) -> Path:
    """Build the server of ``line`` into the cache; takes minutes. Raises PartError."""
    go = _tool("go")
    if go is None:
        raise PartError("InfluxDB is built with Go: install Go 1.22 or newer, or set NORIA_INFLUXD")
    target = _target(line)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the finished binary appears in one rename.
    with tempfile.TemporaryDirectory(dir=target.parent.parent, prefix="building-") as scratch:
        made = (_build_1 if line == "1.8" else _build_2)(go, Path(scratch))
        made.replace(target)
    return target


def _target(line: str) -> Path:
    return interpreter.cache_folder() / f"influxd-{VERSIONS[line]}" / "influxd"


def _line(influxd: Path) -> str:
    """The line that a server belongs to, "1.8" or "2.9"; "" where it does not run.

    One built by ``go install`` has no version: 1.x then prints "vunknown", 2.x prints "dev".
    """
    try:
        done = subprocess.run(
            [influxd, "version"], capture_output=True, text=True, timeout=20, check=False
        )
    except OSError:
        return ""
    version = re.match(r"InfluxDB (v1\.|vunknown|v?2\.|dev)", done.stdout)
    if version is None:
        return ""
    return "1.8" if version[1] in ("v1.", "vunknown") else "2.9"


def _build_1(go: str, scratch: Path) -> Path:
    module = f"{MODULE_1}@v{VERSIONS['1.8']}"
    _run([go, "install", module], scratch, GOBIN=str(scratch))
    return scratch / "influxd"


def _build_2(go: str, scratch: Path) -> Path:
    for tool, remedy in (
        ("clang", "apt-get install clang"),
        ("pkg-config", "apt-get install pkg-config"),
        ("cargo", "install a Rust toolchain with rustup"),
    ):
        if _tool(tool) is None:
            raise PartError(f"InfluxDB 2 is built with {tool}: {remedy}")
    _run([go, "install", PKG_CONFIG], scratch, GOBIN=str(scratch))
    wrapper = scratch / "rustc-wrapper"
    # The query engine denies warnings that newer compilers have since added.
    wrapper.write_text('#!/bin/sh\nexec "$@" --cap-lints warn\n')
    wrapper.chmod(0o755)
    _run([go, "mod", "init", "noria.invalid/influxd"], scratch)
    _run([go, "get", f"{MODULE_2}@v{VERSIONS['2.9']}"], scratch)
    tags = "sqlite_foreign_keys,sqlite_json"
    _run(
        [go, "build", "-tags", tags, "-o", "influxd", MODULE_2],
        scratch,
        PKG_CONFIG=str(scratch / "pkg-config"),
        RUSTC_WRAPPER=str(wrapper),
        RUSTUP_TOOLCHAIN="stable",
        CGO_ENABLED="1",
    )
    return scratch / "influxd"


def _search() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *map(str, TOOLCHAINS)))


def _tool(name: str) -> str | None:
    return shutil.which(name, path=_search())


def _run(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        ["nice", "-n", "10", *command],
        cwd=folder,
        env={**os.environ, "PATH": _search(), "GOFLAGS": "-buildvcs=false", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PartError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
