"""One connection, step by step as WIRE.md, section 1, *Each connection* has it."""

import time

from lib import unload
from micropython import const
from node.storage import envelope, records

WINDOW = 8
_BUDGET_MS = const(80_000)  # the watchdog ends a wake at 120 s; what is left waits on flash
_STALL_MS = const(8000)
_HEARD_MS = const(2000)
_PATIENCE = const(5)  # times the wait, while acks come and move on: the gateway is at our backlog
_STATUS_ON = const(b'{"s":"on"}')
WILL = b'{"s":"lost"}'


class Conversation:
    """The node's side of one connection through ``client`` (lib.mqtt.Client or any like it).

    ``draw`` returns eight bytes for a new era, ``identity`` signs what was sealed to be signed.
    Acks change the queue as they come in; ``time_s`` is the gateway's time when a live ack covered
    what this connection sealed, else None; ``down`` the payload of the retained order, if any.
    """

    def __init__(self, client, config, key, queue, draw, identity):
        self._client = client
        self._config = config
        self._key = key
        self._queue = queue
        self._draw = draw
        self._identity = identity
        self._start = time.ticks_ms()
        self._waiting = {}
        self._newest = records.Header()  # pos 0: nothing sealed in this connection yet
        self._live = None  # the position to which the last believed live ack frees
        self._retained = None
        self._top = queue.state.ack_top
        self.answered = False
        self.time_s = None
        self.down = None

    def open(self):
        """CONNECT, SUBSCRIBE, PINGREQ; frees what the retained ack covers. Raises MqttError."""
        self._client.connect()
        self._client.subscribe([self._config.topic("ack"), self._config.topic("down")])
        self._client.ping()
        self._client.publish(self._config.topic("status"), _STATUS_ON, retain=True)
        while True:
            event = self._client.receive(0)
            if event is None:
                return
            self._take(event)

    def speak(self, newest, published_before, wait_ms):
        """Publish ``newest`` first, then what never had a PUBACK; wait; resend what is missing.

        ``published_before`` is the position before which an earlier connection had PUBACKs.
        """
        queue, state = self._queue, self._queue.state
        self._newest = newest
        self._publish(iter((newest,)))
        state.promise_up = newest.up + newest.next
        unheard = queue.messages(published_before, newest.pos)
        if self._publish((head for head in unheard if not queue.freed(head)), mark=True):
            state.published = newest.pos + 1
        if self._retained is not None:
            wait_ms = max(wait_ms, _HEARD_MS)  # it is there: let it come through our backlog
        self._listen(wait_ms)
        self._repair(published_before, wait_ms)

    def resend(self, era, identity):
        """Publish again what this era holds after ``identity``: an order from the gateway."""
        wanted = self._queue.messages(0, self._newest.pos)
        self._publish(h for h in wanted if h.era == era and h.identity > identity)

    def close(self):
        """DISCONNECT."""
        self._client.disconnect()

    # Publishing

    def _publish(self, heads, mark=False):
        """Publish each message and await its PUBACK. Returns False when the time ran out."""
        complete = True
        for head in heads:
            if self.elapsed() > _BUDGET_MS:
                complete = False
                break
            while len(self._waiting) >= WINDOW:
                self._pump()
            obj = self._queue.object(head)
            if obj is None:
                continue  # part of it left the flash; ``old`` and a gap event say so
            topic = self._config.topic("up")
            signs = head.sg and self._identity.present  # a lost key: it counts as MAC only
            signature = self._identity.signature(topic, obj) if signs else b""
            tail = envelope.tail(self._key, topic, obj, signature)
            self._waiting[self._client.publish(topic, obj, tail, qos=1)] = head.pos if mark else 0
        while self._waiting:
            self._pump()
        return complete

    def _pump(self):
        event = self._client.receive(_STALL_MS)
        if event is None:
            raise OSError("no PUBACK within %d ms" % _STALL_MS)
        self._take(event)

    def _take(self, event):
        if event[0] == "puback":
            self._heard(self._waiting.pop(event[1], 0))
            return
        _, topic, payload, retained = event
        if topic == self._config.topic("down"):
            self.down = payload
        elif topic == self._config.topic("ack"):
            self._ack(payload, retained)
            unload("node.exchange.acks", "lib.strict_json")

    def _heard(self, pos):
        """A PUBACK for the message at ``pos``, 0 for one that is not counted."""
        if pos:
            # Only as far as nothing before it still waits for its own.
            sure = min([pos + 1] + [waiting for waiting in self._waiting.values() if waiting])
            self._queue.state.published = max(self._queue.state.published, sure)

    def elapsed(self):
        """Milliseconds since the connection was begun."""
        return time.ticks_diff(time.ticks_ms(), self._start)

    # Acks

    def _ack(self, payload, retained):
        from node.exchange import acks  # there are few, and it is not small

        ack = acks.heard(self._key, self._config.topic("ack"), payload)
        if ack is None:
            return
        verdict = acks.judge(self._queue, ack)
        if verdict.kind == acks.TWIN:
            self._queue.open_era(self._draw())
        if verdict.kind == acks.FREES:
            self._believe(ack.t, verdict.pos, verdict.former, retained)

    def _believe(self, t, pos, former, retained):
        """An ack of Unix time ``t`` frees to ``pos``."""
        state = self._queue.state
        self._queue.free(pos, former)
        if former:
            self.answered = self.answered or not retained
            return
        if not retained:
            self._live = pos
            if self._covers(pos):
                self.time_s = t
        elif t != state.ack_t:  # the gateway spoke since the last connection
            self._retained = pos
        self.answered = self.answered or not retained or self._retained is not None
        state.ack_t, state.ack_top = t, max(t, state.ack_top)

    def _covers(self, pos):
        return pos is not None and 0 < self._newest.pos < pos

    def _listen(self, wait_ms):
        """Wait for the live ack that covers the newest; one that moves on prolongs the wait."""
        first = start = time.ticks_ms()
        while not self._covers(self._live):
            now = time.ticks_ms()
            left = wait_ms - time.ticks_diff(now, start)
            if left <= 0 or time.ticks_diff(now, first) > _PATIENCE * wait_ms:
                return
            before = self._live or 0
            event = self._client.receive(left)
            if event is None:
                return
            self._take(event)
            if (self._live or 0) > before:
                start = time.ticks_ms()

    # Resending

    def _repair(self, published_before, wait_ms):
        queue = self._queue
        if self.answered:
            self._repair_former()
        live = self._retained if self._live is None else self._live
        if live is None:
            return  # the gateway is away, the broker holds what we said
        if self._newest.era != queue.state.era or self._covers(live):
            return
        new = self._newest.pos
        end = min(published_before, new) if self._live is None else new + 1
        start = max(live, queue.state.run)
        if start >= end:
            return
        if queue.state.ack_top > self._top:  # an old ack played again proves no deaf gateway
            queue.state.resends += 1
        self._publish(queue.messages(start, end))
        self._listen(wait_ms)
        live = live if self._live is None else self._live
        if queue.give_up_due() and not self._covers(live):
            queue.give_up(max(live, queue.state.run))

    def _repair_former(self):
        queue = self._queue
        if queue.state.former < queue.state.era_start:
            self._publish(queue.former_waiting())
            queue.former_resent()
