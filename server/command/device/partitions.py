"""The partition table as the chip's boot loader reads it (ESP-IDF programming guide, *Partition
Tables*): entries of 32 bytes, the MD5 of them, blank to 3072 bytes."""

import csv
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import NoriaError

OFFSET = 0x8000
SIZE = 0xC00
_SECTOR, _APP_ALIGN = 0x1000, 0x10000
_MAGIC, _MD5_MAGIC = b"\xaa\x50", b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    ("app", "factory"): 0x00,
    ("data", "ota"): 0x00,
    ("data", "phy"): 0x01,
    ("data", "nvs"): 0x02,
    ("data", "fat"): 0x81,
    ("data", "spiffs"): 0x82,
    ("data", "littlefs"): 0x83,
}


class PartitionError(NoriaError):
    """The table cannot be written; the message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One row: ``kind`` 0 app, 1 data, ``offset`` and ``size`` in bytes of flash."""

    label: str
    kind: int
    subtype: int
    offset: int
    size: int

    def packed(self) -> bytes:
        """32 bytes: magic, type, subtype, offset, size, label, flags."""
        head = struct.pack("<BBII", self.kind, self.subtype, self.offset, self.size)
        return _MAGIC + head + self.label.encode("ascii").ljust(16, b"\0") + bytes(4)


def read(text: str) -> list[Partition]:
    """The rows of a partitions.csv. Raises PartitionError: names a row that overlaps or is wrong.

    Every offset must be given: a table in which they are counted cannot be checked by eye.
    """
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    found = [_row(fields) for fields in csv.reader(lines, skipinitialspace=True)]
    _check(found)
    return found


def _row(fields: list[str]) -> Partition:
    label, kind, subtype, offset, size = ([f.strip() for f in fields] + [""] * 5)[:5]
    type_ = _TYPES[kind] if kind in _TYPES else _number(label, "type", kind)
    if not 0 < len(label.encode()) <= 16 or not label.isascii():
        raise PartitionError(f"partition {label!r}: a label has 1 to 16 ASCII characters")
    number = _SUBTYPES.get((kind, subtype))
    if number is None:
        number = _number(label, "subtype", subtype)
    if not (0 <= number <= 0xFE and 0 <= type_ <= 0xFE):
        raise PartitionError(f"partition {label!r}: type and subtype are 0xfe at most")
    return Partition(
        label, type_, number, _number(label, "offset", offset), _number(label, "size", size)
    )


def _number(label: str, what: str, given: str) -> int:
    digits, unit = given, 1
    if given[-1:] in ("K", "M"):
        digits, unit = given[:-1], {"K": 1024, "M": 1024 * 1024}[given[-1]]
    try:
        return int(digits, 0) * unit
    except ValueError:
        raise PartitionError(f"partition {label!r}: {what} {given!r} is no number") from None


def _check(rows: Iterable[Partition]) -> None:
    end, labels = OFFSET + _SECTOR, set[str]()
    for row in sorted(rows, key=lambda row: row.offset):
        align = _APP_ALIGN if row.kind == _TYPES["app"] else _SECTOR
        if row.offset % align or row.size % _SECTOR or not row.size:
            raise PartitionError(f"partition {row.label!r}: offset or size is not aligned")
        if row.offset < end:
            raise PartitionError(
                f"partition {row.label!r}: 0x{row.offset:x} overlaps what is before"
            )
        if row.label in labels:
            raise PartitionError(f"partition {row.label!r} stands in the table twice")
        labels.add(row.label)
        end = row.offset + row.size


def labels(table: bytes) -> list[str]:
    """The names of the partitions in a table as read from a board; none for anything else."""
    rows = (table[at : at + 32] for at in range(0, len(table), 32))
    return [
        row[12:28].rstrip(b"\0").decode("ascii", "replace") for row in rows if row[:2] == _MAGIC
    ]


def packed(rows: list[Partition]) -> bytes:
    """The table for flash address 0x8000. Raises PartitionError when it has too many rows."""
    entries = b"".join(row.packed() for row in rows)
    table = entries + _MD5_MAGIC + hashlib.md5(entries, usedforsecurity=False).digest()
    if len(table) > SIZE:
        raise PartitionError(f"{len(rows)} partitions: the table has room for {SIZE // 32 - 1}")
    return table.ljust(SIZE, b"\xff")
