"""MQTT 3.1.1 client in which every wait has a time-out.

Clean sessions, QoS 0 and 1 out, any QoS in. References are to the OASIS standard of 2014.
Connecting and the TLS handshake block, each step under the socket's time-out. After that the socket
does not block: a blocking read of n bytes loops inside MicroPython, and a peer that sends slowly
could keep it there without end.
"""

import select
import struct
import time

from micropython import const

from lib import unload
from lib.packets import framed, opened, text

_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBSCRIBE = const(0x82)
_SUBACK = const(0x90)
_PINGREQ = const(0xC0)
_PINGRESP = const(0xD0)
_DISCONNECT = const(0xE0)
_PACKET_LIMIT = const(16384)
_CHUNK = const(512)
_EVENT_SIZE = const(64)  # heap of a queued packet besides its bytes
_QUEUE_LIMIT = const(20480)  # bytes of queued packets: two retained topics, and PUBACKs
_FULL_MS = const(5)  # between attempts to write while the peer's window is full
_AGAIN = (11, 2, 3)  # EAGAIN; CPython's ssl: want read, want write


class MqttError(OSError):
    """The connection cannot be used any more; the message has the reason."""


class Client:
    """One connection. ``timeout_s`` bounds every exchange; ``will`` is (topic, payload) or None."""

    def __init__(
        self, host, port, client_id, login=None, password=None, ca=None, will=None, timeout_s=8
    ):
        self._address = host, port
        self._who = client_id, login, password, will
        self._ca = ca
        self._timeout_ms = timeout_s * 1000
        self._raw = self._socket = self._poll = None
        self._pid = 0
        self._queue = []
        self._queue_size = 0

    # Connection

    def connect(self):
        """TCP, TLS when there is a CA, CONNECT, CONNACK. Raises MqttError."""
        from lib import dial  # large, and needed once

        try:
            timeout_s = self._timeout_ms / 1000
            self._raw, self._socket = dial.opened(*self._address, self._ca, timeout_s)
            self._listen(self._socket)
            self._send(dial.connect_packet(*self._who))
            why = dial.refusal(*self._packet(self._timeout_ms))
        except (OSError, ValueError) as error:  # ValueError: a certificate that does not verify
            self.close()
            raise MqttError("connect %s:%d: %r" % (self._address + (error,))) from error
        finally:
            del dial
            unload("lib.dial", "lib.trust")
        if why:
            self.close()
            raise MqttError("the broker refused: %s" % why)

    def held(self):
        """The open connection without this module, which may be unloaded until ``resumed``."""
        return (
            self._address + self._who, self._ca, self._timeout_ms, self._raw, self._socket,
            self._pid, self._queue, self._queue_size,
        )  # fmt: skip

    def resume(self, held):
        """Continue the connection that another client held."""
        _, _, _, self._raw, self._socket, self._pid, self._queue, self._queue_size = held
        self._listen(self._socket)

    def _listen(self, stream):
        stream.setblocking(False)
        # MicroPython's TLS has read and write; sockets and CPython's TLS recv and send.
        self._read = getattr(stream, "recv", None) or stream.read
        self._write = getattr(stream, "send", None) or stream.write
        self._poll = select.poll()
        self._poll.register(stream, select.POLLIN)

    def disconnect(self):
        """A clean end, so that the broker drops the will."""
        try:
            self._send(bytes((_DISCONNECT, 0)))
        except Exception:  # noqa: BLE001, S110 - the connection is broken already
            pass
        self.close()

    def close(self):
        """Drop the connection. Safe at any time."""
        for stream in (self._socket, self._raw):
            if stream is not None:
                try:
                    stream.close()
                except Exception:  # noqa: BLE001, S110
                    pass  # closing the socket of a dead peer may fail, too
        self._raw = self._socket = self._poll = None

    # Packets out

    def publish(self, topic, *payload, qos=0, retain=False):
        """Send one message. Its payload may be in parts, which saves the heap to join them.

        Returns the packet id whose PUBACK to expect (0 for QoS 0).
        """
        head, pid = text(topic), 0
        if qos:
            pid = self._next_pid()
            head += struct.pack(">H", pid)
        kind = _PUBLISH | qos << 1 | (1 if retain else 0)
        self._send(opened(kind, len(head) + sum(len(part) for part in payload)) + head)
        for part in payload:
            self._send(part)
        return pid

    def subscribe(self, topics):
        """Subscribe at QoS 1 and wait for SUBACK. Raises MqttError when refused."""
        pid = self._next_pid()
        body = struct.pack(">H", pid)
        for topic in topics:
            body += text(topic) + b"\1"
        self._send(framed(_SUBSCRIBE, body))
        answer = self._await(_SUBACK)
        if len(answer) != 2 + len(topics) or 0x80 in bytes(answer[2:]):
            raise MqttError("the broker refused the subscription")

    def ping(self):
        """PINGREQ and wait for PINGRESP: retained messages have arrived by then."""
        self._send(bytes((_PINGREQ, 0)))
        self._await(_PINGRESP)

    # Packets in

    def receive(self, wait_ms):
        """The next of ("message", topic, payload, retained) or ("puback", pid); None after
        ``wait_ms``. ``payload`` is a memoryview. Raises MqttError when the connection is dead.
        """
        start = time.ticks_ms()
        while True:
            if self._queue:
                event, size = self._queue.pop(0)
                self._queue_size -= size
                return event
            left = wait_ms - time.ticks_diff(time.ticks_ms(), start)
            if left < 0 or not self._readable(left):
                return None
            self._handle(*self._packet(self._timeout_ms))

    def _await(self, wanted):
        start = time.ticks_ms()
        while True:
            left = self._timeout_ms - time.ticks_diff(time.ticks_ms(), start)
            kind, body = self._packet(left)
            if kind == wanted:
                return body
            self._handle(kind, body)

    def _handle(self, kind, body):
        """Queue a packet's event. Raises MqttError for a malformed one, or too many."""
        if kind & 0xF0 == _PUBLISH:
            self._enqueue(self._message(kind, body), len(body))
        elif kind == _PUBACK:
            if len(body) != 2:
                raise MqttError("a PUBACK of %d bytes" % len(body))
            self._enqueue(("puback", body[0] << 8 | body[1]), len(body))

    def _message(self, kind, body):
        size = body[0] << 8 | body[1] if len(body) >= 2 else 0
        at = 2 + size
        qos = kind & 0x06
        if len(body) < at + (2 if qos else 0) or qos == 0x06:
            raise MqttError("a malformed PUBLISH of %d bytes" % len(body))
        try:
            topic = str(body[2:at], "utf-8")
        except (UnicodeError, MemoryError) as error:
            raise MqttError("a message that cannot be kept: %r" % error) from error
        if qos:
            self._send(bytes((_PUBACK, 2)) + body[at : at + 2])
            at += 2
        return "message", topic, memoryview(body)[at:], bool(kind & 1)

    def _enqueue(self, event, size):
        size += _EVENT_SIZE
        self._queue_size += size
        if self._queue_size > _QUEUE_LIMIT:
            raise MqttError("too many unexpected messages")
        self._queue.append((event, size))

    def _packet(self, wait_ms):
        """(first byte, body) of the next packet: begun in ``wait_ms``, complete in a time-out."""
        try:
            return self._whole_packet(wait_ms)
        except MemoryError as error:
            raise MqttError("no room for a packet") from error

    def _whole_packet(self, wait_ms):
        if wait_ms <= 0 or not self._readable(wait_ms):
            raise MqttError("the broker is silent")
        start = time.ticks_ms()
        kind = self._exactly(1, start)[0]
        size = shift = 0
        while True:
            byte = self._exactly(1, start)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
            if shift > 21:
                raise MqttError("malformed length")  # 2.2.3
        if size > _PACKET_LIMIT:
            raise MqttError("a packet of %d bytes" % size)
        return kind, self._exactly(size, start)

    def _exactly(self, count, start):
        """``count`` bytes, as a bytearray, before the deadline even if the peer sends slowly."""
        parts = bytearray(count)  # joining pieces would cost their size squared
        at = 0
        while at < count:
            left = self._timeout_ms - time.ticks_diff(time.ticks_ms(), start)
            if left <= 0 or not self._readable(left):
                raise MqttError("the broker stopped in the middle of a packet")
            part = self._once(self._read, min(count - at, _CHUNK))
            if part is not None and not part:
                raise MqttError("the broker closed the connection")
            parts[at : at + len(part or b"")] = part or b""
            at += len(part or b"")
        return parts

    def _once(self, act, what):
        """The result of ``act``; None when it would have to wait."""
        try:
            return act(what)
        except OSError as error:
            if error.errno in _AGAIN:
                return None
            raise MqttError("connection: %r" % error) from error

    def _readable(self, wait_ms):
        if self._poll is None:
            raise MqttError("not connected")
        pending = getattr(self._socket, "pending", None)  # CPython's TLS, decrypted already
        return bool((pending and pending()) or self._poll.poll(wait_ms))

    def _send(self, packet):
        start = time.ticks_ms()
        packet, at = memoryview(packet), 0
        while at < len(packet):
            if self._socket is None or time.ticks_diff(time.ticks_ms(), start) > self._timeout_ms:
                raise MqttError("the broker accepts no data")
            sent = self._once(self._write, packet[at:])
            at += sent or 0
            if not sent:
                time.sleep_ms(_FULL_MS)

    def _next_pid(self):
        self._pid = self._pid % 65535 + 1
        return self._pid


def resumed(held):
    """A client that continues the connection ``held``: see :meth:`Client.held`."""
    host, port, client_id, login, password, will = held[0]
    client = Client(host, port, client_id, login, password, held[1], will, held[2] // 1000)
    client.resume(held)
    return client
