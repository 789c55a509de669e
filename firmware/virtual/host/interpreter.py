"""Finds or fetches the interpreter that runs the firmware: MicroPython's unix port, or CPython.

``python -m firmware.virtual.host.interpreter`` prints it, and fetches it if need be.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.virtual.host import apt

_OLDEST = (1, 24)  # before it the unix port has no tls module
_RELEASE_WITH_IT = {"bookworm": "trixie", "bullseye": "trixie", "trixie": "trixie"}
_FROZEN = ".frozen"
_VERSION = re.compile(r"MicroPython v(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A way to start a firmware script. ``kind`` is ``micropython`` or ``cpython``."""

    kind: str
    name: str
    program: tuple[str, ...]

    def command(
        self,
        script_args: Sequence[str],
        *,
        heap: str | None = None,
        micropypath: str | Sequence[str] = (),
    ) -> list[str]:
        """The argument list that runs ``script_args`` (a script, or ``-c`` and code).

        ``heap`` is a size such as ``"320K"`` (words are 64 bits: an ESP32's 160 KB). CPython has
        no such limit. ``micropypath`` is the module search path, first entry first; MicroPython's
        frozen modules are added to it where the caller did not place them.
        """
        given = micropypath.split(":") if isinstance(micropypath, str) else list(micropypath)
        folders = [folder for folder in given if folder]
        if self.kind == "cpython":
            path = ":".join(folder for folder in folders if folder != _FROZEN)
            return ["/usr/bin/env", f"PYTHONPATH={path}", *self.program, "-s", "-B", *script_args]
        if _FROZEN not in folders:
            folders.append(_FROZEN)
        options = ["-X", f"heapsize={heap}"] if heap else []
        path = f"MICROPYPATH={':'.join(folders)}"
        return ["/usr/bin/env", path, *self.program, *options, *script_args]


def find(fetch: bool = False) -> Interpreter | None:
    """MicroPython of version 1.24 or later, or None.

    Looks at ``$NORIA_MICROPYTHON``, the PATH and Noria's cache folder; with ``fetch`` it then
    takes Debian's package into that cache. Raises :class:`firmware.virtual.host.apt.FetchError`
    when the fetch fails, and ValueError when ``$NORIA_MICROPYTHON`` names something else.
    """
    named = os.environ.get("NORIA_MICROPYTHON")
    if named:
        interpreter = _micropython((named,))
        if interpreter is None:
            raise ValueError(
                f"NORIA_MICROPYTHON={named} is no MicroPython >= {_dotted(_OLDEST)}: "
                "name its unix port, or unset it"
            )
        return interpreter
    on_path = shutil.which("micropython")
    return (_micropython((on_path,)) if on_path else None) or _cached() or _fetched(fetch)


def find_32_bit(fetch: bool = False) -> Interpreter | None:
    """MicroPython with 32-bit words, as on the chip, for heap figures; None if not installed.

    With ``fetch`` it takes Debian's i386 package into the cache folder; raises FetchError.
    """
    tree = cache_folder() / "micropython-i386"
    found = _in_tree(tree)
    if found is None and fetch:
        _fetch_into(tree, "i386")
        found = _in_tree(tree)
    return found


def cpython() -> Interpreter:
    """The interpreter that runs this program, for the same firmware with the same shims."""
    return Interpreter("cpython", "CPython with the same shims", (sys.executable,))


def cache_folder() -> Path:
    """The folder of fetched parts."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "noria"


def _cached() -> Interpreter | None:
    return _in_tree(_tree())


def _in_tree(tree: Path) -> Interpreter | None:
    # With the tree's own loader and libraries: this machine's C library may be too old.
    loaders = sorted(tree.glob("usr/lib/*/ld-linux*.so*"))
    if not loaders:
        return None
    library = str(loaders[0].parent)
    micropython = str(tree / "usr/bin/micropython")
    return _micropython((str(loaders[0]), "--library-path", library, micropython))


def _fetched(fetch: bool) -> Interpreter | None:
    if not fetch:
        return None
    _fetch_into(_tree(), None)
    return _cached()


def _fetch_into(tree: Path, architecture: str | None) -> None:
    here = apt.codename()
    release = _RELEASE_WITH_IT.get(here)
    if release is None:
        raise apt.FetchError(f"no MicroPython is known for Debian {here}: put one on the PATH")
    tree.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(tree, ignore_errors=True)  # an unusable one is fetched again
    apt.fetch("micropython", release, tree, architecture)


def _tree() -> Path:
    return cache_folder() / f"micropython-{os.uname().machine}"


@functools.cache
def _micropython(program: tuple[str, ...]) -> Interpreter | None:
    """The interpreter at ``program`` if it starts and is new enough, else None."""
    try:
        output = subprocess.run(  # noqa: S603 - a path of ours, or one that the user named
            [*program, "-c", "import sys; print(sys.version)"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        ).stdout
    except OSError:
        return None
    version = _VERSION.search(output)
    if version is None or (found := (int(version[1]), int(version[2]))) < _OLDEST:
        return None
    return Interpreter("micropython", f"MicroPython {_dotted(found)} unix", program)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def main() -> int:
    """Print the interpreter in use; exit code 1 when there is only CPython."""
    try:
        found = find(fetch=True)
    except (apt.FetchError, ValueError) as error:
        print(f"{error}\nfalling back to {cpython().name}", file=sys.stderr)
        return 1
    if found is None:
        print("the fetched MicroPython does not start on this machine", file=sys.stderr)
        return 1
    print(found.name, *found.program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
