"""Sessions with the brokers of third-party sensors: unshared, persistent, PUBACK after the commit.

The sensors never send again, so the broker must keep their messages while we are disconnected. Each
session has paho's thread, and a bounded queue to the one thread that writes the journal.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.ingest.adapters.intake import FeedMessage
from gateway.ingest.adapters.mapping import FeedBroker, MappingFile
from gateway.journal.messages import Arrival
from gateway.runtime.wakeup import SelectWakeup

_log = logging.getLogger(__name__)

WAITING = 2000
"""Longest queue to the journal; when it is full, paho's threads stop reading."""
_QUIET_S, _QUEUE_LONGEST_S = 2.0, 60.0
"""Messages after connecting are taken for the broker's queue until a pause this long, at most the
second time."""
_KEEPALIVE_S = 30
_LONGEST_WAIT_S = 30


@dataclass(slots=True)
class _Delivery:
    """A message, and the fields that its PUBACK needs."""

    message: FeedMessage
    session: "FeedSession"
    connection: int
    mid: int
    qos: int


class FeedSession:
    """The session with one broker. ``now`` returns Unix s; messages go to ``put``."""

    def __init__(
        self, broker: FeedBroker, topics: Iterable[str], client_id: str, now: Callable[[], float],
        put: Callable[[_Delivery], None],
    ) -> None:  # fmt: skip
        self._broker = broker
        self.broker_id = broker.id
        self._topics = frozenset(topics)
        self._now = now
        self._put = put
        self._connection = 0
        self._queue_until = 0.0
        self._quiet_at = 0.0
        self._warning = ""
        self.connected = False
        """Logged in and subscribed to every topic."""
        self._client = self._make(client_id)

    def start(self) -> None:
        """Connect, and reconnect whenever the connection is lost."""
        address = self._broker.address
        self._client.connect_async(address.host, address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; the broker keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()
        self.connected = False

    def acknowledge(self, delivery: _Delivery) -> None:
        """Send the PUBACK of a message, if it came on the present connection."""
        if delivery.qos and delivery.connection == self._connection:
            self._client.ack(delivery.mid, delivery.qos)

    def _make(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False,
            protocol=paho.MQTTv311, manual_ack=True,
        )  # fmt: skip
        client.reconnect_delay_set(1, _LONGEST_WAIT_S)
        self._broker.address.configure(client)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode,
        _properties: object,
    ) -> None:  # fmt: skip
        if reason.is_failure:
            self._warn_once(f"refuses the login ({reason}): check user and password_file")
            return
        self._connection += 1
        self._quiet_at = time.monotonic() + _QUIET_S
        self._queue_until = time.monotonic() + (_QUEUE_LONGEST_S if flags.session_present else 0.0)
        client.subscribe([(topic, 1) for topic in sorted(self._topics)])

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode],
        _properties: object,
    ) -> None:  # fmt: skip
        refused = [t for t, r in zip(sorted(self._topics), reasons, strict=False) if r.is_failure]
        if refused:
            self._warn_once(
                f"refuses {len(refused)} of our subscriptions: give our user the right to read them"
            )
        else:
            self._warning = ""
        self.connected = not refused

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        self._warn_once("cannot be reached; trying again")

    def _on_disconnect(self, *_given: object) -> None:
        if self.connected:
            self._warn_once("was lost; connecting again")
        self.connected = False

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if topic not in self._topics:
            client.ack(message.mid, message.qos)  # no topic of ours
            return
        received = FeedMessage(
            Arrival(topic, bytes(message.payload), self._now()), broker=self._broker.id,
            retained=bool(message.retain), queued=self._is_queued(message.qos),
            again=bool(message.dup),
        )  # fmt: skip
        self._put(_Delivery(received, self, self._connection, message.mid, message.qos))

    def _is_queued(self, qos: int) -> bool:
        now = time.monotonic()
        if qos == 0 or now >= self._queue_until:  # brokers only queue messages of QoS 1
            return False
        if now >= self._quiet_at:
            self._queue_until = 0.0
            return False
        self._quiet_at = now + _QUIET_S
        return True

    def _warn_once(self, warning: str) -> None:
        """Log what is wrong, but not at every attempt."""
        if warning != self._warning:
            _log.warning("feeds' broker %s %s", self._broker.id, warning)
        self._warning = warning


@dataclass
class Feeds:
    """All sessions of a mapping. ``take`` and ``acknowledge`` are for the ingest thread."""

    mapping: MappingFile
    gateway: str
    wakeup: SelectWakeup
    now: Callable[[], float]
    sessions: list[FeedSession] = field(default_factory=list[FeedSession])
    _arrived: "queue.Queue[_Delivery]" = field(default_factory=lambda: queue.Queue(WAITING))
    _taken: list[_Delivery] = field(default_factory=list[_Delivery])
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Connect to every broker that a feed names."""
        for broker in self.mapping.brokers:
            topics = {t for f in self.mapping.feeds if f.broker == broker.id for t in f.topics}
            if topics:
                name = f"noria-feeds-{self.gateway}-{broker.id}"
                self.sessions.append(FeedSession(broker, topics, name, self.now, self._put))
        for session in self.sessions:
            session.start()

    def stop(self) -> None:
        """End every session."""
        self._stopping.set()
        for session in self.sessions:
            session.stop()

    @property
    def connected(self) -> dict[str, bool]:
        """By broker: whether it is connected and admits all our subscriptions."""
        return {session.broker_id: session.connected for session in self.sessions}

    def take(self) -> list[FeedMessage]:
        """The messages that are not acknowledged yet, in order; does not wait."""
        while len(self._taken) < WAITING:
            try:
                self._taken.append(self._arrived.get_nowait())
            except queue.Empty:
                break
        return [delivery.message for delivery in self._taken]

    def acknowledge(self) -> None:
        """Send the PUBACKs of what ``take`` returned last: it is committed."""
        for delivery in self._taken:
            delivery.session.acknowledge(delivery)
        self._taken.clear()

    def _put(self, delivery: _Delivery) -> None:
        while not self._stopping.is_set():
            try:
                self._arrived.put(delivery, timeout=0.5)
            except queue.Full:
                continue
            self.wakeup.notify()
            return
