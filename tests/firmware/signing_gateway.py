"""A minimal gateway: stores authentic messages, acknowledges the unbroken line (WIRE.md).

Tests use it in place of the project's gateway to forge, delay or omit acks.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

Json = dict[str, Any]


class SigningGateway:
    """Listens as a client of the broker at ``port`` for the device with ``key``.

    ``messages`` are the OBJECTs in the order of arrival, by identity in ``stored``;
    ``signatures`` are those after the MAC, by OBJECT. With ``acks`` False it sends no ack;
    ``stored`` continues a session that the broker keeps for it. Use as a context manager.
    """

    def __init__(
        self, port: int, device: str, key: bytes, *, acks: bool = True, stored: bool = False
    ) -> None:
        self.device = device
        self.key = key
        self.acks = acks
        self.arrived: list[bytes] = []
        self.stored: dict[tuple[str, int, int], bytes] = {}
        self.signatures: dict[bytes, set[tuple[bytes, ...]]] = {}
        self.refused = 0
        self.clock: Callable[[], float] = time.time
        self._line: dict[str, tuple[int, int]] = {}
        self._port = port
        self._changed = threading.Condition()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"gateway-{device}", clean_session=not stored
        )
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def __enter__(self) -> "SigningGateway":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def messages(self) -> list[Json]:
        """The decoded messages, once each, in the order of their first arrival."""
        with self._changed:
            return [json.loads(obj) for obj in dict.fromkeys(self.arrived)]

    @property
    def ordered(self) -> list[bytes]:
        """The OBJECTs by era, boot and seq."""
        with self._changed:
            return [self.stored[identity] for identity in sorted(self.stored)]

    @property
    def events(self) -> list[Json]:
        """Every event of every message."""
        return [event for message in self.messages for event in message.get("e", [])]

    def until(self, met: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until ``met``; AssertionError shows what arrived."""
        deadline = time.monotonic() + timeout_s
        while not met():
            with self._changed:
                self._changed.wait(0.1)
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s} s; arrived: {self.messages}")

    def publish(
        self, leaf: str, obj: bytes, *, retain: bool = True, key: bytes | None = None
    ) -> None:
        """Publish an OBJECT under a MAC, on ``ack`` or ``down``; a forger gives another key."""
        topic = f"noria/1/{self.device}/{leaf}"
        payload = obj + b"\n" + mac(key or self.key, topic, obj)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def publish_json(self, leaf: str, given: Json) -> None:
        """Publish an object under the right MAC, retained."""
        self.publish(leaf, _dumped(given))

    def lay(self, topic: str, data: bytes) -> None:
        """Publish a release's part under the right MAC, retained."""
        payload = data + b"\n" + mac(self.key, topic, data)
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)

    def ack_object(self, message: Json, h: str, seq: int | None = None) -> bytes:
        """The OBJECT of an ack for ``message``."""
        return _dumped(
            {
                "v": 1,
                "era": message["era"],
                "boot": message["boot"],
                "seq": message["seq"] if seq is None else seq,
                "h": h,
                "t": int(self.clock()),
            }
        )

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(f"noria/1/{self.device}/up", 1)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        obj, found, *signature = bytes(message.payload).split(b"\n")
        if not hmac.compare_digest(found, mac(self.key, message.topic, obj)):
            self.refused += 1
            return
        decoded = json.loads(obj)
        identity = (decoded["era"], decoded["boot"], decoded["seq"])
        with self._changed:
            assert self.stored.setdefault(identity, obj) == obj, f"a fork at {identity}"
            self.arrived.append(obj)
            self.signatures.setdefault(obj, set()).add(tuple(signature))
            self._changed.notify_all()
        if self.acks:
            self._ack(decoded)

    def _ack(self, newest: Json) -> None:
        era = newest["era"]
        last, h = self._walk(era, tuple(newest["old"]))
        ack = {"v": 1, "era": era, "boot": last[0], "seq": last[1], "h": h, "t": int(self.clock())}
        topic = f"noria/1/{self.device}/ack"
        obj = _dumped(ack)
        self._client.publish(topic, obj + b"\n" + mac(self.key, topic, obj), retain=True)

    def _walk(self, era: str, old: tuple[int, ...]) -> tuple[tuple[int, int], str]:
        """(boot, seq) at the end of an era's unbroken line, and the hash of that message."""
        last, h = (0, 0), ""
        for identity in sorted(key for key in self.stored if key[0] == era):
            obj = self.stored[identity]
            if json.loads(obj)["prev"] != h and identity[1:] != old:
                if h:
                    break
                continue
            last, h = identity[1:], digest(obj)
        return last, h


def mac(key: bytes, topic: str, obj: bytes) -> bytes:
    """The 43 characters of WIRE.md's MAC."""
    return _b64(hmac.new(key, topic.encode() + b"\n" + obj, hashlib.sha256).digest())


def digest(obj: bytes) -> str:
    """The next message's ``prev``."""
    return _b64(hashlib.sha256(obj).digest()[:16]).decode()


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _dumped(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
