"""One persistent MQTT session, driven by its owner's loop; no thread of its own.

``turn`` reads until the socket is drained, 2,000 messages or 20 ms: then its owner commits, and
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
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.ingest import Change
from gateway.journal.messages import Arrival
from gateway.mqtt.address import Address
from gateway.mqtt.bell import Bell
from gateway.mqtt.outgoing import Publication

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike as _Socket  # exists for type checkers only

_log = logging.getLogger(__name__)

UP_TOPICS = "noria/1/+/up"
SHARED_UP_TOPICS = f"$share/noria/{UP_TOPICS}"
BATCH_MESSAGES = 2000
BATCH_S = 0.02
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 5.0
MARKER_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_MISC_S = 1.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What PUBACK needs: the packet's number and the connection on which it came."""

    mid: int
    connection: int


class Session:
    """Subscribes to every device's ``up``. ``now`` gives Unix s.

    ``shared``: each message comes to one of several gateways, in a clean session: a stored one
    would go on receiving a dead gateway's share, while the nodes' resend repairs.
    """

    def __init__(
        self,
        address: Address,
        gateway: str,
        bell: Bell,
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
        self._batch: list[Arrival | Change] = []
        self._receipts: list[Receipt] = []
        self._connection = 0
        self._nonce = b""
        self._try_at = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._misc_at = 0.0
        self._marked_at = 0.0
        self._said = ""
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

    def turn(self, timeout_s: float) -> list[Arrival | Change]:
        """Wait up to ``timeout_s`` for something; returns what arrived, in order."""
        sock = self._client.socket()
        if sock is None and time.monotonic() >= self._try_at:
            self._connect()
            sock = self._client.socket()
        if sock is None:
            wait_s = max(0.0, min(timeout_s, self._try_at - time.monotonic()))
            select.select([self._bell], [], [], wait_s)
            self._bell.hear()
        else:
            self._exchange(sock, timeout_s)
        batch, self._batch = self._batch, []
        return batch

    def acknowledge(self) -> None:
        """PUBACK all that ``turn`` returned last: it is committed."""
        for receipt in self._receipts:
            if receipt.connection == self._connection:  # of an older one the broker sends again
                self._client.ack(receipt.mid, 1)
        self._receipts.clear()

    def publish(self, publication: Publication) -> None:
        """Queue a message; ``flush`` or the next ``turn`` sends it; QoS 1 until PUBACK."""
        if self._up:
            self._client.publish(
                publication.topic,
                publication.payload,
                qos=publication.qos,
                retain=publication.retain,
            )

    def flush(self) -> None:
        """Send what is queued, as far as the socket takes it."""
        if self._client.want_write():
            self._client.loop_write()

    def close(self) -> None:
        """Say goodbye to the broker; it keeps our session."""
        self._up = False  # not lost: the journal notes our stop instead
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()

    def _exchange(self, sock: "_Socket", timeout_s: float) -> None:
        writing = [sock] if self._client.want_write() else []
        if _pending(sock):
            timeout_s = 0.0
        readable, writable, _ = select.select([sock, self._bell], writing, [], timeout_s)
        if self._bell in readable:
            self._bell.hear()
        if writable:
            self._client.loop_write()
        if sock in readable or _pending(sock):
            self._drain(sock)
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

    def _drain(self, sock: "_Socket") -> None:
        until = time.monotonic() + BATCH_S
        while len(self._batch) < BATCH_MESSAGES and time.monotonic() < until:
            self._client.loop_read()
            if self._client.socket() is not sock:
                return
            if not _pending(sock) and not select.select([sock], [], [], 0)[0]:
                return

    def _make_client(self) -> paho.Client:
        address = self._address
        client = paho.Client(
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
        client.on_message = self._on_message
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
        self._batch.append(Change("broker_back", self._now()))
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
            self._batch.append(Change("broker_lost", self._now()))
            self._tell("was lost; connecting again")
            self.fresh = True
        self._up = self.ready = False

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.qos:
            self._receipts.append(Receipt(message.mid, self._connection))
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "not UTF-8/up"  # counted among unknown devices
        if topic == self._marker_topic:
            if message.payload == self._nonce:
                self.drained = True
                self._batch.append(Change("broker_drained", self._now()))
            return
        if not topic.endswith("/up"):
            return  # amqtt sends retained messages past filters when a session resumes
        self._batch.append(Arrival(topic, bytes(message.payload), self._now()))

    def _tell(self, what: str) -> None:
        """Say once what is wrong with the broker, not at every try."""
        if what != self._said:
            _log.warning("broker %s:%d %s", self._address.host, self._address.port, what)
        self._said = what


def _pending(sock: "_Socket") -> bool:
    """Whether TLS has decrypted bytes that ``select`` does not see."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _leave_to_loop(*_given: object) -> None:
    """``turn`` asks ``want_write`` itself."""
