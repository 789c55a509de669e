"""The bytes of a segment, and how a changed one is refused."""

import hashlib
import zlib
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.domain import leaf, merkle
from gateway.domain.merkle import Frontier
from gateway.errors import ArchiveError
from gateway.journal.archive import segment
from gateway.journal.archive.segment import (
    Block,
    Index,
    Segment,
    SegmentRecord,
    SegmentWriter,
    record,
)
from gateway.journal.archive.span import MonthSpan
from tests.unit.journaled import DEVICE

_SALT = bytes(range(32))


def _leaf(body: bytes, lines: dict[str, str] | None = None, salt: bytes = _SALT) -> bytes:
    return leaf.text("msg", 1, "g1", DEVICE, leaf.commit(salt, body), lines)


def test_a_record_keeps_all_but_what_its_leaf_computes() -> None:
    for lines in (None, {"as": "{}"}, {"a": "1", "b": "2"}):
        text = _leaf(b"body", lines)
        found = record(text, _SALT, b"body")
        rest = "".join(f"{name}={value}\n" for name, value in (lines or {}).items())
        assert found == SegmentRecord(f"msg\n1\ng1\n{DEVICE}\n{rest}".encode(), _SALT, b"body")
        assert found.leaf == text
    erased = SegmentRecord(text, None, None)
    for salt, body in ((None, b"body"), (_SALT, None), (None, None)):
        assert record(text, salt, body) == erased
    assert erased.leaf == text
    assert SegmentRecord(b"x", _SALT, None).leaf == b"x"
    assert SegmentRecord(b"x", None, b"").leaf == b"x"


def _records() -> list[SegmentRecord]:
    bodies = [b"first", b"no 2", None, b"fourth" * 9]
    salts = [bytes([n]) * 32 for n in range(4)]
    return [
        record(_leaf(body or b"", salt=salt), salt if body is not None else None, body)
        for body, salt in zip(bodies, salts, strict=True)
    ]


def _segment(path: Path, entry: int = 5) -> tuple[Path, bytes, MonthSpan, Frontier]:
    """A file with two blocks of two records."""
    found = _records()
    before = Frontier().grown(*[bytes(32)] * (entry - 1))
    after = before.grown(*(merkle.leaf_hash(one.leaf) for one in found))
    span = MonthSpan("2026-01", entry, entry + 3, "aaaa", before)
    with closing(SegmentWriter(path)) as writer:
        writer.add(entry, found[:2])
        writer.add(entry + 2, found[2:])
        digest = writer.finish(span, after)
    return path, digest, span, after


def test_a_segment_is_written_as_its_format_says(tmp_path: Path) -> None:
    file, digest, span, after = _segment(tmp_path / "s")
    data = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert data.startswith(b"noria-archive-1\n")
    text_bytes = int(data[-16:])
    text, trailer = data[-80 - text_bytes : -80], data[-80:]
    assert trailer == digest.hex().encode() + b"%016d" % text_bytes
    assert hashlib.sha256(text).digest() == digest
    index = msgspec.json.decode(text, type=Index)
    first, second = index.blocks
    assert (first.first, first.offset, second.first) == (5, 16, 7)
    assert second.offset == 16 + first.length
    assert len(data) == second.offset + second.length + text_bytes + 80
    for block in index.blocks:
        packed = data[block.offset : block.offset + block.length]
        assert hashlib.sha256(packed).hexdigest() == block.sha256
    assert (index.log, index.month, index.first, index.last) == ("aaaa", "2026-01", 5, 8)
    assert (index.count, index.frontier, index.frontier_before) == (4, after, span.before)
    # Lengths, leaves without their commit, bodies, salts
    one, two = _records()[:2]
    expected = b"".join([
        (2).to_bytes(4, "little"),
        len(one.head).to_bytes(4, "little"), (5).to_bytes(4, "little"),
        len(two.head).to_bytes(4, "little"), (4).to_bytes(4, "little"),
        one.head, two.head, b"first", b"no 2", bytes(32), bytes([1]) * 32,
    ])  # fmt: skip
    assert zlib.decompress(data[16 : 16 + first.length]) == expected
    assert (segment.BLOCK, segment._ERASED) == (1024, 0xFFFFFFFF)


def test_a_segment_returns_its_records_by_block(tmp_path: Path) -> None:
    file, digest, *_ = _segment(tmp_path / "s")
    with closing(Segment(file, digest)) as opened:
        found = _records()
        assert opened.block(5) == opened.block(6) == (5, found[:2])
        assert opened.block(7) == opened.block(8) == (7, found[2:])
        assert list(opened.verify()) == [2, 4]
        assert opened.path == file
        opened.check()


def test_a_segment_with_any_byte_changed_is_refused(tmp_path: Path) -> None:
    file, digest, *_ = _segment(tmp_path / "s")
    data = file.read_bytes()
    for at in range(0, len(data), 7):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ArchiveError, match=r"was changed or cut short"):
            _read_all(file, digest)


def _read_all(file: Path, digest: bytes) -> None:
    with closing(Segment(file, digest)) as opened:
        opened.check()


@pytest.mark.parametrize("cut", [1, 16, 80, 81, 200, 10_000])
def test_a_segment_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    file, digest, *_ = _segment(tmp_path / "s")
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(ArchiveError, match=r"\(its end is missing or another's\)"):
        _read_all(file, digest)


def test_a_segments_faults_are_named(tmp_path: Path) -> None:
    file, digest, *_ = _segment(tmp_path / "s")
    data = file.read_bytes()
    with pytest.raises(ArchiveError, match="its end is missing or another's"):
        _read_all(file, bytes(32))
    file.write_bytes(b"N" + data[1:])
    with pytest.raises(ArchiveError, match="its beginning is another's"):
        _read_all(file, digest)
    file.write_bytes(data.replace(b'"aaaa"', b'"aaab"'))
    with pytest.raises(ArchiveError, match="its index is not what was written"):
        _read_all(file, digest)
    file.write_bytes(data[:20] + b"\0\0" + data[22:])
    with pytest.raises(ArchiveError, match="the block of entry 5 is not what was written"):
        _read_all(file, digest)
    file.unlink()
    with pytest.raises(ArchiveError, match=r"cannot be read \(No such file or directory\)"):
        _read_all(file, digest)


def test_a_segment_that_does_not_hash_to_its_frontier_is_refused(tmp_path: Path) -> None:
    found = _records()
    with closing(SegmentWriter(tmp_path / "s")) as writer:
        writer.add(1, found)
        digest = writer.finish(MonthSpan("2026-01", 1, 4), Frontier().grown(*[bytes(32)] * 4))
    with (
        closing(Segment(tmp_path / "s", digest)) as opened,
        pytest.raises(ArchiveError, match="its entries do not hash to the journal's log"),
    ):
        list(opened.verify())


def test_an_index_has_the_frontiers_around_its_entries() -> None:
    before, after = Frontier().grown(*[bytes(32)] * 3), Frontier().grown(*[bytes(32)] * 5)
    index = Index(
        "", "", 4, 5, 5, before.to_bytes().hex(), after.to_bytes().hex(), [Block(4, 16, 1, "")]
    )
    assert (index.count, index.frontier_before, index.frontier) == (2, before, after)
