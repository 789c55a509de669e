"""The ``noria`` command in a process of its own that need not read its libraries first.

It is forked from one that has: a tenth of a second for each command, where a fresh interpreter
takes half of one. That the installed command starts by itself, ``test_server_program`` shows.
"""

import multiprocessing
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from server.command.main import noria as _noria

_LIBRARIES = ("click", "tomlkit", "msgspec", "sqlalchemy.dialects.sqlite", "gateway.database",
              "cryptography.hazmat.primitives.asymmetric.ed25519")  # fmt: skip
_LONGEST_S = 60.0

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["tests.parts.commands", "server.command.main", *_LIBRARIES])


def noria(*words: str, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints. Raises CalledProcessError when it fails, TimeoutExpired."""
    whole = {**os.environ, **(environment or {})}
    with tempfile.TemporaryDirectory(prefix="noria-command-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _fork.Process(target=_run, args=(words, whole, Path.cwd(), out, err))
        process.start()
        process.join(_LONGEST_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["noria", *words], _LONGEST_S, err.read_text("utf-8"))
        output, errors = (path.read_text("utf-8") if path.exists() else "" for path in (out, err))
    if process.exitcode:
        raise subprocess.CalledProcessError(process.exitcode, ["noria", *words], output, errors)
    return output


def _run(
    words: tuple[str, ...], environment: Mapping[str, str], folder: Path, out: Path, err: Path
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    _noria(words)
