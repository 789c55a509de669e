"""The other side of the wire, from WIRE.md alone: a broker that may forget, a gateway that may be
away or slow, and a client as lib.mqtt's for the node that talks to them."""

import json
import random

from flash import PowerCut
from lib.mqtt import MqttError
from node.storage import envelope
from sealing import seal

DEVICE = "k7f3q5"
KEY = envelope.Key(bytes(range(32)))


def topic(leaf):
    return "noria/1/%s/%s" % (DEVICE, leaf)


class Message:
    """One received OBJECT."""

    def __init__(self, obj):
        self.obj = obj
        self.fields = json.loads(obj.decode())
        self.era = self.fields["era"]
        self.identity = self.fields["boot"], self.fields["seq"]
        self.old = tuple(self.fields["old"])
        self.hash = envelope.b64url(envelope.digest(obj)).decode()


class Line:
    """The end of the unbroken line of one era (section 1, *The line*)."""

    def __init__(self):
        self.by_identity = {}
        self.by_prev = {}
        self.old = (0, 0)
        self.tip = None

    def take(self, message):
        self.by_identity[message.identity] = message
        self.by_prev.setdefault(message.fields["prev"], message)
        if message.old <= message.identity:
            self.old = max(self.old, message.old)
        self._walk()

    def _walk(self):
        named = self.by_identity.get(self.old)
        if named and (self.tip is None or named.identity > self.tip.identity):
            self.tip = named
        if self.tip is None:
            self.tip = self.by_prev.get("")
        while self.tip is not None and self.tip.hash in self.by_prev:
            self.tip = self.by_prev[self.tip.hash]


class Gateway:
    """Journals what is authentic, and acks. ``forks`` counts identities under another OBJECT."""

    def __init__(self):
        self.journal = {}
        self.lines = {}
        self.forks = 0
        self.refused = 0
        self.now = 1795212000

    def commit(self, payloads):
        """Journal ``payloads``; the acks to publish, one an era, the last message's era last."""
        eras = []
        for payload in payloads:
            sealed = b"\n".join(payload.split(b"\n")[:2])  # a signature proves more, not less
            obj = envelope.verified(KEY, topic("up"), sealed)
            if obj is None:
                self.refused += 1
                continue
            era = self._take(obj)
            if era in eras:
                eras.remove(era)
            eras.append(era)
        return [self.ack(era) for era in eras]

    def _take(self, obj):
        message = Message(obj)
        if obj in self.journal:
            return message.era
        assert len(obj) <= 2048 and all(0x20 <= byte <= 0x7E for byte in obj), obj
        self.journal[obj] = message
        line = self.lines.setdefault(message.era, Line())
        if message.identity in line.by_identity:
            self.forks += 1
        else:
            line.take(message)
        return message.era

    def ack(self, era):
        """The payload of the ack for the line of ``era``."""
        tip = self.lines[era].tip
        boot, seq = tip.identity if tip else (0, 0)
        text = '{"v":1,"era":"%s","boot":%d,"seq":%d,"h":"%s","t":%d}' % (
            era, boot, seq, tip.hash if tip else "", self.now,
        )  # fmt: skip
        return seal(KEY, topic("ack"), text.encode())

    def readings(self):
        """Every reading of every message, as (quantity's value, message)."""
        for message in self.journal.values():
            for reading in message.fields["r"]:
                yield reading["mm"], message

    def events(self):
        """Every event of every message, by number: MicroPython's dicts keep no order."""
        for message in sorted(self.journal.values(), key=lambda m: m.identity):
            yield from message.fields.get("e", [])


class Broker:
    """Holds what it PUBACKed for the gateway, until it is killed; keeps the retained ack."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.reached = True  # by the node
        self.gateway_up = True  # by the gateway
        self.retained = None
        self.waiting = []
        self.client = None
        self.published = 0
        self.chances = {}  # of each fault at each call

    def chance(self, name):
        """Whether the fault ``name`` happens now."""
        share = self.chances.get(name, 0)
        return share and random.random() < share

    def killed(self):
        """It takes with it what it held, and what was retained."""
        self.waiting = []
        self.retained = None

    def returned(self):
        """The gateway connects without a stored session: it publishes all acks again."""
        self.gateway_up = True
        for era in self.gateway.lines:
            self._ack(self.gateway.ack(era))

    def pump(self):
        """The gateway commits some of what waits."""
        if not self.gateway_up or not self.waiting or self.chance("slow"):
            return
        count = random.randint(1, len(self.waiting)) if self.chances else len(self.waiting)
        batch, self.waiting = self.waiting[:count], self.waiting[count:]
        for payload in self.gateway.commit(batch):
            self._ack(payload)

    def _ack(self, payload):
        self.retained = payload
        if self.client and not self.chance("ack_lost"):
            self.client.arrived(payload, False)


class Client:
    """lib.mqtt.Client's interface over ``Broker``; any call may end in a cut or a dead socket."""

    broker = None

    def __init__(self, *_, **__):
        self._received = []
        self._pid = 0

    def arrived(self, payload, retained):
        self._received.append(("message", topic("ack"), payload, retained))

    def _fate(self):
        if self.broker.chance("cut"):
            self.close()
            raise PowerCut
        if self.broker.chance("dead"):
            self.close()
            raise MqttError("dead")

    def connect(self):
        if not self.broker.reached:
            raise MqttError("no broker")
        self._fate()

    def subscribe(self, _topics):
        self._fate()
        self.broker.client = self
        if self.broker.retained:
            self.arrived(self.broker.retained, True)

    def ping(self):
        self._fate()

    def held(self):
        return self

    def publish(self, name, *parts, qos=0, retain=False):
        payload = b"".join(parts)
        self._fate()
        if name != topic("up"):
            return 0
        self.broker.waiting.append(payload)
        self.broker.published += 1
        self._fate()  # it reached the broker, and its PUBACK never comes
        self._pid += 1
        self._received.append(("puback", self._pid))
        return self._pid

    def receive(self, wait_ms):
        self._fate()
        if wait_ms > 0:
            self.broker.pump()
        return self._received.pop(0) if self._received else None

    def disconnect(self):
        self.close()

    def close(self):
        self.broker.client = None
