"""A backup that an operator makes while everything runs, and restores later."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

FILES = ("journal.db", "noria.db")
NOTE = "log.witness"


class Backup:
    """A backup of the databases in ``data``, in ``folder``."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._data, self._folder = data, folder
        folder.mkdir()
        for name in FILES:
            with (
                closing(sqlite3.connect(data / name)) as live,
                closing(sqlite3.connect(folder / name)) as copy,
            ):
                live.backup(copy)
        shutil.copy(data / NOTE, folder)

    def put_back(self) -> None:
        """Restore the databases while the gateway is down."""
        for name in FILES:
            for old in self._data.glob(f"{name}*"):
                old.unlink()
            shutil.copy(self._folder / name, self._data)

    def put_back_note(self) -> None:
        """Restore the witness too: the backup of a whole folder contains it."""
        shutil.copy(self._folder / NOTE, self._data)
