"""How a node connects, publishes, resends and believes acks (WIRE.md, *Each connection*)."""

import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.wire_node.sealed import Ring

WAIT_S = 5.0


class Lost(Exception):
    """The connection broke or was refused."""


class Node:
    """One device with its ring. ``connection`` is what happens between a wake and a sleep."""

    def __init__(self, device, key, port, password, host="127.0.0.1"):
        self.ring = Ring(device, key)
        self._where = (host, port)
        self._password = password
        self._lock = threading.Condition()
        self._mids = {}
        self._pubacks = set()
        self._live = None  # index that the last live ack covers
        self._lost = False
        self._subscribed = False
        self.connections = 0
        self.refused_login = 0

    @property
    def unacked(self):
        """How many sealed messages no ack covers yet."""
        return len(self.ring.sealed) - self.ring.freed

    def connection(self, seal, t, pace_s=0.0, wait_s=WAIT_S, resend_after_s=None):
        """Connect, seal ``seal`` messages (at least one), publish, wait and resend by WIRE.md.

        Returns True when an ack covers everything. Raises Lost. ``wait_s`` limits the wait for an
        ack; an ack that covers less is waited on for ``resend_after_s``, or as long.
        """
        client = self._connect()
        try:
            newest = None
            for _ in range(max(1, seal)):
                newest = self.ring.seal(t())
                newest.sealed_in = self.connections
                self._publish(client, newest)
                if pace_s:
                    time.sleep(pace_s)
                self._check()
            for message in list(self.ring.sealed[self.ring.freed :]):
                if not message.puback and message.sealed_in != self.connections:
                    self._publish(client, message)
            return self._settle(client, wait_s, resend_after_s)
        finally:
            client.disconnect()
            client.loop_stop()

    def finish(self, client_t, wait_s=WAIT_S):
        """One more connection that seals one message; True when its live ack covers all."""
        return self.connection(1, client_t, wait_s=wait_s)

    def _settle(self, client, wait_s, resend_after_s):
        everything = len(self.ring.sealed)
        if self._wait(lambda: self._live == everything, resend_after_s or wait_s):
            return True
        if not self._wait(lambda: self._live is not None, wait_s if resend_after_s else 0):
            return False  # the gateway is away: the broker holds
        for message in self.ring.sealed[self._live :]:
            self._publish(client, message)
        return self._wait(lambda: self._live == everything, wait_s)

    def _connect(self):
        self.connections += 1
        self._lost = self._subscribed = False
        self._live = None
        self._mids.clear()
        self._pubacks.clear()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.ring.device)
        client.max_inflight_messages_set(0)
        client.username_pw_set(self.ring.device, self._password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        try:
            client.connect(*self._where, keepalive=20)
        except OSError as error:
            raise Lost(str(error)) from error
        client.loop_start()
        if not self._wait(lambda: self._subscribed or self._lost, 3.0) or self._lost:
            client.loop_stop()
            raise Lost("no subscription")
        return client

    def _publish(self, client, message):
        # Not under the lock: paho holds its own while it calls back.
        info = client.publish(self.ring.topic, self.ring.payload(message), qos=1)
        with self._lock:
            self._mids[info.mid] = message
            message.puback = message.puback or info.mid in self._pubacks
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise Lost("publish")

    def _check(self):
        if self._lost:
            raise Lost("connection")

    def _wait(self, met, timeout_s):
        with self._lock:
            self._lock.wait_for(lambda: met() or self._lost, timeout_s)
            return met()

    def _on_connect(self, client, _data, _flags, reason, _properties):
        if reason.is_failure:
            self.refused_login += 1
            with self._lock:
                self._lost = True
                self._lock.notify_all()
            return
        client.subscribe(f"noria/1/{self.ring.device}/ack", 1)

    def _on_disconnect(self, *_given):
        with self._lock:
            self._lost = True
            self._lock.notify_all()

    def _on_subscribe(self, *_given):
        with self._lock:
            self._subscribed = True
            self._lock.notify_all()

    def _on_publish(self, _client, _data, mid, _reason, _properties):
        with self._lock:
            self._pubacks.add(mid)
            if mid in self._mids:
                self._mids[mid].puback = True

    def _on_message(self, _client, _data, message):
        with self._lock:
            covered = self.ring.believed(message.payload)
            if covered is None:
                return
            self.ring.freed = max(self.ring.freed, covered)
            if not message.retain:
                self._live = max(self._live or 0, covered)
            self._lock.notify_all()
