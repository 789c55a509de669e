"""A gateway of thirty lines for boards under test: checks the MAC, walks the line, acknowledges.

Written from WIRE.md alone, with nothing of the gateway, so that both sides are held to the text.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.parts.services import until


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hash(body: bytes) -> str:
    return _b64(hashlib.sha256(body).digest()[:16])


@dataclass
class Line:
    """One device's messages in the order of arrival, and the end of its line."""

    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    bodies: set[bytes] = field(default_factory=set[bytes])
    by_prev: dict[tuple[str, str], tuple[dict[str, Any], bytes]] = field(
        default_factory=dict[tuple[str, str], tuple[dict[str, Any], bytes]]
    )
    tip: dict[str, tuple[int, int, str]] = field(default_factory=dict[str, tuple[int, int, str]])
    duplicates: int = 0
    bad_mac: int = 0
    forks: int = 0

    def accept(self, body: bytes) -> dict[str, Any]:
        """Takes an authentic OBJECT; moves the line as far as it is unbroken."""
        message = json.loads(body)
        if body in self.bodies:
            self.duplicates += 1
            return message
        self.bodies.add(body)
        self.messages.append(message)
        key = (message["era"], message["prev"])
        self.forks += key in self.by_prev
        self.by_prev.setdefault(key, (message, body))
        while (step := self.by_prev.get((message["era"], self._head(message["era"])))) is not None:
            linked, exact = step
            self.tip[linked["era"]] = (linked["boot"], linked["seq"], _hash(exact))
        return message

    def _head(self, era: str) -> str:
        return self.tip.get(era, (0, 0, ""))[2]


class Acker:
    """Listens on a broker and acknowledges while ``acking``. A context manager."""

    def __init__(self, port: int, keys: dict[str, str], now: Callable[[], float]) -> None:
        self._keys = {device: bytes.fromhex(key) for device, key in keys.items()}
        self._now = now
        self._lock = threading.Lock()
        self.acking = True
        self.lines = {device: Line() for device in keys}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "acker", reconnect_on_failure=True)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = _subscribe
        self._client.on_message = self._receive
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> "Acker":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def readings(self, device: str) -> list[dict[str, Any]]:
        """All readings of a device so far."""
        return [reading for message in self.received(device) for reading in message["r"]]

    def events(self, device: str) -> list[str]:
        """Kinds of all events of a device so far."""
        return [event["k"] for message in self.received(device) for event in message.get("e", [])]

    def received(self, device: str) -> list[dict[str, Any]]:
        """All messages of a device so far, in the order of arrival."""
        with self._lock:
            return list(self.lines[device].messages)

    def until_received(self, devices: Iterable[str], count: int, timeout_s: float) -> None:
        """Waits until each device has sent so many different messages."""
        wanted = list(devices)
        until(
            lambda: all(len(self.received(device)) >= count for device in wanted),
            timeout_s,
            f"{count} messages of {', '.join(wanted)}",
        )

    def _receive(self, client: mqtt.Client, _: object, packet: mqtt.MQTTMessage) -> None:
        device = packet.topic.split("/")[2]
        body, _, mac = bytes(packet.payload).partition(b"\n")
        line, key = self.lines[device], self._keys[device]
        signed = packet.topic.encode() + b"\n" + body
        if _b64(hmac.digest(key, signed, "sha256")).encode() != mac.split(b"\n")[0]:
            line.bad_mac += 1
            return
        with self._lock:
            era = line.accept(body)["era"]
            boot, seq, head = line.tip.get(era, (0, 0, ""))
        if self.acking:
            t = int(self._now())
            ack = {"v": 1, "era": era, "boot": boot, "seq": seq, "h": head, "t": t}
            self._publish(client, device, key, ack)

    def _publish(
        self, client: mqtt.Client, device: str, key: bytes, ack: dict[str, object]
    ) -> None:
        topic = f"noria/1/{device}/ack"
        body = json.dumps(ack, separators=(",", ":")).encode()
        mac = _b64(hmac.digest(key, topic.encode() + b"\n" + body, "sha256")).encode()
        client.publish(topic, body + b"\n" + mac, 0, retain=True)


def _subscribe(client: mqtt.Client, *_: object) -> None:
    client.subscribe("noria/1/+/up", 1)  # again after each connection: the session is clean
