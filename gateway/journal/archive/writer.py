"""Moves the bodies of old messages into segments, one calendar month after another.

A segment is written under a temporary name, synced, verified against the log, renamed, and entered
in the journal's catalogue before the first body is deleted. After a kill at any step, either the
journal and the segment both have a body or the segment has it, and the next run continues. Bodies
are deleted in small transactions, so ingest, which writes the same file, waits for one at most.
"""

import contextlib
import os
import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import ArchiveError, JournalError
from gateway.journal import recent_bodies, schema
from gateway.journal.archive import disk_space, reader
from gateway.journal.archive import span as spans
from gateway.journal.archive.segment import BLOCK, Segment, SegmentRecord, SegmentWriter, record
from gateway.journal.archive.span import LARGEST, MonthSpan
from gateway.runtime.file_lock import LockHeldError, hold

_AT_ONCE = 256
"""Bodies deleted in one transaction, which takes a few milliseconds."""
_CHECKPOINT_PAGES = 500
_LOCK = "archive.lock"
_NEW = "segment.new"
_PAYLOADS = (
    "SELECT b.entry, length(b.body) FROM body b JOIN entry e ON e.id = b.entry"
    " WHERE b.entry BETWEEN ? AND ? AND e.kind IN ('msg', 'fork')"
)


@dataclass(frozen=True, slots=True)
class ArchiveStep:
    """A bounded piece of work: ``done`` entries or pages of ``of``."""

    what: str
    done: int
    of: int


@dataclass(slots=True)
class ArchiveProgress:
    """Totals of a run. ``body_bytes`` were deleted; ``file_bytes`` are in the new segments."""

    segments: int = 0
    entries: int = 0
    body_bytes: int = 0
    file_bytes: int = 0


class ArchiveWriter:
    """Archives the journal at ``path`` on its own connection. For one thread; close it.

    The caller iterates over ``steps`` and may rest between two steps or stop early.
    """

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._folder = reader.folder_of(path)
        self._largest = largest
        self._connection = schema.open_for_writing(path)
        # Checkpoint our own changes: ingest must not wait for them.
        self._connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self.moved = ArchiveProgress()

    def is_due(self, before: float) -> bool:
        """Whether a month is to be archived or a segment to be finished."""
        unfinished = any(r.removed < r.last for r in reader.catalogue(self._connection))
        return unfinished or self._next_month(before) is not None

    def steps(self, before: float) -> Generator[ArchiveStep]:
        """Finish what an earlier run began; archive the months that ended by Unix time ``before``.

        Raises ArchiveError with nothing lost, LockHeldError while another run archives.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with _lock(self._folder), self._archive_errors():
            for row in reader.catalogue(self._connection):
                if row.removed < row.last:
                    yield from _verify(self._folder / row.name, row.digest, row.name[:7])
                    yield from self._delete_bodies(row)
            while (whole := self._next_month(before)) is not None:
                yield from self._move(spans.piece(self._connection, whole, self._largest))

    def release_pages(self) -> Iterator[ArchiveStep]:
        """Return free pages of the journal's file to the file system, where its format can."""
        with self._archive_errors():
            for done, of in disk_space.release_pages(self._connection):
                yield ArchiveStep("giving room back", done, of)

    @property
    def file_bytes(self) -> int:
        """The size of the journal's file."""
        return disk_space.used_bytes(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _next_month(self, before: float) -> MonthSpan | None:
        return spans.month(self._connection, _next_entry(self._connection), before)

    def _move(self, span: MonthSpan) -> Iterator[ArchiveStep]:
        new, frontier = self._folder / _NEW, span.before
        with contextlib.closing(SegmentWriter(new)) as writer:
            for first in range(span.first, span.last + 1, BLOCK):
                disk_space.require_free(self._folder)
                records, frontier = self._records(
                    first, min(span.last, first + BLOCK - 1), frontier
                )
                writer.add(first, records)
                done = first + len(records) - span.first
                yield ArchiveStep(f"{span.month}: writing", done, span.count)
            digest = writer.finish(span, frontier)
        yield from _verify(new, digest, span.month)
        yield from self._delete_bodies(self._catalogued(span, new, digest, frontier))
        self.moved.segments += 1

    def _catalogued(
        self, span: MonthSpan, new: Path, digest: bytes, frontier: Frontier
    ) -> reader.SegmentRow:
        """Rename the file, and enter it in the journal's catalogue."""
        size = new.stat().st_size
        new.replace(self._folder / span.name)
        _sync(self._folder)
        row = reader.SegmentRow(span.first, span.last, span.first - 1, span.name, digest, size)
        with self._transaction():
            self._connection.execute(
                "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, span.log, frontier.size, frontier.to_bytes()),
            )
        self.moved.file_bytes += size
        return row

    def _records(
        self, first: int, last: int, frontier: Frontier
    ) -> tuple[list[SegmentRecord], Frontier]:
        """The records of these entries, and the frontier after them.

        Raises JournalError where a leaf or a saved frontier differs.
        """
        run = self._connection.execute
        rows = run(
            "SELECT e.id, CAST(e.leaf AS BLOB), b.salt, CAST(b.body AS BLOB) FROM entry e"
            " LEFT JOIN body b ON b.entry = e.id WHERE e.id BETWEEN ? AND ? ORDER BY e.id",
            (first, last),
        ).fetchall()
        query = "SELECT entry, nodes FROM milestone WHERE entry BETWEEN ? AND ?"
        milestones = dict(run(query, (first, last)).fetchall())
        records: list[SegmentRecord] = []
        for expected, (entry, leaf, salt, body) in enumerate(rows, first):
            found = record(leaf, salt, body)
            frontier = frontier.grown(merkle.leaf_hash(leaf))
            nodes = milestones.get(entry)
            if entry != expected or found.leaf != leaf or nodes not in (None, frontier.to_bytes()):
                raise _changed(expected)
            records.append(found)
        if len(records) != last - first + 1:
            raise _changed(first + len(records))
        return records, frontier

    def _delete_bodies(self, row: reader.SegmentRow) -> Iterator[ArchiveStep]:
        """Delete the bodies that are in a verified segment, except those still compared with."""
        recent = recent_bodies.entries(self._connection)
        for first in range(row.removed + 1, row.last + 1, _AT_ONCE):
            last = min(row.last, first + _AT_ONCE - 1)
            with self._transaction():
                sizes = dict(self._connection.execute(_PAYLOADS, (first, last)).fetchall())
                old = [entry for entry in sizes if entry not in recent]
                self._connection.executemany("DELETE FROM body WHERE entry = ?", zip(old))
                update = "UPDATE segment SET removed = ? WHERE first = ?"
                self._connection.execute(update, (last, row.first))
            self.moved.entries += last - first + 1
            self.moved.body_bytes += sum(sizes[entry] for entry in old)
            done, count = last - row.first + 1, row.last - row.first + 1
            yield ArchiveStep(f"{row.name[:7]}: emptying the journal", done, count)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _archive_errors(self) -> Generator[None]:
        """Raise errors of disk and database as ArchiveError; delete an unfinished segment."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ArchiveError(
                f"{self._folder} or the journal cannot be written ({reason}): nothing was lost; "
                "what is left is archived when that has passed"
            ) from error
        finally:
            (self._folder / _NEW).unlink(missing_ok=True)


def months(path: Path, before: float) -> Iterator[tuple[MonthSpan, int]]:
    """The months that ``ArchiveWriter.steps`` would archive, each with its bodies' bytes."""
    with contextlib.closing(schema.open_for_reading(path)) as connection:
        first = _next_entry(connection)
        while (whole := spans.month(connection, first, before)) is not None:
            sizes = connection.execute(_PAYLOADS, (whole.first, whole.last))
            yield whole, sum(size for _, size in sizes)
            first = whole.last + 1


def _next_entry(connection: sqlite3.Connection) -> int:
    """The first entry that is in no segment."""
    rows = reader.catalogue(connection)
    return rows[-1].last + 1 if rows else 1


def _verify(path: Path, digest: bytes, month: str) -> Iterator[ArchiveStep]:
    with contextlib.closing(Segment(path, digest)) as segment:
        for done in segment.verify():
            yield ArchiveStep(f"{month}: reading back", done, segment.index.count)


def _changed(entry: int) -> JournalError:
    return JournalError(
        f"entry {entry} of the journal is not what its log says: it was changed or lost. Nothing "
        "of its month was moved; restore the journal from a backup"
    )


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def _lock(folder: Path) -> Generator[None]:
    try:
        with hold(folder / _LOCK):
            yield
    except LockHeldError as error:
        raise LockHeldError(
            f"{folder} is being filled by another run: wait for it to end"
        ) from error
