"""Corrupted byte streams to the MQTT client: a count and a seed on standard input.

Prints how the connections ended: each with data or MqttError, in a bounded time and memory.
Anything else ends with a traceback.
"""

import gc
import json
import random
import sys
import time

from lib.mqtt import Client, MqttError

TOPIC = "noria/1/k7f3q5/ack"


class Socket:
    """A peer that sends ``packets`` in pieces, ignores its input, then closes or is silent."""

    def __init__(self, packets, closes):
        self.packets = [packet for packet in packets if packet]
        self.closes = closes
        self.written = self._at = 0

    def recv(self, count):
        if not self.packets:
            return b""
        packet = self.packets[0]
        part = packet[self._at : self._at + random.randint(1, count)]
        self._at += len(part)
        if self._at == len(packet):
            self.packets.pop(0)
            self._at = 0
        return part

    def send(self, data):
        self.written += len(data)
        return len(data)

    def poll(self, wait_ms):
        return [1] if self.packets or self.closes else []

    def close(self):
        pass


class Canned(Client):
    """A client whose network is a :class:`Socket`."""

    def __init__(self, peer):
        Client.__init__(self, "localhost", 1883, "k7f3q5", timeout_s=1)
        self._peer = peer

    def connect(self):
        from lib import dial  # the client unloads it when it is connected

        dial.opened = lambda *_: (self._peer, self._peer)
        Client.connect(self)

    def _listen(self, stream):
        self._read, self._write, self._poll = stream.recv, stream.send, stream


def framed(kind, body):
    size, head = len(body), bytes([kind])
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + body


def publish(payload, qos=0, retain=1, topic=TOPIC):
    text = topic.encode()
    body = bytes([len(text) >> 8, len(text) & 255]) + text
    return framed(0x30 | qos << 1 | retain, body + (b"\x00\x07" if qos else b"") + payload)


def honest():
    """The packets of a broker in one connection."""
    ack = b'{"v":1,"era":"m4xq2lzt","boot":3,"seq":118,"h":"k","t":1795212003}\n' + b"M" * 43
    return [
        b"\x20\x02\x00\x00",
        publish(ack),
        b"\x90\x03\x00\x01\x01",
        publish(b"x" * random.choice((0, 10, 300, 2000)), qos=1),
        b"\xd0\x00",
        b"\x40\x02\x00\x02",
        publish(ack, retain=0),
    ]


def corrupted():
    """Packets of a broken or hostile peer; one packet may be sent many times."""
    packets = honest()
    kind = random.randint(0, 7)
    if kind == 0:
        return [bytes(random.getrandbits(8) for _ in range(random.randint(0, 80)))]
    at = random.randint(0, len(packets) - 1)
    if kind == 1:  # packets in any order, some again and again
        return [random.choice(packets) for _ in range(random.randint(1, 60))]
    if kind == 2:
        return packets[:at] + [packets[at]] * random.choice((2, 50)) + packets[at:]
    data = bytearray(b"".join(packets))
    if kind == 3:
        return [bytes(data[: random.randint(0, len(data))])]
    for _ in range(random.choice((1, 1, 2, 8)) if kind > 3 else 0):
        place = random.randint(0, min(len(data) - 1, 160))
        if kind == 4:
            data[place] ^= 1 << random.randint(0, 7)
        elif kind == 5:
            data[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.getrandbits(8)))
        elif kind == 6:
            data = data[:place] + bytes([random.getrandbits(8)]) + data[place:]
        else:
            data = data[:place] + data[place + random.randint(1, 5) :]
    return [bytes(data)]


def converse(client):
    """A whole connection; returns the number of events."""
    client.connect()
    client.subscribe([TOPIC])
    client.ping()
    client.publish("noria/1/k7f3q5/up", b"y" * 500, qos=1)
    events = 0
    while client.receive(5) is not None:
        events += 1
    client.disconnect()
    return events


def main():
    given = json.load(sys.stdin)
    random.seed(given["seed"])
    ended, longest_ms, most = {"data": 0, "refused": 0}, 0, 0
    for _ in range(given["count"]):
        peer = Socket(corrupted(), random.random() < 0.5)
        client, start = Canned(peer), time.ticks_ms()
        try:
            converse(client)
            ended["data"] += 1
        except MqttError:
            client.close()
            ended["refused"] += 1
        longest_ms = max(longest_ms, time.ticks_diff(time.ticks_ms(), start))
        assert peer.written < 60000, peer.written
        del client, peer
        gc.collect()
        most = max(most, gc.mem_alloc())
    ended["longest_ms"], ended["held_between"] = longest_ms, most
    print(json.dumps(ended))


main()
