"""``noria journal verify``: every leaf, every body and every archive segment against the log."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain import leaf as leaves
from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal import schema
from gateway.journal.archive import reader
from gateway.journal.archive.segment import Segment
from gateway.journal.archive.span import SUFFIX
from gateway.journal.integrity.startup_check import former_leaves, saved_frontier

_AT_ONCE = 4096
_COMMIT_ROW = 5
_MOST_TOLD = 20


@dataclass(slots=True)
class VerifyProgress:
    """What a verification has seen so far. ``faults``: sentences; none means that all is well."""

    entries: int = 0
    bodies: int = 0
    archived: int = 0
    segments: int = 0
    root: str = ""
    faults: list[str] = field(default_factory=list[str])
    strays: list[str] = field(default_factory=list[str])
    """Files of the archive that the journal does not name: nothing reads them."""

    def fault(self, sentence: str) -> None:
        """Keep the first ones: of a journal that is spoilt, every entry has one."""
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(sentence)


class Verification:
    """Of the journal at ``path`` as it stands now; a gateway may go on meanwhile. Close it."""

    def __init__(self, path: Path) -> None:
        self._folder = reader.folder_of(path)
        self._connection = schema.open_for_reading(path)
        self.found = VerifyProgress()
        with contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")  # of one moment
            self._frontier = saved_frontier(self._connection)
            self._former = former_leaves(self._connection)
            self._rows = reader.catalogue(self._connection)
            self._marks = self._milestones()
            cursor.execute("COMMIT")
        self._grown = Frontier()

    @property
    def leaves(self) -> int:
        """How many there are, former logs' too."""
        return self._former + self._frontier.size

    def steps(self) -> Iterator[tuple[str, int, int]]:
        """Do it, piece by piece: what, how much is done, of how much. Raises JournalError."""
        at = 0
        while at < self.leaves:
            at = self._leaves(at)
            yield "entries", at, self.leaves
        self.found.root = self._frontier.root().hex()
        if self._grown != self._frontier:
            self.found.fault("the entries do not hash to the log's frontier: they were changed")
        for row in self._rows:
            try:
                yield from self._segment(row)
            except JournalError as error:
                self.found.fault(str(error))
        here = {path.name for path in self._folder.glob(f"*{SUFFIX}")}
        named = {row.name for row in reader.catalogue(self._connection)}
        self.found.strays = sorted(here - named)

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    def _milestones(self) -> dict[int, bytes]:
        """The frontier's nodes behind entries, as they were saved."""
        known = "SELECT name FROM sqlite_master WHERE name IN ('milestone', 'segment')"
        found: dict[int, bytes] = {}
        for (table,) in self._connection.execute(known).fetchall():
            entry = {"milestone": "entry", "segment": "last"}[table]
            query = f"SELECT {entry}, nodes FROM {table}"  # noqa: S608 - constants
            found |= dict(self._connection.execute(query).fetchall())
        return found

    def _leaves(self, after: int) -> int:
        rows = self._connection.execute(
            "SELECT e.id, e.kind, CAST(e.leaf AS BLOB), b.salt, CAST(b.body AS BLOB) FROM entry e"
            " LEFT JOIN body b ON b.entry = e.id WHERE e.id > ? AND e.id <= ? ORDER BY e.id",
            (after, min(after + _AT_ONCE, self.leaves)),
        ).fetchall()
        wanted = after + 1
        for entry, kind, text, salt, body in rows:
            if entry != wanted:
                self.found.fault(f"entries {wanted} to {entry - 1} are lost")
            wanted = entry + 1
            if kind == "open":
                self._grown = Frontier()
            self._grown = self._grown.grown(merkle.leaf_hash(text))
            if self._marks.get(entry, self._grown.to_bytes()) != self._grown.to_bytes():
                self.found.fault(f"the entries up to {entry} do not hash to what was saved then")
            self._body(entry, kind, text, salt, body)
        self.found.entries += len(rows)
        end = min(after + _AT_ONCE, self.leaves)
        if wanted <= end:
            self.found.fault(f"entries {wanted} to {end} are lost")
        return end

    def _body(
        self, entry: int, kind: str, text: bytes, salt: bytes | None, body: bytes | None
    ) -> None:
        if salt is None or body is None:
            if kind not in reader.PAYLOADS or not self._is_moved(entry):
                self.found.fault(f"entry {entry}: its body is neither here nor in the archive")
            self.found.archived += 1
            return
        self.found.bodies += 1
        if text.split(b"\n")[_COMMIT_ROW] != leaves.commit(salt, body).encode("ascii"):
            self.found.fault(f"entry {entry}: its body is not what its leaf commits to")

    def _is_moved(self, entry: int) -> bool:
        """Whether only a segment has its body; it may be moved while we read."""
        if not any(row.first <= entry <= row.removed for row in self._rows):
            self._rows = reader.catalogue(self._connection)
        return any(row.first <= entry <= row.removed for row in self._rows)

    def _segment(self, row: reader.SegmentRow) -> Iterator[tuple[str, int, int]]:
        with contextlib.closing(Segment(self._folder / row.name, row.digest)) as segment:
            if segment.index.nodes != self._marks.get(row.last, b"").hex():
                self.found.fault(f"{segment.path} does not end where the journal says")
            for done in segment.verify():
                yield row.name, done, row.last - row.first + 1
        self.found.segments += 1
