"""Reads archived bodies of messages by entry number."""

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
"""The kinds of entries whose bodies are archived. Facts are few and read at every start."""
FOLDER = "archive"
_BLOCKS = 4
"""Decompressed blocks in memory, half a megabyte each: readers go through them in order."""


class SegmentRow(NamedTuple):
    """A segment in the journal's catalogue; bodies up to ``removed`` are only in its file."""

    first: int
    last: int
    removed: int
    name: str
    digest: bytes
    bytes: int


def folder_of(journal: Path) -> Path:
    """The folder with the segments of the journal at this path."""
    return journal.parent / FOLDER


def catalogue(connection: sqlite3.Connection) -> list[SegmentRow]:
    """Every segment, in the order of entries. Raises sqlite3.Error."""
    query = "SELECT first, last, removed, name, digest, bytes FROM segment ORDER BY first"
    return [SegmentRow(*row) for row in connection.execute(query)]


class Archive:
    """The segments of one journal in ``folder``, opened on demand. For one thread.

    ``catalogue`` returns the segments in order; it is called again for an entry after the last.
    """

    def __init__(self, catalogue: Callable[[], list[SegmentRow]], folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._rows: list[SegmentRow] = []
        self._open: tuple[SegmentRow, Segment] | None = None
        self._blocks: OrderedDict[int, list[SegmentRecord]] = OrderedDict()

    def bodies(self, entries: Sequence[int]) -> dict[int, bytes]:
        """The archived bodies of ``entries``; no segment has those that were erased.

        Raises ArchiveError where a segment is missing or was changed.
        """
        found: dict[int, bytes] = {}
        for entry in entries:
            record = self._record(entry)
            if record is not None and record.body is not None:
                found[entry] = record.body
        return found

    def check(self, after: int) -> None:
        """Read every byte of the segments that have entries later than ``after``.

        Raises ArchiveError for the first segment that is missing or was changed.
        """
        for row in self._catalogue():
            if row.last > after:
                with closing(self._opened(row)) as segment, _entries_named(row):
                    segment.check()

    def close(self) -> None:
        """Close the open file."""
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
        with _entries_named(row):
            first, records = self._segment(row).block(entry)
        self._blocks[first] = records
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        return records[entry - first]

    def _row(self, entry: int) -> SegmentRow | None:
        """The segment with ``entry``, from a new catalogue where the known one ends before it."""
        if not self._rows or entry > self._rows[-1].last:
            self._rows = self._catalogue()
        at = bisect_right(self._rows, entry, key=lambda row: row.first) - 1
        return self._rows[at] if at >= 0 and entry <= self._rows[at].last else None

    def _segment(self, row: SegmentRow) -> Segment:
        if self._open is None or self._open[0].first != row.first:
            self.close()
            self._open = (row, self._opened(row))
        return self._open[1]

    def _opened(self, row: SegmentRow) -> Segment:
        with _entries_named(row):
            return Segment(self._folder / row.name, row.digest)


@contextmanager
def _entries_named(row: SegmentRow) -> Generator[None]:
    """Add to an ArchiveError which entries cannot be read."""
    try:
        yield
    except ArchiveError as error:
        if error.last:
            raise
        raise ArchiveError(f"entries {row.first} to {row.last}: {error}", row.last) from error
