"""Room on the disk: what is free inside the journal's file goes back to the system."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.errors import ArchiveError

KEPT_FREE_BYTES = 32_000_000
"""Left to ingest: archiving makes room, and must not take the last."""
_INCREMENTAL = 2
_PAGES_AT_ONCE = 64
"""A quarter of a megabyte is moved in one transaction: a few milliseconds."""
_PAGES_KEPT = 512
"""Ingest takes pages all the time: what it takes next stays."""


def require_free(folder: Path) -> None:
    """Raises ArchiveError where nothing may be written to ``folder`` any more."""
    free = shutil.disk_usage(folder).free
    if free < KEPT_FREE_BYTES:
        raise ArchiveError(
            f"only {free / 1e6:.0f} MB are free in {folder}, and ingest needs them: nothing was "
            "lost; make room, and what is left is archived then"
        )


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file, once what is committed has reached it."""
    return _asked(connection, "page_count") * _asked(connection, "page_size")


def is_wasted(connection: sqlite3.Connection) -> bool:
    """Whether much is free in a file that only ``vacuum`` makes smaller."""
    return (
        _asked(connection, "auto_vacuum") != _INCREMENTAL
        and _asked(connection, "freelist_count") > _PAGES_KEPT
    )


def release_pages(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """Give pages back, some at a time; yields how many are done, and of how many."""
    if _asked(connection, "auto_vacuum") != _INCREMENTAL:
        return
    free = begun = _asked(connection, "freelist_count")
    while free > _PAGES_KEPT:
        # Not execute: it stops at the first step, which gives one page back.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
        free = _asked(connection, "freelist_count")
        yield begun - free, begun - _PAGES_KEPT
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # the file itself


def vacuum(connection: sqlite3.Connection, folder: Path, tell: Callable[[str], None]) -> None:
    """Write the whole file anew, so that it is small and can be given back from now on.

    Only while no gateway runs: nothing else can be written meanwhile. Left, and told, where the
    disk has no room for it.
    """
    pages = _asked(connection, "page_count") - _asked(connection, "freelist_count")
    needed = 2 * pages * _asked(connection, "page_size")  # a copy, and its way into the file
    free = shutil.disk_usage(folder).free
    if free < needed + KEPT_FREE_BYTES:
        tell(
            "the journal's file keeps its size and fills its free room again: to make it smaller, "
            f"{needed / 1e6:.0f} MB must be free for a while, but {free / 1e6:.0f} are"
        )
        return
    tell(f"making the journal's file smaller: {needed / 2e6:.0f} MB are written anew")
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _asked(connection: sqlite3.Connection, pragma: str) -> int:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]
