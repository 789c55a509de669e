"""Reads the journal: a connection of one's own for each thread, which cannot write."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.errors import JournalError
from gateway.journal import counters, schema
from gateway.journal.entry import Entry

_SELECT = (
    "SELECT e.id, e.time_ms, e.kind, e.subject, e.leaf, coalesce(b.body, x''),"
    " e.verdict, e.flag, e.newest, e.auth FROM entry e LEFT JOIN body b ON b.entry = e.id"
)
_FIXED_LINES = 6


class JournalReader:
    """Raises JournalError when the journal is not there or cannot be read."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.open_for_reading(path)

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The entries that follow entry ``after``, at most ``limit``."""
        return self._read(f"{_SELECT} WHERE e.id > ? ORDER BY e.id LIMIT ?", after, limit)

    def all(self, chunk: int = 2000) -> Iterator[Entry]:
        """Every entry, in order."""
        after = 0
        while chunk_of := self.entries(after, chunk):
            yield from chunk_of
            after = chunk_of[-1].id

    def fact_keys(self, first: int, last: int) -> dict[int, str]:
        """The keys of the facts among the entries ``first`` to ``last``, by entry."""
        query = "SELECT entry, key FROM fact_key WHERE entry BETWEEN ? AND ?"
        return dict(self._fetch(query, first, last))

    def hashes(self, first: int, last: int) -> dict[int, bytes]:
        """SHA-256(OBJECT) of the messages among the entries ``first`` to ``last``, by entry."""
        query = "SELECT entry, hash FROM message WHERE entry BETWEEN ? AND ?"
        return dict(self._fetch(query, first, last))

    def boot_entries(self, device: str, era: str, boot: int) -> list[Entry]:
        """The messages of one boot, by ``seq``; forks left out."""
        return self._read(
            f"{_SELECT} JOIN message m ON m.entry = e.id"
            " WHERE m.device = ? AND m.era = ? AND m.boot = ? AND m.fork = 0 ORDER BY m.seq",
            device,
            era,
            boot,
        )

    def last_id(self) -> int:
        """The newest entry's id, 0 when there is none."""
        return self._fetch("SELECT coalesce(max(id), 0) FROM entry")[0][0]

    def leaves(self) -> int:
        """How many leaves there are, former logs' too."""
        return self.last_id()

    def counts(self) -> dict[str, int]:
        """Counts over the life of the data folder (``counters.status`` names them)."""
        try:
            return counters.read(self._connection)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    def _read(self, sql: str, *values: object) -> list[Entry]:
        return [_entry(*row) for row in self._fetch(sql, *values)]

    def _fetch(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(error) from error


def _unreadable(error: sqlite3.Error) -> JournalError:
    return JournalError(f"the journal cannot be read: {error}")


def _entry(
    entry: int, time_ms: int, kind: str, subject: str, leaf: bytes, body: bytes, *judged: Any
) -> Entry:
    verdict, flag, newest, auth = judged
    return Entry(
        id=entry,
        received=time_ms / 1000,
        kind=kind,
        subject=subject,
        body=body,
        lines=_lines(leaf),
        verdict=verdict,
        flag=flag,
        newest=bool(newest),
        auth=auth,
    )


def _lines(leaf: bytes) -> Mapping[str, str]:
    rows = leaf.decode("ascii").split("\n")[_FIXED_LINES:-1]
    return dict(row.split("=", 1) for row in rows)
