"""One persistent MQTT session, driven by its owner's loop; no thread of its own.

``receive`` reads until the socket is drained, 1,000 messages or 50 ms. Nothing is read while its
owner commits: Mosquitto 2.0.11 ignores ``max_inflight_messages`` while it drains a queue, and
reading on would pile everything up in memory.
"""

import logging
import random
import secrets
import select
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.journal.messages import Arrival
from gateway.mqtt.address import Address
from gateway.mqtt.bulk_reader import BulkClient, BulkReader, Receipts, publication
from gateway.mqtt.publish_queue import Publication
from gateway.runtime.wakeup import SelectWakeup

_log = logging.getLogger(__name__)

UP_TOPICS = "noria/1/+/up"
SHARED_UP_TOPICS = f"$share/noria/{UP_TOPICS}"
BATCH_MESSAGES = 1000
BATCH_S, GATHER_S = 0.05, 0.002
KEEPALIVE_S, CONNECT_TIMEOUT_S = 30, 5.0
MARKER_S = MISSING_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S, _MISC_S = 0.1, 5.0, 1.0


@dataclass(frozen=True, slots=True)
class BrokerEvent:
    """``broker_lost``, ``broker_back`` or ``broker_drained``, in order with the messages."""

    run: str
    received: float


class Session:
    """Subscribes to every device's ``up``. ``now`` returns Unix s.

    With ``shared``, the broker sends each message to one of several gateways, in clean sessions: a
    persistent session would keep collecting the share of a dead gateway, which the nodes resend
    to the others anyway.
    """

    def __init__(
        self, address: Address, gateway: str, wakeup: SelectWakeup, now: Callable[[], float], *,
        shared: bool = False,
    ) -> None:  # fmt: skip
        self._address = address
        self._shared = shared
        # No device id has only two letters.
        self._marker_topic = f"noria/1/gw/{gateway}/drained"
        self._wakeup = wakeup
        self._now = now
        self._batch: list[Arrival | BrokerEvent] = []
        self._receipts = Receipts(0, [])
        self._committed = self._committing_s = self._drained_at = 0.0
        self._connection = 0
        self._nonce, self._warning = b"", ""
        self._try_at = self._misc_at = self._marked_at = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._up = False
        self._missing_since: float | None = now()  # Unix s; None: connected or recorded
        self.ready = False
        """Connected and subscribed."""
        self.drained = False
        """The messages that the broker had queued for us are read: our marker has come back."""
        self.fresh = True
        """All acks must be published again: at the start (the journal may be a restored one),
        without a stored session at the broker, and after a lost connection, in which acks may be
        lost although their messages had their PUBACK. The owner clears it."""
        self._client = self._make_client()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted our login."""
        return self._up

    @property
    def listening(self) -> bool:
        """Whether messages reach us without delay: subscribed, and the broker's queue is read."""
        return self.ready and self.drained

    def receive(self, timeout_s: float) -> list[Arrival | BrokerEvent]:
        """Exchange packets with the broker; returns what arrived, in order.

        Waits up to ``timeout_s`` for the first packet, or until the wakeup.
        """
        stream = self._stream
        if stream is None and time.monotonic() >= self._try_at:
            self._connect()
            stream = self._stream
        if stream is None:
            wait_s = max(0.0, min(timeout_s, self._try_at - time.monotonic()))
            select.select([self._wakeup], [], [], wait_s)
            self._wakeup.clear()
        else:
            self._exchange(stream, timeout_s)
        batch, self._batch = self._batch, []
        return batch

    def receipts(self) -> Receipts:
        """What to ``acknowledge`` once the messages received since the last call are committed."""
        taken, self._receipts = self._receipts, Receipts(self._connection, [])
        return taken

    def acknowledge(self, receipts: Receipts) -> None:
        """Send PUBACKs, except for an older connection, whose messages the broker sends again."""
        stream = self._stream
        if stream is not None and receipts.connection == self._connection:
            stream.send(receipts.pubacks())
        self._committed = time.monotonic()
        self._committing_s = self._committed - self._drained_at

    def publish(self, message: Publication) -> None:
        """Queue a message for ``flush`` or ``receive``; with QoS 1 until its PUBACK."""
        topic, payload, retain = message.topic, message.payload, message.retain
        if not self._up or self._stream is None:
            return
        if message.qos:
            self._client.publish(topic, payload, qos=message.qos, retain=retain)
        else:
            self._stream.send(publication(topic, payload, retain=retain))

    def flush(self) -> None:
        """Send what is queued, as far as the socket accepts it."""
        if self._client.want_write():
            self._client.loop_write()
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Disconnect; the broker keeps our session."""
        self._up = False  # no `broker_lost`: the journal records the stop
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
        readable, _, _ = select.select([stream, self._wakeup], writing, [], timeout_s)
        if self._wakeup in readable:
            self._wakeup.clear()
        if stream in readable or stream.pending:
            self._drain(stream)
        self.flush()
        if time.monotonic() >= self._misc_at:
            self._misc_at = time.monotonic() + _MISC_S
            self._client.loop_misc()
            self._check_marker()

    def _check_marker(self) -> None:
        if self.ready and not self.drained and time.monotonic() > self._marked_at + MARKER_S:
            self._warn_once(
                f"has not returned our marker on {self._marker_topic} yet: a long queue, or the "
                "gateway's user may not write and read noria/1/#; until then, silence is not judged"
            )

    def _drain(self, stream: BulkReader) -> None:
        """Read until nothing more comes, or the batch is full.

        Right after a commit, waits for more as long as that commit took: a busy gateway then
        commits more messages at a time, and a quiet one commits at once.
        """
        began = time.monotonic()
        gather_until = min(self._committed + max(GATHER_S, self._committing_s), began + BATCH_S)
        while True:
            stream.fill()
            self._parse(stream)
            if self._client.socket() is None or len(self._batch) >= BATCH_MESSAGES:
                break
            now = time.monotonic()
            wait_s = max(0.0, gather_until - now) if self._batch else 0.0
            if now >= began + BATCH_S or not (
                stream.pending or select.select([stream], [], [], wait_s)[0]
            ):
                break
        self._drained_at = time.monotonic()

    def _parse(self, stream: BulkReader) -> None:
        """Add every whole packet that was read to the batch."""
        now = self._now()
        while True:
            for topic, payload, mid in stream.published():
                if mid:
                    self._add_receipt(mid)
                if topic.endswith(b"/up"):  # amqtt sends retained messages of other topics too
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
            CallbackAPIVersion.VERSION2, client_id=address.client_id, clean_session=self._shared,
            protocol=paho.MQTTv311, manual_ack=True,
        )  # fmt: skip
        client.connect_timeout = CONNECT_TIMEOUT_S
        address.configure(client)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        # With these callbacks, paho leaves writing to our loop instead of sending at once.
        client.on_socket_register_write = _ignore
        client.on_socket_unregister_write = _ignore
        return client

    def _connect(self) -> None:
        self._connection += 1
        self._try_at = time.monotonic() + self._wait_s * random.uniform(0.8, 1.2)  # noqa: S311
        self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
        try:
            self._client.connect(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        except (OSError, ssl.SSLError) as error:
            self._warn_once(f"cannot be reached: {error}")
            self._note_missing()

    def _note_missing(self) -> None:
        """Record a broker not reached since the start, after the time that it needs to start."""
        now, since = self._now(), self._missing_since
        if since is not None and now - since >= MISSING_S:
            self._batch.append(BrokerEvent("broker_lost", now))
            self._missing_since = None

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode,
        _properties: object,
    ) -> None:  # fmt: skip
        if reason.is_failure:
            self._warn_once(f"refuses our login ({reason}): check broker and broker_password")
            self._note_missing()
            return
        self._up, self._missing_since = True, None
        self.drained = False
        self._marked_at = time.monotonic()
        self.fresh = self.fresh or not flags.session_present
        self._wait_s = _FIRST_WAIT_S
        self._batch.append(BrokerEvent("broker_back", self._now()))
        self._nonce = secrets.token_hex(8).encode()
        ups = SHARED_UP_TOPICS if self._shared else UP_TOPICS
        client.subscribe([(ups, 1), (self._marker_topic, 1)])

    def _on_subscribe(
        self, client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode],
        _properties: object,
    ) -> None:  # fmt: skip
        if any(reason.is_failure for reason in reasons):
            self._warn_once("refuses our subscriptions: let the gateway's user read noria/1/#")
            return
        self.ready = True
        self._warning = ""
        # The broker queues it behind everything that it kept for us.
        client.publish(self._marker_topic, self._nonce, qos=1)

    def _on_disconnect(self, *_given: object) -> None:
        if self._up and (fault := self._client.stream.fault):  # it would send the same at once
            self._wait_s, self._try_at = _LONGEST_WAIT_S, time.monotonic() + _LONGEST_WAIT_S
            self._warn_once(f"sent {fault}; connecting again")
        if self._up:
            self._batch.append(BrokerEvent("broker_lost", self._now()))
            self._warn_once("was lost; connecting again")
            self.fresh = True
        self._up = self.ready = False

    def _add_receipt(self, mid: int) -> None:
        if self._receipts.connection != self._connection:
            self._receipts = Receipts(self._connection, [])
        self._receipts.mids.append(mid)

    def _warn_once(self, warning: str) -> None:
        """Log what is wrong with the broker, but not at every attempt."""
        if warning != self._warning:
            _log.warning("broker %s:%d %s", self._address.host, self._address.port, warning)
        self._warning = warning


def _ignore(*_given: object) -> None:
    """``flush`` checks ``want_write`` itself."""
