"""A broker that is hostile or broken: no packet of its ends the gateway or fills its memory."""

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mqtt.bulk_reader import BulkReader

TOPIC = b"noria/1/k7f3q5/up"
GOOD = b"\x32" + bytes((2 + len(TOPIC) + 2 + 3,)) + struct.pack(">H", 17) + TOPIC + b"\0\x07abc"
MB = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, BulkReader]]:
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield theirs, BulkReader(ours)
    theirs.close()
    ours.close()


def varint(length: int) -> bytes:
    out = bytearray()
    while True:
        out.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(out)


@pytest.mark.parametrize(
    "packet",
    [
        b"\x32\x00", b"\x32\x01a", b"\x32\x02\xff\xff", b"\x32\x04\x00\x11ab",
        b"\x32\x02\x00\x00", b"\x32\x03\x00\x00\x01", b"\x30\x01\x00",
        b"\x32\xff\xff\xff\xff\xff", b"\x20" + varint(100 * MB) + b"x" * 10,
    ],
)  # fmt: skip
def test_a_packet_that_breaks_the_protocol_ends_the_connection(
    pair: tuple[socket.socket, BulkReader], packet: bytes
) -> None:
    theirs, reader = pair
    theirs.send(GOOD + packet)
    reader.fill()
    assert [found[1] for found in reader.published()] == [b"abc"]
    assert reader.fault
    assert reader.offer()
    assert reader.recv(10) == b""  # as when the broker had closed
    theirs.send(GOOD)
    reader.fill()
    assert reader.published() == []


def test_a_huge_message_is_not_kept_and_the_next_one_comes(
    pair: tuple[socket.socket, BulkReader],
) -> None:
    theirs, reader = pair
    size = 20 * MB
    head = b"\x32" + varint(2 + len(TOPIC) + 2 + size) + struct.pack(">H", 17) + TOPIC + b"\0\x09"
    waiting = memoryview(head + b"z" * size + GOOD)
    found: list[tuple[bytes, bytes, int]] = []
    most = 0
    while waiting or len(found) < 2:
        with contextlib.suppress(BlockingIOError):
            waiting = waiting[theirs.send(waiting[:300_000]) :]
        reader.fill()
        found += reader.published()
        most = max(most, len(reader._in))
    assert [(topic, mid) for topic, _, mid in found] == [(TOPIC, 9), (TOPIC, 7)]
    assert 8192 < len(found[0][1]) <= 16_384
    assert found[1][1] == b"abc"
    assert most < MB and not reader.fault


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
def test_no_bytes_raise_anything(parts: list[bytes], publish: bool) -> None:
    theirs, ours = socket.socketpair()
    try:
        ours.setblocking(False)
        reader = BulkReader(ours)
        for part in parts:
            theirs.send((b"\x32" if publish else b"") + part)
            reader.fill()
            reader.published()
            if reader.offer():
                while reader._offered and reader.recv(7):
                    pass
    finally:
        theirs.close()
        ours.close()
