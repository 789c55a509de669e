"""The full check of ``noria journal verify``: leaves, bodies and archive against the log."""

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
_MAX_FAULTS = 20
# By entry: the nodes of the log's frontier after it.
_SAVED_NODES = "SELECT entry, nodes FROM milestone UNION ALL SELECT last, nodes FROM segment"


@dataclass(slots=True)
class VerifyProgress:
    """Totals so far. ``faults`` are sentences; the journal is intact where there is none."""

    entries: int = 0
    bodies: int = 0
    archived: int = 0
    segments: int = 0
    root: str = ""
    faults: list[str] = field(default_factory=list[str])
    strays: list[str] = field(default_factory=list[str])
    """Files of the archive that are not in the journal's catalogue: nothing reads them."""

    def fault(self, sentence: str) -> None:
        """Keep the first faults: in a damaged journal every entry can have one."""
        self.faults.append(sentence)
        del self.faults[_MAX_FAULTS:]


class Verification:
    """Verifies the journal at ``path`` up to its end of now; a gateway may run. Close it."""

    def __init__(self, path: Path) -> None:
        self._folder = reader.folder_of(path)
        self._connection = schema.open_for_reading(path)
        self.found = VerifyProgress()
        with contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")  # one snapshot for all four
            self._saved = saved_frontier(self._connection)
            self._former = former_leaves(self._connection)
            self._read_catalogue()
            cursor.execute("COMMIT")
        self._frontier = Frontier()

    @property
    def leaves(self) -> int:
        """The number of leaves, those of former logs included."""
        return self._former + self._saved.size

    def steps(self) -> Iterator[tuple[str, int, int]]:
        """Verify in steps; yields a name, the number done, the total. Raises JournalError."""
        at = 0
        while at < self.leaves:
            at = self._verify_leaves(at)
            yield "entries", at, self.leaves
        self.found.root = self._saved.root().hex()
        if self._frontier != self._saved:
            self.found.fault("the entries do not hash to the log's frontier: they were changed")
        for row in self._rows:
            try:
                yield from self._verify_segment(row)
            except JournalError as error:
                self.found.fault(str(error))
        files = {path.name for path in self._folder.glob(f"*{SUFFIX}")}
        self.found.strays = sorted(files - {r.name for r in reader.catalogue(self._connection)})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read_catalogue(self) -> None:
        self._rows = reader.catalogue(self._connection)
        self._saved_nodes = dict(self._connection.execute(_SAVED_NODES).fetchall())

    def _verify_leaves(self, after: int) -> int:
        end = min(after + _AT_ONCE, self.leaves)
        rows = self._connection.execute(
            "SELECT e.id, e.kind, CAST(e.leaf AS BLOB), b.salt, CAST(b.body AS BLOB) FROM entry e"
            " LEFT JOIN body b ON b.entry = e.id WHERE e.id > ? AND e.id <= ? ORDER BY e.id",
            (after, end),
        ).fetchall()
        expected = after + 1
        for entry, kind, leaf, salt, body in rows:
            if entry != expected:
                self.found.fault(f"entries {expected} to {entry - 1} are lost")
            expected = entry + 1
            if kind == "open":
                self._frontier = Frontier()
            self._frontier = self._frontier.grown(merkle.leaf_hash(leaf))
            nodes = self._frontier.to_bytes()
            if self._saved_nodes.get(entry, nodes) != nodes:
                self.found.fault(f"the entries up to {entry} do not hash to what was saved then")
            self._verify_body(entry, kind, leaf, salt, body)
        self.found.entries += len(rows)
        if expected <= end:
            self.found.fault(f"entries {expected} to {end} are lost")
        return end

    def _verify_body(
        self, entry: int, kind: str, leaf: bytes, salt: bytes | None, body: bytes | None
    ) -> None:
        if salt is None or body is None:
            if kind not in reader.PAYLOADS or not self._is_archived(entry):
                self.found.fault(f"entry {entry}: its body is neither here nor in the archive")
            self.found.archived += 1
            return
        self.found.bodies += 1
        if leaf.split(b"\n")[_COMMIT_ROW] != leaves.commit(salt, body).encode("ascii"):
            self.found.fault(f"entry {entry}: its body is not what its leaf commits to")

    def _is_archived(self, entry: int) -> bool:
        """Whether only a segment has the body; the gateway may archive it while we read."""
        if not any(row.first <= entry <= row.removed for row in self._rows):
            self._read_catalogue()
        return any(row.first <= entry <= row.removed for row in self._rows)

    def _verify_segment(self, row: reader.SegmentRow) -> Iterator[tuple[str, int, int]]:
        with contextlib.closing(Segment(self._folder / row.name, row.digest)) as segment:
            if segment.index.nodes != self._saved_nodes.get(row.last, b"").hex():
                self.found.fault(f"{segment.path} does not end where the journal says")
            for done in segment.verify():
                yield row.name, done, row.last - row.first + 1
        self.found.segments += 1
