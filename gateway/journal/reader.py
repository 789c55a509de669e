"""Reads the journal. Each thread needs a reader of its own, whose connection cannot write."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.domain.entry import NO_LINES, Entry
from gateway.errors import JournalError
from gateway.journal import counters, schema
from gateway.journal.archive import reader
from gateway.journal.archive.reader import Archive

_SELECT = (
    "SELECT e.id, e.time_ms, e.kind, e.subject, e.leaf, b.body,"
    " e.verdict, e.flag, e.newest, e.auth FROM entry e LEFT JOIN body b ON b.entry = e.id"
)
_KIND, _BODY = 2, 5
_BOOT = "device = ?1 AND era = ?2 AND boot = ?3 AND fork = 0 AND entry > ?4"
_FIXED_LINES = 6


class JournalReader:
    """Reads the database and its archive.

    Raises JournalError when the journal is missing or cannot be read, ArchiveError when a segment
    that is needed is missing or was changed.
    """

    def __init__(self, path: Path) -> None:
        self._connection = schema.open_for_reading(path)
        self._archive = Archive(self._segments, reader.folder_of(path))

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The entries that follow entry ``after``, at most ``limit``."""
        return self._read(f"{_SELECT} WHERE e.id > ? ORDER BY e.id LIMIT ?", after, limit)

    def all(self, chunk: int = 2000) -> Iterator[Entry]:
        """Every entry, in order."""
        after = 0
        while chunk_of := self.entries(after, chunk):
            yield from chunk_of
            after = chunk_of[-1].id

    def check(self, after: int = 0) -> None:
        """Check that all entries after ``after`` can be read.

        Raises ArchiveError naming the segment that is missing or was changed.
        """
        try:
            self._archive.check(after)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def segments(self) -> list[reader.SegmentRow]:
        """The segments of this journal's archive, in order."""
        try:
            return self._segments()
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def _segments(self) -> list[reader.SegmentRow]:
        return reader.catalogue(self._connection)

    def fact_keys(self, first: int, last: int) -> dict[int, str]:
        """The keys of the facts among the entries ``first`` to ``last``, by entry."""
        query = "SELECT entry, key FROM fact_key WHERE entry BETWEEN ? AND ?"
        return dict(self._fetch(query, first, last))

    def hashes(self, first: int, last: int) -> dict[int, bytes]:
        """SHA-256(OBJECT) of the messages among the entries ``first`` to ``last``, by entry."""
        query = (
            "SELECT entry, hash FROM message WHERE entry BETWEEN ?1 AND ?2"
            " UNION ALL SELECT entry, hash FROM unfiled WHERE entry BETWEEN ?1 AND ?2"
        )
        return dict(self._fetch(query, first, last))

    def boot_entries(self, device: str, era: str, boot: int, after: int = 0) -> list[Entry]:
        """The messages of one boot after entry ``after``, by ``seq``, without forks."""
        return self._read(
            f"{_SELECT} JOIN (SELECT entry, seq FROM message WHERE {_BOOT}"  # noqa: S608
            f" UNION ALL SELECT entry, seq FROM unfiled WHERE {_BOOT}) m ON m.entry = e.id"
            " ORDER BY m.seq",
            device,
            era,
            boot,
            after,
        )

    def runs(self, since: float) -> list[tuple[float, str, float]]:
        """The ``run`` entries from Unix time ``since`` on, and the last change before.

        Each as time, ``run`` (empty where the body was erased), and the time of the entry before
        it in the journal.
        """
        since_ms = int(since * 1000)
        rows = self._fetch(
            "SELECT e.time_ms, coalesce(b.body, x''), p.time_ms FROM entry e"
            " LEFT JOIN body b ON b.entry = e.id LEFT JOIN entry p ON p.id = e.id - 1"
            " WHERE e.kind = 'run' AND (e.time_ms >= ? OR e.id = (SELECT a.id FROM entry a"
            " JOIN body c ON c.entry = a.id WHERE a.kind = 'run' AND a.time_ms < ?"
            " AND instr(c.body, 'heartbeat') = 0 ORDER BY a.time_ms DESC, a.id DESC LIMIT 1))"
            " ORDER BY e.id",
            since_ms,
            since_ms,
        )
        return [
            (at / 1000, json.loads(body)["run"] if body else "", (before or at) / 1000)
            for at, body, before in rows
        ]

    def received_at(self, entry: int) -> float | None:
        """When an entry was received (Unix s), None when there is none."""
        rows = self._fetch("SELECT time_ms FROM entry WHERE id = ?", entry)
        return rows[0][0] / 1000 if rows else None

    def last_id(self) -> int:
        """The newest entry's id, which is the number of leaves; 0 when there is none."""
        return self._fetch("SELECT coalesce(max(id), 0) FROM entry")[0][0]

    def counts(self) -> dict[str, int]:
        """Counts over the life of the data folder (``counters.status`` names them)."""
        try:
            return counters.read(self._connection)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def close(self) -> None:
        """Release the connection."""
        self._archive.close()
        self._connection.close()

    def _read(self, sql: str, *values: object) -> list[Entry]:
        rows = self._fetch(sql, *values)
        absent = [r[0] for r in rows if r[_BODY] is None and r[_KIND] in reader.PAYLOADS]
        moved = self._moved(absent) if absent else {}
        return [_entry(*row, moved=moved) for row in rows]

    def _moved(self, absent: list[int]) -> dict[int, bytes]:
        try:
            return self._archive.bodies(absent)
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    def _fetch(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(error) from error


def _unreadable(error: sqlite3.Error) -> JournalError:
    return JournalError(f"the journal cannot be read: {error}")


def _entry(
    entry: int,
    time_ms: int,
    kind: str,
    subject: str,
    leaf: bytes,
    body: bytes | None,
    *judged: Any,
    moved: Mapping[int, bytes],
) -> Entry:
    verdict, flag, newest, auth = judged
    if body is None:
        body = moved.get(entry, b"")  # empty where it was erased
    lines = _lines(leaf)
    received = time_ms / 1000
    return Entry(entry, received, kind, subject, body, lines, verdict, flag, bool(newest), auth)


def _lines(leaf: bytes) -> Mapping[str, str]:
    if leaf.count(b"\n") == _FIXED_LINES:
        return NO_LINES
    rows = leaf.decode("ascii").split("\n")[_FIXED_LINES:-1]
    return dict(row.split("=", 1) for row in rows)
