"""Sessions with the brokers of third-party sensors: unshared, persistent, PUBACK after the commit.

Their senders never send again, so the broker must keep what we could not hear. Each session has
paho's thread; what it hears waits, bounded, for the one thread that writes the journal.
"""

import logging
import queue
import ssl
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
from gateway.runtime.select_wakeup import SelectWakeup

_log = logging.getLogger(__name__)

WAITING = 2000
"""Messages that wait for the journal; beyond, nothing more is read from the socket."""
_QUIET_S, _QUEUE_LONGEST_S = 2.0, 60.0
"""After connecting, what comes without such a pause is taken for the broker's queue."""
_KEEPALIVE_S = 30
_LONGEST_WAIT_S = 30


@dataclass(slots=True)
class _Heard:
    """A message and what its PUBACK needs."""

    delivered: FeedMessage
    session: "FeedSession"
    connection: int
    mid: int
    qos: int


class FeedSession:
    """One broker. ``now`` gives Unix s; what is heard goes to ``put``."""

    def __init__(
        self,
        broker: FeedBroker,
        topics: Iterable[str],
        client_id: str,
        now: Callable[[], float],
        put: Callable[[_Heard], None],
    ) -> None:
        self._broker = broker
        self.broker_id = broker.id
        self._topics = frozenset(topics)
        self._now = now
        self._put = put
        self._connection = 0
        self._queue_until = 0.0
        self._quiet_at = 0.0
        self._said = ""
        self.connected = False
        """Logged in and subscribed to everything."""
        self._client = self._make(client_id)

    def start(self) -> None:
        """Connect, and again whenever it is lost."""
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye; the broker keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()
        self.connected = False

    def acknowledge(self, heard: _Heard) -> None:
        """PUBACK one message, if it came on this connection."""
        if heard.qos and heard.connection == self._connection:
            self._client.ack(heard.mid, heard.qos)

    def _make(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False,
            protocol=paho.MQTTv311, manual_ack=True,
        )  # fmt: skip
        client.reconnect_delay_set(1, _LONGEST_WAIT_S)
        if self._broker.user:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            context = ssl.create_default_context(cafile=self._broker.ca or None)
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType] - untyped in paho
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
            self._tell(f"refuses the login ({reason}): check user and password_file")
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
            self._tell(f"lets us not read {len(refused)} of our topics: give our user the right to")
        else:
            self._said = ""
        self.connected = not refused

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        self._tell("cannot be reached; trying again")

    def _on_disconnect(self, *_given: object) -> None:
        if self.connected:
            self._tell("was lost; connecting again")
        self.connected = False

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if topic not in self._topics:
            client.ack(message.mid, message.qos)  # not asked for
            return
        delivered = FeedMessage(
            Arrival(topic, bytes(message.payload), self._now()), broker=self._broker.id,
            retained=bool(message.retain), queued=self._is_queued(message.qos),
            again=bool(message.dup),
        )  # fmt: skip
        self._put(_Heard(delivered, self, self._connection, message.mid, message.qos))

    def _is_queued(self, qos: int) -> bool:
        now = time.monotonic()
        if qos == 0 or now >= self._queue_until:  # brokers queue for us what has QoS 1
            return False
        if now >= self._quiet_at:
            self._queue_until = 0.0
            return False
        self._quiet_at = now + _QUIET_S
        return True

    def _tell(self, what: str) -> None:
        """Say once what is wrong, not at every try."""
        if what != self._said:
            _log.warning("feeds' broker %s %s", self._broker.id, what)
        self._said = what


@dataclass
class Feeds:
    """All sessions of a mapping. ``take`` and ``acknowledge`` belong to the journal's thread."""

    mapping: MappingFile
    gateway: str
    wakeup: SelectWakeup
    now: Callable[[], float]
    sessions: list[FeedSession] = field(default_factory=list[FeedSession])
    _heard: "queue.Queue[_Heard]" = field(default_factory=lambda: queue.Queue(WAITING))
    _taken: list[_Heard] = field(default_factory=list[_Heard])
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
        """By broker: whether it is heard and let us subscribe to everything."""
        return {session.broker_id: session.connected for session in self.sessions}

    def take(self) -> list[FeedMessage]:
        """What was heard since, in order; never waits."""
        while len(self._taken) < WAITING:
            try:
                self._taken.append(self._heard.get_nowait())
            except queue.Empty:
                break
        return [heard.delivered for heard in self._taken]

    def acknowledge(self) -> None:
        """PUBACK what ``take`` returned last: it is committed."""
        for heard in self._taken:
            heard.session.acknowledge(heard)
        self._taken.clear()

    def _put(self, heard: _Heard) -> None:
        while not self._stopping.is_set():
            try:
                self._heard.put(heard, timeout=0.5)
            except queue.Full:
                continue
            self.wakeup.notify()
            return
