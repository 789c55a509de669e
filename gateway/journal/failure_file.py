"""Publishes why nothing can be journaled, for ``noria status``, even when the disk is full.

The file has a fixed size and is allocated at the start: writing over it needs no space.
"""

import contextlib
import os
from pathlib import Path

NAME = "journal.trouble"
_BYTES = 512


class FailureFile:
    """The writer's side; ``folder`` is the data folder."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / NAME, os.O_CREAT | os.O_RDWR, 0o600)
        self._text: str | None = None
        self.clear()

    def set(self, text: str) -> None:
        """Publish why nothing is journaled."""
        if text != self._text:
            self._text = text
            with contextlib.suppress(OSError):  # a failure to report must not stop the gateway
                os.pwrite(self._file, text.encode()[:_BYTES].ljust(_BYTES), 0)

    def clear(self) -> None:
        """Journaling works again."""
        self.set("")

    def close(self) -> None:
        """Clear and close the file: a stopped gateway has no failure."""
        self.clear()
        os.close(self._file)


def read(folder: Path) -> str | None:
    """Why the gateway cannot journal, or None."""
    try:
        return (folder / NAME).read_bytes().decode("utf-8", "replace").strip() or None
    except OSError:
        return None
