"""One MQTT connection, step by step as in WIRE.md, section 1, *Each connection*."""

import gc
import time

from lib import unload
from micropython import const
from node.storage import envelope, records

WINDOW = 8
_BUDGET_MS = const(80_000)  # the watchdog ends a wake at 120 s; the rest waits on flash
_STALL_MS = const(8000)
_BACKLOG_MS = const(2000)
_PATIENCE = const(5)  # times the wait while acks advance: the gateway works through our backlog
_STATUS_ON = const(b'{"s":"on"}')
WILL = b'{"s":"lost"}'


class Session:
    """The node's side of one connection through ``client``, a lib.mqtt.Client.

    ``draw`` returns eight random bytes for a new era; ``signing_key`` signs the messages sealed
    with ``sg``. Acks change the queue on arrival. ``time_s`` is the gateway's time once a live ack
    covers the message that this connection sealed, else None; ``down`` the payload of the retained
    orders, if any.
    """

    def __init__(self, client, config, key, queue, draw, signing_key):
        self.client = client
        self._config = config
        self._key = key
        self._queue = queue
        self._draw = draw
        self._signing_key = signing_key
        self._start = time.ticks_ms()
        self._waiting = {}
        self._newest = records.Header()  # pos 0: nothing sealed in this connection yet
        self._live = None  # the position to which the last valid live ack frees
        self._retained = None
        self._top = queue.state.ack_top
        self.answered = False
        self.time_s = None
        self.down = None

    def open(self):
        """CONNECT, SUBSCRIBE, PINGREQ; frees messages by the retained ack. Raises MqttError."""
        self.client.connect()
        self.client.subscribe([self._config.topic("ack"), self._config.topic("down")])
        self.client.ping()
        self.client.publish(self._config.topic("status"), _STATUS_ON, retain=True)
        while True:
            event = self.client.receive(0)
            if event is None:
                return
            self._handle(event)

    def publish(self, newest, published_before, wait_ms):
        """Publish ``newest``, then messages without PUBACK; wait for the ack; resend the missing.

        ``published_before`` is the position before which an earlier connection had PUBACKs.
        """
        queue, state = self._queue, self._queue.state
        self._newest = newest
        self._publish(iter((newest,)))
        state.promise_up = newest.up + newest.next
        unpublished = queue.messages(published_before, newest.pos)
        if self._publish((head for head in unpublished if not queue.freed(head)), mark=True):
            state.published = newest.pos + 1
        if self._retained is not None:
            wait_ms = max(wait_ms, _BACKLOG_MS)  # the gateway is there, behind our backlog
        self._await(wait_ms)
        self._repair(published_before, wait_ms)

    def resend(self, era, identity):
        """Publish this era's messages after ``identity`` again, as the gateway ordered."""
        wanted = self._queue.messages(0, self._newest.pos)
        self._publish(h for h in wanted if h.era == era and h.identity > identity)

    def close(self):
        """DISCONNECT."""
        if self.client:  # else a signature failed
            self.client.disconnect()

    # Publishing

    def _publish(self, heads, mark=False):
        """Publish each message and wait for its PUBACK. Returns False when the time ran out."""
        complete = True
        for head in heads:
            if self.elapsed() > _BUDGET_MS:
                complete = False
                break
            while len(self._waiting) >= WINDOW:
                self._receive()
            obj = self._queue.object(head)
            if obj is None:
                continue  # part of it left the flash; ``old`` and a gap event report that
            topic = self._config.topic("up")
            signs = head.sg and self._signing_key.present  # without its key it has a MAC only
            signature = self._signature(topic, obj) if signs else b""
            tail = envelope.tail(self._key, topic, signature, *obj)
            self._waiting[self.client.publish(topic, *obj, tail, qos=1)] = head.pos if mark else 0
        while self._waiting:
            self._receive()
        return complete

    def _signature(self, topic, obj):
        """Of one or two messages a day: it needs the heap of what composes and sends them."""
        held = self.client.held()
        del self.client
        unload("node.storage.message_json", "lib.mqtt", "lib.packets")
        gc.collect()
        signature = self._signing_key.signature(topic, *obj)
        from lib import mqtt

        self.client = mqtt.resumed(held)
        return signature

    def _receive(self):
        event = self.client.receive(_STALL_MS)
        if event is None:
            raise OSError("no PUBACK within %d ms" % _STALL_MS)
        self._handle(event)

    def _handle(self, event):
        if event[0] == "puback":
            self._mark_published(self._waiting.pop(event[1], 0))
            return
        _, topic, payload, retained = event
        if topic == self._config.topic("down"):
            self.down = payload
        elif topic == self._config.topic("ack"):
            self._ack(payload, retained)
            unload("node.exchange.acks", "lib.strict_json")

    def _mark_published(self, pos):
        """Count a PUBACK for the message at ``pos``; 0 is not counted."""
        if pos:
            # Only up to the first message that still waits for its PUBACK.
            sure = min([pos + 1] + [waiting for waiting in self._waiting.values() if waiting])
            self._queue.state.published = max(self._queue.state.published, sure)

    def elapsed(self):
        """Milliseconds since the connection began."""
        return time.ticks_diff(time.ticks_ms(), self._start)

    # Acks

    def _ack(self, payload, retained):
        unload("node.storage.message_json")  # until more is sent
        from node.exchange import acks  # large, and needed for a moment

        ack = acks.decode(self._key, self._config.topic("ack"), payload)
        if ack is None:
            return
        verdict = acks.judge(self._queue, ack)
        if verdict.kind == acks.TWIN:
            self._queue.open_era(self._draw())
        if verdict.kind == acks.FREES:
            self._accept(ack.t, verdict.pos, verdict.former, retained)

    def _accept(self, t, pos, former, retained):
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
        elif t != state.ack_t:  # the gateway published it after the last connection
            self._retained = pos
        self.answered = self.answered or not retained or self._retained is not None
        state.ack_t, state.ack_top = t, max(t, state.ack_top)

    def _covers(self, pos):
        return pos is not None and 0 < self._newest.pos < pos

    def _await(self, wait_ms):
        """Wait for the live ack that covers the newest; an ack that advances restarts the wait."""
        first = start = time.ticks_ms()
        while not self._covers(self._live):
            now = time.ticks_ms()
            left = wait_ms - time.ticks_diff(now, start)
            if left <= 0 or time.ticks_diff(now, first) > _PATIENCE * wait_ms:
                return
            before = self._live or 0
            event = self.client.receive(left)
            if event is None:
                return
            self._handle(event)
            if (self._live or 0) > before:
                start = time.ticks_ms()

    # Resending

    def _repair(self, published_before, wait_ms):
        queue = self._queue
        if self.answered:
            self._repair_former()
        live = self._retained if self._live is None else self._live
        if live is None:
            return  # the gateway is away; the broker keeps what we published
        if self._newest.era != queue.state.era or self._covers(live):
            return
        new = self._newest.pos
        end = min(published_before, new) if self._live is None else new + 1
        start = max(live, queue.state.run)
        if start >= end:
            return
        if queue.state.ack_top > self._top:  # a replayed old ack does not prove a deaf gateway
            queue.state.resends += 1
        self._publish(queue.messages(start, end))
        self._await(wait_ms)
        live = live if self._live is None else self._live
        if queue.give_up_due() and not self._covers(live):
            queue.give_up(max(live, queue.state.run))

    def _repair_former(self):
        queue = self._queue
        if queue.state.former < queue.state.era_start:
            self._publish(queue.former_waiting())
            queue.former_resent()
