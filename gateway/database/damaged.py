"""Damaged files: recognise one, and rename one that can be made anew."""

import logging
import sqlite3
import time
from pathlib import Path

_log = logging.getLogger(__name__)

_DAMAGE = ("not a database", "malformed", "encrypted", "disk image")
_MARK = ".damaged-"
_BESIDE = ("-wal", "-shm", "-journal")  # SQLite's own files of the same database


def is_damage(error: BaseException) -> bool:
    """Whether ``error`` means that the file itself is damaged."""
    return isinstance(error, sqlite3.DatabaseError) and any(t in str(error) for t in _DAMAGE)


def set_aside(path: Path) -> Path:
    """Rename a file that can be made anew, with SQLite's files beside it; returns the new path.

    Raises OSError.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = path.with_name(f"{path.name}{_MARK}{stamp}")
    for suffix in _BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + suffix))
    path.replace(kept)
    _log.error("%s is damaged and was set aside as %s; it is made anew", path, kept.name)
    return kept


def kept_in(*folders: Path) -> list[Path]:
    """The files that were set aside, oldest first, until a person deletes them."""
    found = [path for folder in folders for path in folder.glob(f"*{_MARK}*")]
    return sorted(path for path in found if not path.name.endswith(_BESIDE))
