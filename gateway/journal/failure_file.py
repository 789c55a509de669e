"""Why nothing can be journaled just now, where others can read it even though the disk is full.

A file of fixed size whose blocks are there from the start: writing over them needs no room.
"""

import contextlib
import os
from pathlib import Path

NAME = "journal.trouble"
_BYTES = 512


class FailureFile:
    """The writer's side, in the data folder."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / NAME, os.O_CREAT | os.O_RDWR, 0o600)
        self._said: str | None = None
        self.over()

    def say(self, text: str) -> None:
        """Nothing is journaled, and why."""
        self._write(text)

    def over(self) -> None:
        """Journaling goes on."""
        self._write("")

    def close(self) -> None:
        """Close the file; a gateway that does not run has no trouble."""
        self.over()
        os.close(self._file)

    def _write(self, text: str) -> None:
        if text != self._said:
            self._said = text
            with contextlib.suppress(OSError):  # it tells of trouble, and must not be one
                os.pwrite(self._file, text.encode()[:_BYTES].ljust(_BYTES), 0)


def read(folder: Path) -> str | None:
    """What keeps the gateway from journaling, or None."""
    try:
        return (folder / NAME).read_bytes().decode("utf-8", "replace").strip() or None
    except OSError:
        return None
