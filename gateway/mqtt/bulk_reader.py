"""A broker's socket with a buffer in both directions, which paho uses as if it were the socket.

paho alone reads each packet with four system calls and writes each with one: 25 us a message, half
of what the rest of ingest costs. Here one call reads all that the kernel has, PUBLISH packets are
parsed from the buffer (2 us each), and paho reads the other packets from it. Everything written,
by paho or by the session, is whole packets in one buffer.
"""

import socket
import ssl
import struct
from typing import Any, NamedTuple, cast

import paho.mqtt.client as paho

_CHUNK = 1 << 19
_LARGEST = 1 << 16
"""Bytes of a packet that is kept whole: an OBJECT of 8,192 and its envelope are a seventh."""
_KEPT = 16_384  # of a larger PUBLISH: enough for the gateway to refuse it
_PUBLISH = 0x30
_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_ACK = struct.Struct(">BBH").pack


Published = tuple[bytes, bytes, int]
"""Topic, payload and packet identifier of one PUBLISH packet, QoS 0 (which has none: 0) or 1."""


class Receipts(NamedTuple):
    """Messages that the broker wants a PUBACK for, on one connection to it."""

    connection: int
    mids: list[int]

    def pubacks(self) -> bytes:
        """The PUBACK packets."""
        return b"".join([_ACK(0x40, 2, mid) for mid in self.mids])


class BulkReader:
    """Wraps a connected, non-blocking socket. An error ends it: ``recv`` returns ``b""``."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._out = bytearray()
        self._offered = 0  # bytes of `_in` that paho may read
        self._ended = False
        self._skip = 0  # bytes still to come of a PUBLISH of which only the beginning is kept
        self.fault = ""
        """Why the connection was ended, if the broker's packets broke the protocol."""

    # Called by paho, as on a socket -------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """Bytes of the packet that ``offer`` allows; raises BlockingIOError when there are none."""
        if not self._offered:
            if self._ended:
                return b""
            raise BlockingIOError
        taken = self._in[: min(size, self._offered)]
        self._in = self._in[len(taken) :]
        self._offered -= len(taken)
        return taken

    def send(self, packet: bytes | bytearray) -> int:
        """Queue a whole packet; ``flush`` sends it."""
        self._out += packet
        return len(packet)

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._sock.setblocking(flag)

    def fileno(self) -> int:
        """For ``select``."""
        return self._sock.fileno()

    def close(self) -> None:
        """Send what the kernel accepts at once, then close."""
        self.flush()
        self._sock.close()

    # Called by the session ----------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether the kernel has not accepted all packets yet."""
        return bool(self._out)

    @property
    def pending(self) -> bool:
        """Whether TLS has decrypted bytes that ``select`` does not see."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def fill(self) -> None:
        """Read what the kernel has, if anything, without waiting."""
        try:
            came = self._sock.recv(_CHUNK)
        except _WAIT:
            return
        except OSError:
            came = b""
        self._ended = self._ended or not came
        if self._skip:
            skipped = min(self._skip, len(came))
            self._skip -= skipped
            came = came[skipped:]
        if not self.fault:
            self._in += came

    def _fail(self, why: str) -> None:
        """End a connection whose packets cannot be told apart any more; paho connects again."""
        self.fault, self._in, self._ended, self._skip = why, b"", True, 0

    def flush(self) -> None:
        """Send as much as the kernel accepts."""
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except _WAIT:
            pass
        except OSError:
            self._out.clear()
            self._ended = True

    def published(self) -> list[Published]:
        """Remove the whole PUBLISH packets at the front, up to the first other packet."""
        data, at, found = self._in, 0, list[Published]()
        length = len(data)
        while not self._offered and at + 1 < length and data[at] & 0xF4 == _PUBLISH:
            begin, end = _body(data, at)
            if not begin or (end > length and end - at <= _LARGEST):
                break
            if end - begin < 2:
                self._fail("a PUBLISH without a topic")
                return found
            if end - at > _LARGEST and length - begin < min(_KEPT, end - begin):
                break  # the part that is kept is not here yet
            topic_end = begin + 2 + (data[begin] << 8 | data[begin + 1])
            payload, mid = topic_end, 0
            if data[at] & 0x02:
                payload = topic_end + 2
            if payload > min(end, begin + _KEPT):
                self._fail("a PUBLISH that is shorter than its topic")
                return found
            if data[at] & 0x02:
                mid = data[topic_end] << 8 | data[topic_end + 1]
            kept = end if end - at <= _LARGEST else begin + _KEPT
            found.append((data[begin + 2 : topic_end], data[payload:kept], mid))
            self._skip = max(0, end - length)
            at = min(end, length)
        self._in = data[at:]
        self._check_front()
        return found

    def _check_front(self) -> None:
        """Wait for no packet that cannot come: other kinds than PUBLISH are short."""
        data = self._in
        if len(data) < 5:
            return
        begin, end = _body(data, 0)
        if not begin:
            self._fail("a packet whose length does not end")
        elif data[0] & 0xF4 != _PUBLISH and end > _LARGEST:
            self._fail(f"a packet of {end} bytes that is no message")

    def offer(self) -> bool:
        """Whether paho may read now: the packet at the front, or the end of the connection."""
        if not self._offered and self._has_packet() and self._in[0] & 0xF4 != _PUBLISH:
            self._offered = _body(self._in, 0)[1]
        return self._offered > 0 or (self._ended and not self._has_packet())

    def _has_packet(self) -> bool:
        begin, end = _body(self._in, 0) if len(self._in) > 1 else (0, 0)
        return bool(begin) and end <= len(self._in)


class BulkClient(paho.Client):
    """paho on a ``BulkReader``: the only code that overrides a private method of paho."""

    stream: BulkReader

    def _create_socket(self) -> Any:  # declared as a socket in paho
        sock = cast(socket.socket, super()._create_socket())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else PUBACKs wait 40 ms
        self.stream = BulkReader(sock)
        return self.stream


def _body(data: bytes, at: int) -> tuple[int, int]:
    """Begin and end of the variable part of the packet at ``at``; (0, 0): its length is missing."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        length |= (data[place] & 0x7F) << shift
        shift += 7
        if data[place] < 0x80:
            return place + 1, place + 1 + length
    return 0, 0


def publication(topic: str, payload: bytes, *, retain: bool) -> bytes:
    """A PUBLISH packet of QoS 0."""
    name = topic.encode()
    length = 2 + len(name) + len(payload)
    head = bytearray((_PUBLISH | retain,))
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return b"%b%b%b%b" % (head, len(name).to_bytes(2, "big"), name, payload)
