"""One archive segment: entries of one log, in a compressed file that is written once.

``noria-archive-1`` LF, blocks of 1024 entries (zlib), the index (one line of JSON), its SHA-256 in
hex and its length in 16 digits. The index names log and range, the frontier before and after, and
each block's place and SHA-256: so its own hash, which the journal keeps, stands for every byte,
and any entry is read by inflating its block alone. A block holds, one column after the other, the
lengths, the leaves without their commit, the bodies, the salts: a leaf is made again from them,
and what does not hash to the log's is not what was archived.
"""

import hashlib
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.domain import leaf as leaves
from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import ArchiveError
from gateway.journal.archive.span import Span

MAGIC = b"noria-archive-1\n"
BLOCK = 1024
"""Entries in one block. Measured on one-reading messages: 137 bytes of 351 an entry, read in
1.5 us; lzma takes 124, but seven times as long to read and three to write."""
_LEVEL = 6
_TRAILER = struct.Struct("64s16s")
_COUNT = struct.Struct("<I")
_LENGTHS = struct.Struct("<II")
_ERASED = 0xFFFFFFFF
_FIRST_ROW = b"noria-leaf-1"
_COMMIT = 4  # its row in a head


class SegmentRecord(NamedTuple):
    """An entry: its leaf without the commit, and what that commits to.

    Where salt and body were erased before, None, and ``head`` is the whole leaf.
    """

    head: bytes
    salt: bytes | None
    body: bytes | None

    @property
    def leaf(self) -> bytes:
        """The leaf, its commit worked out again."""
        if self.salt is None or self.body is None:
            return self.head
        rows = self.head.split(b"\n")
        commit = leaves.commit(self.salt, self.body).encode("ascii")
        return b"\n".join((_FIRST_ROW, *rows[:_COMMIT], commit, *rows[_COMMIT:]))


def record(leaf: bytes, salt: bytes | None, body: bytes | None) -> SegmentRecord:
    """Of an entry as the journal has it."""
    if salt is None or body is None:
        return SegmentRecord(leaf, None, None)
    rows = leaf.split(b"\n")
    return SegmentRecord(b"\n".join(rows[1 : _COMMIT + 1] + rows[_COMMIT + 2 :]), salt, body)


class Block(NamedTuple):
    """Where entries ``first`` and following lie in the file."""

    first: int
    offset: int
    length: int
    sha256: str


class Index(msgspec.Struct, frozen=True):
    """What a segment says of itself. ``size``, ``nodes``: the log's frontier after ``last``."""

    log: str
    month: str
    first: int
    last: int
    size: int
    before: str
    nodes: str
    blocks: list[Block]

    @property
    def frontier(self) -> Frontier:
        """The log's frontier after the last entry."""
        return Frontier.from_bytes(self.size, bytes.fromhex(self.nodes))

    @property
    def frontier_before(self) -> Frontier:
        """The log's frontier before the first entry."""
        count = self.last - self.first + 1
        return Frontier.from_bytes(self.size - count, bytes.fromhex(self.before))


class SegmentWriter:
    """Writes a segment to ``path``. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        path.chmod(0o600)
        self._at = 0
        self._write(MAGIC)
        self._blocks: list[Block] = []

    def add(self, first: int, records: Sequence[SegmentRecord]) -> None:
        """The next block: entries from ``first`` on."""
        packed = zlib.compress(_packed(records), _LEVEL)
        self._blocks.append(Block(first, self._at, len(packed), hashlib.sha256(packed).hexdigest()))
        self._write(packed)

    def finish(self, span: Span, after: Frontier) -> bytes:
        """Write the index and have everything on disk; returns the segment's digest."""
        nodes = span.before.to_bytes().hex(), after.to_bytes().hex()
        said = Index(span.log, span.month, span.first, span.last, after.size, *nodes, self._blocks)
        index = msgspec.json.encode(said)
        digest = hashlib.sha256(index)
        self._write(index)
        self._write(_TRAILER.pack(digest.hexdigest().encode(), b"%016d" % len(index)))
        os.fsync(self._file.fileno())
        self.close()
        return digest.digest()

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._at += len(data)


class Segment:
    """A segment open for reading: what comes out of it is what was archived, or ArchiveError.

    ``digest`` is what the journal keeps of it.
    """

    def __init__(self, path: Path, digest: bytes) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveError(
                f"{path} cannot be read ({error.strerror}): put it back from where it was moved "
                "to, or from a backup, then try again"
            ) from error
        try:
            self.index = self._index(digest)
        except BaseException:
            self.close()
            raise
        self._firsts = [block.first for block in self.index.blocks]

    def block(self, entry: int) -> tuple[int, list[SegmentRecord]]:
        """The first entry of the block that holds ``entry``, and the block's records."""
        block = self.index.blocks[bisect_right(self._firsts, entry) - 1]
        return block.first, list(_unpacked(zlib.decompress(self._packed(block))))

    def blocks(self) -> Iterator[tuple[int, list[SegmentRecord]]]:
        """All blocks, in order."""
        for first in self._firsts:
            yield self.block(first)

    def check(self) -> None:
        """See that every byte is there and as it was written. Raises ArchiveError."""
        for block in self.index.blocks:
            self._packed(block)

    def verify(self) -> Iterator[int]:
        """Make every leaf again and see that they are the log's; yields how many are done."""
        grown, done = self.index.frontier_before, 0
        for _, records in self.blocks():
            grown = grown.grown(*(merkle.leaf_hash(record.leaf) for record in records))
            done += len(records)
            yield done
        if grown != self.index.frontier:
            raise self._changed("its entries do not hash to the journal's log")

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _packed(self, block: Block) -> bytes:
        packed = self._read(block.offset, block.length)
        if hashlib.sha256(packed).hexdigest() != block.sha256:
            raise self._changed(f"the block of entry {block.first} is not what was written")
        return packed

    def _index(self, digest: bytes) -> Index:
        size = os.fstat(self._file.fileno()).st_size
        said, length = _TRAILER.unpack(
            self._read(max(0, size - _TRAILER.size), _TRAILER.size).rjust(_TRAILER.size)
        )
        if said != digest.hex().encode() or not length.isdigit() or int(length) > size:
            raise self._changed("its end is missing or another's")
        text = self._read(size - _TRAILER.size - int(length), int(length))
        if self._read(0, len(MAGIC)) != MAGIC:
            raise self._changed("its beginning is another's")
        if hashlib.sha256(text).digest() != digest:
            raise self._changed("its index is not what was written")
        return msgspec.json.decode(text, type=Index)

    def _read(self, at: int, length: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), length, at)
        except OSError as error:
            raise ArchiveError(f"{self.path} cannot be read: {error.strerror}") from error

    def _changed(self, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self.path} was changed or cut short ({why}): put back an intact copy of it from a "
            "backup, then try again"
        )


def _packed(records: Sequence[SegmentRecord]) -> bytes:
    lengths = [
        _LENGTHS.pack(len(r.head), _ERASED if r.body is None else len(r.body)) for r in records
    ]
    bodies = (r.body for r in records if r.body is not None)
    salts = (r.salt for r in records if r.salt is not None)
    heads = (r.head for r in records)
    return b"".join((_COUNT.pack(len(records)), *lengths, *heads, *bodies, *salts))


def _unpacked(data: bytes) -> Iterator[SegmentRecord]:
    (count,) = _COUNT.unpack_from(data)
    head_at = _COUNT.size + count * _LENGTHS.size
    lengths = list(_LENGTHS.iter_unpack(data[_COUNT.size : head_at]))
    body_at = head_at + sum(head for head, _ in lengths)
    salt_at = body_at + sum(body for _, body in lengths if body != _ERASED)
    for head_bytes, body_bytes in lengths:
        head = data[head_at : head_at + head_bytes]
        head_at += head_bytes
        if body_bytes == _ERASED:
            yield SegmentRecord(head, None, None)
            continue
        salt = data[salt_at : salt_at + leaves.SALT_BYTES]
        yield SegmentRecord(head, salt, data[body_at : body_at + body_bytes])
        body_at, salt_at = body_at + body_bytes, salt_at + leaves.SALT_BYTES
