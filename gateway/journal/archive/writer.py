"""Moves the bodies of old months' messages into segments, whole calendar months at a time.

A segment is written under another name, synced, read back against the log, renamed, and noted in
the journal before the first body goes: whenever this is killed, either both hold a body or the
segment does, and the next run goes on. The bodies go in small transactions: ingest, which writes
the same file, never waits for more than one of them.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import ArchiveError, JournalError
from gateway.journal import recent_bodies, schema
from gateway.journal.archive import disk_space, reader
from gateway.journal.archive import span as spans
from gateway.journal.archive.segment import BLOCK, Segment, SegmentRecord, SegmentWriter, record
from gateway.journal.archive.span import LARGEST, Span
from gateway.runtime.file_lock import LockHeldError, hold

AT_ONCE = 256
"""Bodies removed in one transaction: a few milliseconds."""
_CHECKPOINT_PAGES = 500
LOCK = "archive.lock"
NEW = "segment.new"


@dataclass(frozen=True, slots=True)
class ArchiveStep:
    """One bounded piece of work: ``done`` entries or pages of ``of``."""

    what: str
    done: int
    of: int


@dataclass(slots=True)
class ArchiveProgress:
    """What a run has done so far. Bytes: of bodies that are gone, of the segments' files."""

    segments: int = 0
    entries: int = 0
    body_bytes: int = 0
    file_bytes: int = 0


class ArchiveWriter:
    """Over the journal at ``path``, on a connection of its own. One thread's; close it.

    ``steps`` is driven by the caller, who may rest between two of them or end early.
    """

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._folder = reader.folder_of(path)
        self._largest = largest
        self._connection = schema.open_for_writing(path)
        # What we change is brought into the file by us: ingest shall not wait for that.
        self._connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self.moved = ArchiveProgress()

    def is_due(self, before: float) -> bool:
        """Whether there is anything to move or to finish."""
        unfinished = any(r.removed < r.last for r in reader.catalogue(self._connection))
        return unfinished or spans.month(self._connection, self._next(), before) is not None

    def steps(self, before: float) -> Iterator[ArchiveStep]:
        """Move the months that ended at or before Unix time ``before``; finish what was begun.

        Raises ArchiveError with nothing lost, HeldError where another run is under way.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with _only_one(self._folder), self._in_words():
            for row in reader.catalogue(self._connection):
                if row.removed < row.last:
                    yield from _read_back(self._folder / row.name, row.digest, row.name[:7])
                    yield from self._remove(row)
            while (whole := spans.month(self._connection, self._next(), before)) is not None:
                yield from self._move(spans.piece(self._connection, whole, self._largest))

    def give_back(self) -> Iterator[ArchiveStep]:
        """Make the journal's file smaller by what is free in it, where its format can."""
        with self._in_words():
            for done, of in disk_space.release_pages(self._connection):
                yield ArchiveStep("giving room back", done, of)

    @property
    def file_bytes(self) -> int:
        """The journal's file."""
        return disk_space.used_bytes(self._connection)

    @property
    def keeps_its_size(self) -> bool:
        """Whether the file has much free room that only ``vacuum`` gives back."""
        return disk_space.is_wasted(self._connection)

    def vacuum(self, tell: Callable[[str], None]) -> None:
        """Write the file anew where that is so; no gateway may run. Says why it cannot."""
        if self.keeps_its_size:
            with self._in_words():
                disk_space.vacuum(self._connection, self._folder.parent, tell)

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    def _next(self) -> int:
        return _next(self._connection)

    def _move(self, span: Span) -> Iterator[ArchiveStep]:
        new, grown = self._folder / NEW, span.before
        with contextlib.closing(SegmentWriter(new)) as writer:
            for first in range(span.first, span.last + 1, BLOCK):
                disk_space.require_free(self._folder)
                records, grown = self._records(first, min(span.last, first + BLOCK - 1), grown)
                writer.add(first, records)
                yield ArchiveStep(
                    f"{span.month}: writing", first + len(records) - span.first, span.count
                )
            digest = writer.finish(span, grown)
        yield from _read_back(new, digest, span.month)
        yield from self._remove(self._keep(span, new, digest, grown))
        self.moved.segments += 1

    def _keep(self, span: Span, new: Path, digest: bytes, grown: Frontier) -> reader.SegmentRow:
        """Give the file its name, and note it in the journal."""
        size = new.stat().st_size
        new.replace(self._folder / span.name)
        _sync(self._folder)
        row = reader.SegmentRow(span.first, span.last, span.first - 1, span.name, digest, size)
        with self._transaction():
            self._connection.execute(
                "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, span.log, grown.size, grown.to_bytes()),
            )
        self.moved.file_bytes += size
        return row

    def _records(
        self, first: int, last: int, grown: Frontier
    ) -> tuple[list[SegmentRecord], Frontier]:
        """These entries, and the frontier after them: the one that was saved where one was."""
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
            kept = record(leaf, salt, body)
            grown = grown.grown(merkle.leaf_hash(leaf))
            known = milestones.get(entry)
            if entry != expected or kept.leaf != leaf or known not in (None, grown.to_bytes()):
                raise _changed(expected)
            records.append(kept)
        if len(records) != last - first + 1:
            raise _changed(first + len(records))
        return records, grown

    def _remove(self, row: reader.SegmentRow) -> Iterator[ArchiveStep]:
        """Remove the bodies that the segment holds: it was read back just now."""
        kept = recent_bodies.entries(self._connection)
        for first in range(row.removed + 1, row.last + 1, AT_ONCE):
            last = min(row.last, first + AT_ONCE - 1)
            with self._transaction():
                sizes = dict(self._connection.execute(_PAYLOADS, (first, last)).fetchall())
                gone = [entry for entry in sizes if entry not in kept]
                self._connection.executemany("DELETE FROM body WHERE entry = ?", zip(gone))
                update = "UPDATE segment SET removed = ? WHERE first = ?"
                self._connection.execute(update, (last, row.first))
            self.moved.entries += last - first + 1
            self.moved.body_bytes += sum(sizes[entry] for entry in gone)
            done = last - row.first + 1
            yield ArchiveStep(
                f"{row.name[:7]}: emptying the journal", done, row.last - row.first + 1
            )

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
    def _in_words(self) -> Generator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise ArchiveError(
                f"{self._folder} or the journal cannot be written ({said}): nothing was lost; what "
                "is left is archived when that has passed"
            ) from error
        finally:
            (self._folder / NEW).unlink(missing_ok=True)


def months(path: Path, before: float) -> Iterator[tuple[Span, int]]:
    """What ``ArchiveWriter.steps`` would move: each month, and its bodies' bytes."""
    with contextlib.closing(schema.open_for_reading(path)) as connection:
        first = _next(connection)
        while (whole := spans.month(connection, first, before)) is not None:
            sizes = connection.execute(_PAYLOADS, (whole.first, whole.last))
            yield whole, sum(size for _, size in sizes)
            first = whole.last + 1


def _next(connection: sqlite3.Connection) -> int:
    """The first entry that is in no segment."""
    rows = reader.catalogue(connection)
    return rows[-1].last + 1 if rows else 1


_PAYLOADS = (
    "SELECT b.entry, length(b.body) FROM body b JOIN entry e ON e.id = b.entry"
    " WHERE b.entry BETWEEN ? AND ? AND e.kind IN ('msg', 'fork')"
)


def _read_back(path: Path, digest: bytes, month: str) -> Iterator[ArchiveStep]:
    with contextlib.closing(Segment(path, digest)) as segment:
        count = segment.index.last - segment.index.first + 1
        for done in segment.verify():
            yield ArchiveStep(f"{month}: reading back", done, count)


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
def _only_one(folder: Path) -> Generator[None]:
    try:
        with hold(folder / LOCK):
            yield
    except LockHeldError as error:
        raise LockHeldError(
            f"{folder} is being filled by another run: wait for it to end"
        ) from error
