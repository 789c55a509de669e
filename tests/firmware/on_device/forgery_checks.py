"""Acks forged by the owner of the broker: they free nothing that the gateway has
not got. The node's own hashes are the only evidence."""

import os
import random

import peer
from field import Field, Measurement
from flash import Flash
from node.exchange import acks
from node.storage import envelope, records
from node.storage.queue import Queue
from node.storage.ring import Ring
from sealing import seal

RINGS = 30 if int(os.getenv("NORIA_CUTS") or 0) >= 1000 else 12
ERAS = (b"aaaaaaaa", b"bbbbbbbb", b"cccccccc")


def _queue(seed):
    """Three eras over several boots, some of it freed; and every message ever made."""
    random.seed(seed)
    queue = Queue(Ring(Flash(random.choice((4, 8, 16)))), "0.1.0")
    queue.state.boot = 1
    made = []
    for era in ERAS[: random.randint(1, 3)]:
        queue.open_era(era)
        for value in range(random.randint(1, 40)):
            queue.add_sample(records.Sample(value, "mm", value, 1, 7, 7))
            if random.random() < 0.1 and queue.state.seq:
                queue.seal(value, 900)
                made.append(list(queue.messages())[-1])
                queue.state.boot, queue.state.seq = queue.state.boot + 1, 0
                queue.save()
            elif random.random() < 0.6:
                made.append(queue.seal(value, 900))
            if made and random.random() < 0.05:
                _ack(
                    queue,
                    made[-1].era,
                    made[-1].identity,
                    envelope.b64url(made[-1].digest).decode(),
                )
    queue.save()
    return queue, made


def _ack(queue, era, identity, h, t=1795212003):
    """The node receives an ack with a valid MAC. Returns the verdict."""
    verdict = acks.judge(queue, acks.Ack(era.decode(), identity[0], identity[1], h, t))
    if verdict.kind == acks.FREES:
        queue.free(verdict.pos, verdict.former)
    return verdict


def _held(queue):
    return {(h.era, h.identity) for h in queue.messages() if not queue.freed(h)}


def _after(made, head):
    """Messages of the head's era after it."""
    return {(h.era, h.identity) for h in made if h.era == head.era and h.identity > head.identity}


def test_every_honest_ack_frees_its_own_era_up_to_its_message_and_no_more():
    for seed in range(RINGS):
        queue, made = _queue(seed)
        held = _held(queue)
        for head in sorted(made, key=lambda _: random.random()):
            before = held
            _ack(queue, head.era, head.identity, envelope.b64url(head.digest).decode())
            held = _held(queue)
            gone = before - held
            assert all(era == head.era and identity <= head.identity for era, identity in gone)
        newest = max((h.identity for h in made if h.era == queue.state.era), default=None)
        left = {key for key in _held(queue) if key[0] == queue.state.era}
        assert not left or newest is None


def test_no_ack_with_another_hash_frees_anything():
    """Every identity around every message under the hash of any other message, or of none."""
    for seed in range(RINGS):
        queue, made = _queue(seed)
        known = {(h.era, h.identity): envelope.b64url(h.digest).decode() for h in made}
        hashes = list(known.values()) + ["", "A" * 22, "x"]
        before = _held(queue)
        for _ in range(200):
            head = random.choice(made)
            boot, seq = head.identity
            identity = boot + random.randint(-1, 1), max(0, seq + random.randint(-2, 2))
            h = random.choice(hashes)
            era = random.choice(ERAS + (b"zzzzzzzz",))
            if known.get((era, identity)) == h or _named_by_prev(made, era, identity, h):
                continue  # that one would be honest
            _ack(queue, era, identity, h)
            assert _held(queue) == before, (seed, era, identity, h)


def _named_by_prev(made, era, identity, h):
    """Whether ``h`` is the ``prev`` of the first message of ``era`` after ``identity``."""
    later = [m for m in made if m.era == era and m.identity > identity]
    return later and later[0].prev and envelope.b64url(later[0].prev).decode() == h


def test_no_bit_of_an_ack_can_be_flipped():
    _, made = _queue(3)
    head = made[-1]
    h = envelope.b64url(head.digest).decode()
    text = '{"v":1,"era":"%s","boot":%d,"seq":%d,"h":"%s","t":1795212003}' % (
        head.era.decode(), head.identity[0], head.identity[1], h,
    )  # fmt: skip
    name = peer.topic("ack")
    payload = seal(peer.KEY, name, text.encode())
    assert acks.decode(peer.KEY, name, payload).identity == head.identity
    for bit in range(len(payload) * 8):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << (bit % 8)
        assert acks.decode(peer.KEY, name, bytes(flipped)) is None
    for end in range(len(payload)):
        assert acks.decode(peer.KEY, name, payload[:end]) is None
    assert acks.decode(peer.KEY, peer.topic("down"), payload) is None


def test_an_ack_of_a_later_former_era_does_not_free_an_earlier_one():
    queue = Queue(Ring(Flash(16)), "0.1.0")
    queue.state.boot = 1
    last = {}
    for era in ERAS:
        queue.open_era(era)
        for value in range(3):
            queue.add_sample(records.Sample(value, "mm", value, 1, 7, 7))
            last[era] = queue.seal(value, 900)
    _ack(queue, ERAS[1], last[ERAS[1]].identity, envelope.b64url(last[ERAS[1]].digest).decode())
    assert {key[0] for key in _held(queue)} == set(ERAS)
    _ack(queue, ERAS[0], last[ERAS[0]].identity, envelope.b64url(last[ERAS[0]].digest).decode())
    assert {key[0] for key in _held(queue)} == {ERAS[1], ERAS[2]}
    _ack(queue, ERAS[1], last[ERAS[1]].identity, envelope.b64url(last[ERAS[1]].digest).decode())
    assert {key[0] for key in _held(queue)} == {ERAS[2]}


class _Owner(peer.Broker):
    """A broker whose owner keeps every ack that ever was, and plays them back, live or retained."""

    def __init__(self, gateway):
        peer.Broker.__init__(self, gateway)
        self.recorded = []

    def _ack(self, payload):
        self.recorded.append(payload)
        peer.Broker._ack(self, payload)

    def pump(self):
        peer.Broker.pump(self)
        for _ in range(random.randint(0, 3)):
            if self.recorded and self.client and random.random() < 0.5:
                self.client.arrived(self._any(), random.random() < 0.5)

    def _any(self):
        payload = random.choice(self.recorded)
        if random.random() < 0.3:  # and spoils some
            spoiled = bytearray(payload)
            spoiled[random.randint(0, len(spoiled) - 1)] ^= 1 << random.randint(0, 7)
            return bytes(spoiled)
        self.retained = payload
        return payload


def test_a_broker_that_plays_old_acks_frees_nothing_that_did_not_arrive():
    random.seed(21)
    field = Field(32, ntp="")
    field.broker = peer.Client.broker = _Owner(field.gateway)
    for _ in range(12):
        field.broker.gateway_up = not field.broker.gateway_up
        if random.random() < 0.3:
            field.broker.killed()
        for _ in range(30):
            field.wake()
            safe = {(m.era.encode(), m.identity) for m in field.gateway.journal.values()}
            gone = {(h.era, h.identity) for h in field.queue.messages() if field.queue.freed(h)}
            assert gone <= safe, sorted(gone - safe)
    assert len(field.gateway.lines) == 1
    field.broker = peer.Client.broker = _honest(field)
    assert field.settle(), "stuck"
    arrived = field.arrived()
    assert all(value in arrived for value in Measurement.kept)


def _honest(field):
    broker = peer.Broker(field.gateway)
    broker.waiting = field.broker.waiting
    return broker


def test_time_is_taken_from_a_live_ack_of_what_was_just_sealed_and_from_no_other():
    random.seed(22)
    field = Field(16, ntp="")
    field.broker = peer.Client.broker = _Owner(field.gateway)
    for _ in range(20):
        field.wake()
    assert field.queue.state.clock_source != 0
    field.broker.gateway_up = False  # only old acks arrive now, live and retained
    for _ in range(30):
        before = field.queue.state.clock_up
        field.wake()
        assert field.queue.state.clock_up == before
