"""Disk space: free pages of the journal's file are returned to the file system."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import ArchiveError

KEPT_FREE_BYTES = 32_000_000
"""Reserved for ingest: archiving must not use the last free space."""
_INCREMENTAL = 2  # of PRAGMA auto_vacuum
_PAGES_AT_ONCE = 64
"""One transaction moves a quarter of a megabyte, which takes a few milliseconds."""
_PAGES_KEPT = 512
"""Free pages that stay in the file: ingest fills them next."""


def require_free(folder: Path) -> None:
    """Raise ArchiveError where ``folder`` has less than ``KEPT_FREE_BYTES`` free."""
    free = shutil.disk_usage(folder).free
    if free < KEPT_FREE_BYTES:
        raise ArchiveError(
            f"only {free / 1e6:.0f} MB are free in {folder}, and ingest needs them: nothing was "
            "lost; make room, and what is left is archived then"
        )


def used_bytes(connection: sqlite3.Connection) -> int:
    """The size of the file after the next checkpoint, in bytes."""
    return _pragma(connection, "page_count") * _pragma(connection, "page_size")


def release_pages(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """Return free pages in small transactions; yields pages done and pages in total."""
    if _pragma(connection, "auto_vacuum") != _INCREMENTAL:
        return  # the file cannot become smaller; ingest fills its free pages
    free = first = _pragma(connection, "freelist_count")
    while free > _PAGES_KEPT:
        # execute() stops after the first step of this statement, which returns one page.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
        free = _pragma(connection, "freelist_count")
        yield first - free, first - _PAGES_KEPT
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # truncates the file


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
