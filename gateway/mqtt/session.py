"""One persistent MQTT session, driven by its owner's loop; no thread of its own.

``turn`` reads until the socket is drained, 1,000 messages or 50 ms: then its owner commits, and
nothing is read meanwhile (Mosquitto 2.0.11 ignores ``max_inflight_messages`` while it drains a
queue, so reading on would pile everything up in memory).
"""

import logging
import random
import secrets
import select
import ssl
import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.journal.messages import Arrival
from gateway.mqtt.address import Address
from gateway.mqtt.broker_event import BrokerEvent
from gateway.mqtt.bulk_reader import BulkClient, BulkReader, Receipts, publication
from gateway.mqtt.publish_queue import Publication
from gateway.runtime.select_wakeup import SelectWakeup

_log = logging.getLogger(__name__)

UP_TOPICS = "noria/1/+/up"
SHARED_UP_TOPICS = f"$share/noria/{UP_TOPICS}"
BATCH_MESSAGES = 1000
BATCH_S = 0.05
GATHER_S = 0.002
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 5.0
MARKER_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_MISC_S = 1.0


class Session:
    """Subscribes to every device's ``up``. ``now`` gives Unix s.

    ``shared``: each message comes to one of several gateways, in a clean session: a stored one
    would go on receiving a dead gateway's share, while the nodes' resend repairs.
    """

    def __init__(
        self,
        address: Address,
        gateway: str,
        bell: SelectWakeup,
        now: Callable[[], float],
        *,
        shared: bool = False,
    ) -> None:
        self._address = address
        self._shared = shared
        # Two letters at the third level: no device can be called so.
        self._marker_topic = f"noria/1/gw/{gateway}/drained"
        self._bell = bell
        self._now = now
        self._batch: list[Arrival | BrokerEvent] = []
        self._receipts = Receipts(0, [])
        self._committed = self._committing_s = self._drained_at = 0.0
        self._connection = 0
        self._nonce, self._said = b"", ""
        self._try_at = self._misc_at = self._marked_at = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._up = False
        self.ready = False
        """Connected and subscribed."""
        self.drained = False
        """What the broker held for us has been read: our marker came back."""
        self.fresh = True
        """All acks are due again: at the start (the journal may be a restored one), after
        connecting without a stored session, and after a connection that broke: it may have taken
        acks with it whose messages had their PUBACK. The owner clears it."""
        self._client = self._make_client()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._up

    def turn(self, timeout_s: float) -> list[Arrival | BrokerEvent]:
        """Wait up to ``timeout_s`` for something; returns what arrived, in order."""
        stream = self._stream
        if stream is None and time.monotonic() >= self._try_at:
            self._connect()
            stream = self._stream
        if stream is None:
            wait_s = max(0.0, min(timeout_s, self._try_at - time.monotonic()))
            select.select([self._bell], [], [], wait_s)
            self._bell.hear()
        else:
            self._exchange(stream, timeout_s)
        batch, self._batch = self._batch, []
        return batch

    def receipts(self) -> Receipts:
        """What to ``acknowledge`` when all that ``turn`` returned so far is committed."""
        taken, self._receipts = self._receipts, Receipts(self._connection, [])
        return taken

    def acknowledge(self, receipts: Receipts) -> None:
        """PUBACK messages; those of an older connection the broker sends again."""
        stream = self._stream
        if stream is not None and receipts.connection == self._connection:
            stream.send(receipts.pubacks())
        self._committed = time.monotonic()
        self._committing_s = self._committed - self._drained_at

    def publish(self, message: Publication) -> None:
        """Queue a message; ``flush`` or the next ``turn`` sends it; QoS 1 until PUBACK."""
        topic, payload, retain = message.topic, message.payload, message.retain
        if not self._up or self._stream is None:
            return
        if message.qos:
            self._client.publish(topic, payload, qos=message.qos, retain=retain)
        else:
            self._stream.send(publication(topic, payload, retain=retain))

    def flush(self) -> None:
        """Send what is queued, as far as the socket takes it."""
        if self._client.want_write():
            self._client.loop_write()
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Say goodbye to the broker; it keeps our session."""
        self._up = False  # not lost: the journal notes our stop instead
        if self._client.socket() is not None:
            self._client.disconnect()
            self.flush()

    @property
    def _stream(self) -> BulkReader | None:
        return self._client.stream if self._client.socket() is not None else None

    def _exchange(self, stream: BulkReader, timeout_s: float) -> None:
        self.flush()
        writing = [stream] if stream.waiting else []
        if stream.pending:
            timeout_s = 0.0
        readable, _, _ = select.select([stream, self._bell], writing, [], timeout_s)
        if self._bell in readable:
            self._bell.hear()
        if stream in readable or stream.pending:
            self._drain(stream)
        self.flush()
        if time.monotonic() >= self._misc_at:
            self._misc_at = time.monotonic() + _MISC_S
            self._client.loop_misc()
            self._miss_marker()

    def _miss_marker(self) -> None:
        if self.ready and not self.drained and time.monotonic() > self._marked_at + MARKER_S:
            self._tell(
                f"has not given back our marker on {self._marker_topic} yet: a long queue, or the "
                "gateway's user may not write and read noria/1/#; no silence is judged meanwhile"
            )

    def _drain(self, stream: BulkReader) -> None:
        """Read until nothing more comes, or the batch is full.

        Right after a commit a little more is worth waiting for than the next fsync: as long as the
        commit before took, so that a busy gateway commits more at a time, and a quiet one at once.
        """
        began = time.monotonic()
        gathered = min(self._committed + max(GATHER_S, self._committing_s), began + BATCH_S)
        while True:
            stream.fill()
            self._hear(stream)
            if self._client.socket() is None or len(self._batch) >= BATCH_MESSAGES:
                break
            now = time.monotonic()
            wait_s = max(0.0, gathered - now) if self._batch else 0.0
            if now >= began + BATCH_S or not (
                stream.pending or select.select([stream], [], [], wait_s)[0]
            ):
                break
        self._drained_at = time.monotonic()

    def _hear(self, stream: BulkReader) -> None:
        """Take every whole packet that was read."""
        now = self._now()
        while True:
            for topic, payload, mid in stream.published():
                if mid:
                    self._owe(mid)
                if topic.endswith(b"/up"):  # amqtt sends retained messages past filters
                    self._batch.append(Arrival(topic.decode(errors="replace"), payload, now))
                elif topic == self._marker_topic.encode() and payload == self._nonce:
                    self.drained = True
                    self._batch.append(BrokerEvent("broker_drained", now))
            if not stream.offer():
                return
            self._client.loop_read()
            if self._client.socket() is None:
                return

    def _make_client(self) -> BulkClient:
        address = self._address
        client = BulkClient(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            clean_session=self._shared,
            protocol=paho.MQTTv311,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        if address.username:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            context = ssl.create_default_context(cafile=address.ca or None)
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType] - untyped in paho
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        # Says that the loop is ours: otherwise paho sends every packet at once, by itself.
        client.on_socket_register_write = _leave_to_loop
        client.on_socket_unregister_write = _leave_to_loop
        return client

    def _connect(self) -> None:
        self._connection += 1
        self._try_at = time.monotonic() + self._wait_s * random.uniform(0.8, 1.2)  # noqa: S311
        self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
        try:
            self._client.connect(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        except (OSError, ssl.SSLError) as error:
            self._tell(f"cannot be reached: {error}")

    def _on_connect(
        self,
        client: paho.Client,
        _data: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            self._tell(f"refuses our login ({reason}): check broker and broker_password")
            return
        self._up = True
        self.drained = False
        self._marked_at = time.monotonic()
        self.fresh = self.fresh or not flags.session_present
        self._wait_s = _FIRST_WAIT_S
        self._batch.append(BrokerEvent("broker_back", self._now()))
        self._nonce = secrets.token_hex(8).encode()
        ups = SHARED_UP_TOPICS if self._shared else UP_TOPICS
        client.subscribe([(ups, 1), (self._marker_topic, 1)])

    def _on_subscribe(
        self,
        client: paho.Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: object,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._tell("refuses our subscriptions: let the gateway's user read noria/1/#")
            return
        self.ready = True
        self._said = ""
        # Queued after everything that the broker holds for us: when it comes back, that is read.
        client.publish(self._marker_topic, self._nonce, qos=1)

    def _on_disconnect(self, *_given: object) -> None:
        if self._up:
            self._batch.append(BrokerEvent("broker_lost", self._now()))
            self._tell("was lost; connecting again")
            self.fresh = True
        self._up = self.ready = False

    def _owe(self, mid: int) -> None:
        if self._receipts.connection != self._connection:
            self._receipts = Receipts(self._connection, [])
        self._receipts.mids.append(mid)

    def _tell(self, what: str) -> None:
        """Say once what is wrong with the broker, not at every try."""
        if what != self._said:
            _log.warning("broker %s:%d %s", self._address.host, self._address.port, what)
        self._said = what


def _leave_to_loop(*_given: object) -> None:
    """``turn`` asks ``want_write`` itself."""
