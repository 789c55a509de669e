"""Reads what was moved out of the journal's database: bodies of messages, by entry."""

import sqlite3
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway.errors import ArchiveError
from gateway.journal.archive.segment import Segment, SegmentRecord

PAYLOADS = ("msg", "fork")
"""Kinds whose bodies are moved. Facts are few, and some are asked for at every start."""
FOLDER = "archive"
_BLOCKS = 4
"""Inflated blocks in memory: half a megabyte each, and a reader goes through them in order."""


class SegmentRow(NamedTuple):
    """A segment as the journal keeps it; ``removed``: bodies up to there are only in the file."""

    first: int
    last: int
    removed: int
    name: str
    digest: bytes
    bytes: int


def folder_of(journal: Path) -> Path:
    """Where the segments of the journal at this path lie."""
    return journal.parent / FOLDER


def catalogue(connection: sqlite3.Connection) -> list[SegmentRow]:
    """Every segment, in order. Raises sqlite3.Error."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'segment'"
    if connection.execute(known).fetchone() is None:
        return []  # the gateway of a program that archives has not opened this journal yet
    query = "SELECT first, last, removed, name, digest, bytes FROM segment ORDER BY first"
    return [SegmentRow(*row) for row in connection.execute(query)]


class Archive:
    """The segments of one journal in ``folder``, opened as they are asked for. One thread's.

    ``known`` gives what there is, in order; it is asked again for an entry behind the last.
    """

    def __init__(self, known: Callable[[], list[SegmentRow]], folder: Path) -> None:
        self._known = known
        self._folder = folder
        self._rows: list[SegmentRow] = []
        self._open: tuple[SegmentRow, Segment] | None = None
        self._blocks: OrderedDict[int, list[SegmentRecord]] = OrderedDict()

    def bodies(self, entries: Sequence[int]) -> dict[int, bytes]:
        """The bodies of those entries that were archived; erased ones are in no segment.

        Raises ArchiveError where a segment is missing or was changed.
        """
        found: dict[int, bytes] = {}
        for entry in entries:
            record = self._record(entry)
            if record is not None and record.body is not None:
                found[entry] = record.body
        return found

    def check(self, after: int) -> None:
        """See that every segment with entries behind ``after`` is there, byte for byte.

        Raises ArchiveError for the first that is not.
        """
        for row in self._known():
            if row.last > after:
                with closing(self._found(row)) as segment, _named(row):
                    segment.check()

    def close(self) -> None:
        """Release the files."""
        if self._open:
            self._open[1].close()
        self._open = None

    def _record(self, entry: int) -> SegmentRecord | None:
        for first, records in self._blocks.items():
            if first <= entry < first + len(records):
                return records[entry - first]
        row = self._row(entry)
        if row is None:
            return None
        with _named(row):
            first, records = self._segment(row).block(entry)
        self._blocks[first] = records
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        return records[entry - first]

    def _row(self, entry: int) -> SegmentRow | None:
        """The segment that holds ``entry``; they may have become more since we looked."""
        if not self._rows or entry > self._rows[-1].last:
            self._rows = self._known()
        at = bisect_right(self._rows, entry, key=lambda row: row.first) - 1
        return self._rows[at] if at >= 0 and entry <= self._rows[at].last else None

    def _segment(self, row: SegmentRow) -> Segment:
        if self._open is None or self._open[0].first != row.first:
            self.close()
            self._open = (row, self._found(row))
        return self._open[1]

    def _found(self, row: SegmentRow) -> Segment:
        with _named(row):
            return Segment(self._folder / row.name, row.digest)


@contextmanager
def _named(row: SegmentRow) -> Generator[None]:
    """An error says which entries cannot be read for it."""
    try:
        yield
    except ArchiveError as error:
        if error.last:
            raise
        raise ArchiveError(f"entries {row.first} to {row.last}: {error}", row.last) from error
