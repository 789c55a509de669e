"""A journal's file with its group commit."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from gateway.journal import schema
from gateway.journal.group_commit import GroupCommit, Write
from tests.unit.journaled import rows


class File:
    """A journal's file with its group commit, and what was committed, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = GroupCommit(schema.open_for_writing(path))
        self.committed: list[int] = []

    def writes(self, number: int, *, fails: bool = False) -> tuple[list[Write], Callable[[], None]]:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO counter VALUES (?, ?)", (f"c{number}", number))
            if fails:
                connection.execute("INSERT INTO counter VALUES (?, ?)", (f"c{number}", number))

        return [write], lambda: self.committed.append(number)

    def save(self, number: int, *, fails: bool = False) -> None:
        self.database.begin()
        self.database.save(*self.writes(number, fails=fails))

    def submit(self, number: int, *, fails: bool = False) -> Future[None]:
        self.database.begin()
        return self.database.submit(*self.writes(number, fails=fails))

    def hold(self) -> threading.Event:
        """Submit a batch that is saved only once the returned event is set."""
        free = threading.Event()
        self.database.begin()
        self.database.submit([lambda _c: free.wait(10)], lambda: self.committed.append(0))
        return free

    def saved(self) -> list[int]:
        return [n for (n,) in rows(self.path, "SELECT value FROM counter ORDER BY value")]
