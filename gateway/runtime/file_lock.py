"""The lock file of a data folder, which admits one writing process."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import NoriaError

NAME = "gateway.lock"


class LockHeldError(NoriaError):
    """Another process has the lock; the message names it and the remedy."""


@contextmanager
def hold(path: Path) -> Generator[None]:
    """Hold the lock at ``path`` (``data/gateway.lock``) until the block ends.

    The kernel releases it when the process dies. Raises LockHeldError when another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise LockHeldError(
                f"process {holder} uses the data folder {path.parent}: end it first "
                f"(Ctrl-C, systemctl stop, or kill {holder}), then try again"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
