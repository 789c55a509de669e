"""The format of a segment: entries of one log in a compressed file that is written once.

The file is ``noria-archive-1`` LF, blocks of 1024 entries (zlib), the index (one line of JSON), the
index's SHA-256 in hex and its length in 16 digits. The index has the log, the range, the frontiers
before and after, and place and SHA-256 of every block. The journal keeps the hash of the index, so
that hash covers every byte, and reading one entry decompresses one block. A block has four columns:
lengths, leaves without their commit, bodies, salts. A reader computes each leaf from them.
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
from gateway.journal.archive.span import MonthSpan

MAGIC = b"noria-archive-1\n"
BLOCK = 1024
"""Entries in one block. Measured on messages of one reading: 137 of 351 bytes an entry, read in
1.5 us; lzma needs 124 bytes, but seven times as long to read and three times to write."""
_LEVEL = 6
_TRAILER = struct.Struct("64s16s")
_COUNT = struct.Struct("<I")
_LENGTHS = struct.Struct("<II")
_ERASED = 0xFFFFFFFF
_FIRST_ROW = b"noria-leaf-1"
_COMMIT = 4  # the row of the commit in a head


class SegmentRecord(NamedTuple):
    """An entry: ``head`` is the leaf without its commit, which commits to ``salt`` and ``body``.

    An erased entry has neither salt nor body, and its head is the whole leaf.
    """

    head: bytes
    salt: bytes | None
    body: bytes | None

    @property
    def leaf(self) -> bytes:
        """The leaf, with a commit computed from salt and body."""
        if self.salt is None or self.body is None:
            return self.head
        rows = self.head.split(b"\n")
        commit = leaves.commit(self.salt, self.body).encode("ascii")
        return b"\n".join((_FIRST_ROW, *rows[:_COMMIT], commit, *rows[_COMMIT:]))


def record(leaf: bytes, salt: bytes | None, body: bytes | None) -> SegmentRecord:
    """The record of an entry of the journal."""
    if salt is None or body is None:
        return SegmentRecord(leaf, None, None)
    rows = leaf.split(b"\n")
    return SegmentRecord(b"\n".join(rows[1 : _COMMIT + 1] + rows[_COMMIT + 2 :]), salt, body)


class Block(NamedTuple):
    """Place of a block in the file, in bytes, and its first entry."""

    first: int
    offset: int
    length: int
    sha256: str


class Index(msgspec.Struct, frozen=True):
    """The index. ``size``, ``nodes``: the log's frontier after ``last``; ``before``: its nodes
    before ``first``, in hex."""

    log: str
    month: str
    first: int
    last: int
    size: int
    before: str
    nodes: str
    blocks: list[Block]

    @property
    def count(self) -> int:
        """The number of entries."""
        return self.last - self.first + 1

    @property
    def frontier(self) -> Frontier:
        """The log's frontier after the last entry."""
        return Frontier.from_bytes(self.size, bytes.fromhex(self.nodes))

    @property
    def frontier_before(self) -> Frontier:
        """The log's frontier before the first entry."""
        return Frontier.from_bytes(self.size - self.count, bytes.fromhex(self.before))


class SegmentWriter:
    """Writes a segment to ``path``. Every method raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        path.chmod(0o600)
        self._at = 0
        self._write(MAGIC)
        self._blocks: list[Block] = []

    def add(self, first: int, records: Sequence[SegmentRecord]) -> None:
        """Write the next block, of the entries from ``first``."""
        packed = zlib.compress(_packed(records), _LEVEL)
        self._blocks.append(Block(first, self._at, len(packed), hashlib.sha256(packed).hexdigest()))
        self._write(packed)

    def finish(self, span: MonthSpan, after: Frontier) -> bytes:
        """Write the index and sync the file; returns the SHA-256 of the index."""
        nodes = span.before.to_bytes().hex(), after.to_bytes().hex()
        index = Index(span.log, span.month, span.first, span.last, after.size, *nodes, self._blocks)
        text = msgspec.json.encode(index)
        digest = hashlib.sha256(text)
        self._write(text)
        self._write(_TRAILER.pack(digest.hexdigest().encode(), b"%016d" % len(text)))
        os.fsync(self._file.fileno())
        self.close()
        return digest.digest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._at += len(data)


class Segment:
    """A segment open for reading. It returns what was archived, or raises ArchiveError.

    ``digest`` is the SHA-256 of the index, from the journal.
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
        """The first entry of the block that has ``entry``, and the block's records."""
        block = self.index.blocks[bisect_right(self._firsts, entry) - 1]
        return block.first, list(_unpacked(zlib.decompress(self._packed(block))))

    def check(self) -> None:
        """Read every block and compare its hash."""
        for block in self.index.blocks:
            self._packed(block)

    def verify(self) -> Iterator[int]:
        """Compute every leaf and compare the frontier; yields the number of entries done."""
        frontier, done = self.index.frontier_before, 0
        for first in self._firsts:
            _, records = self.block(first)
            frontier = frontier.grown(*(merkle.leaf_hash(record.leaf) for record in records))
            done += len(records)
            yield done
        if frontier != self.index.frontier:
            raise self._changed("its entries do not hash to the journal's log")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _packed(self, block: Block) -> bytes:
        packed = self._read(block.offset, block.length)
        if hashlib.sha256(packed).hexdigest() != block.sha256:
            raise self._changed(f"the block of entry {block.first} is not what was written")
        return packed

    def _index(self, digest: bytes) -> Index:
        size = os.fstat(self._file.fileno()).st_size
        hexdigest, length = _TRAILER.unpack(
            self._read(max(0, size - _TRAILER.size), _TRAILER.size).rjust(_TRAILER.size)
        )
        if hexdigest != digest.hex().encode() or not length.isdigit() or int(length) > size:
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
