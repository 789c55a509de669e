"""The partition table is the one that ESP-IDF's boot loader reads."""

from pathlib import Path

import pytest

from server.command.device import partitions
from server.command.device.partitions import Partition, PartitionError

CSV = Path(__file__).parents[2] / "firmware" / "partitions.csv"

# The example of ESP-IDF's own tests (gen_esp32part_tests.py), with its published MD5.
EXAMPLE = (
    Partition("factory", 0, 0, 0x10000, 0x100000),
    Partition("data", 1, 0x20, 0x110000, 0x200),
    Partition("second", 0x10, 0, 0x150000, 0x1000),
)
EXAMPLE_ROWS = (
    "aa50 0000 00000100 00001000 666163746f7279000000000000000000 00000000"
    "aa50 0120 00001100 00020000 64617461000000000000000000000000 00000000"
    "aa50 1000 00001500 00100000 7365636f6e6400000000000000000000 00000000"
    "ebeb ffffffffffffffffffffffffffff f9bd061b45686f86571a2cd52a1da65b"
)


def test_the_documented_example_is_encoded_byte_for_byte() -> None:
    table = partitions.packed(list(EXAMPLE))
    wanted = bytes.fromhex(EXAMPLE_ROWS)
    assert table[: len(wanted)] == wanted
    assert table[len(wanted) :] == b"\xff" * (0xC00 - len(wanted))


def test_our_table_has_the_ring_and_fits_4_mb() -> None:
    rows = {row.label: row for row in partitions.read(CSV.read_text("utf-8"))}
    ring = rows["ring"]
    assert (ring.kind, ring.subtype) == (1, 0x40)
    assert ring.size >= 256 * 1024  # 30 days at ten minutes
    assert max(row.offset + row.size for row in rows.values()) <= 4 * 1024 * 1024
    assert rows["nvs"].packed()[:12].hex() == "aa5001020090000000600000"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ring, data, 0x40, 0x380000, 0x80001", "not aligned"),
        ("app, app, factory, 0x11000, 1M", "not aligned"),
        ("nvs, data, nvs, 0x8000, 0x1000", "overlaps"),
        ("a, data, nvs, 0x9000, 0x2000\nb, data, phy, 0xa000, 0x1000", "overlaps"),
        ("a, data, nvs, 0x9000, 0x1000\na, data, phy, 0xa000, 0x1000", "twice"),
        ("ring, date, 0x40, 0x9000, 0x1000", "type 'date'"),
        ("ring, data, 0x40, , 0x1000", "offset ''"),
        ("a-label-of-too-many, data, nvs, 0x9000, 0x1000", "1 to 16"),
        ("ring, data, 0xff, 0x9000, 0x1000", "0xfe"),
    ],
)
def test_a_table_that_would_not_boot_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(PartitionError, match=why):
        partitions.read(text)
