"""Retained topics that other threads want published: only the newest value of each waits."""

import threading

from gateway.mqtt.bell import Bell


class RetainedTopics:
    """Handed to the live projection; the MQTT session's thread takes what waits.

    Every value is remembered, so that a broker that lost its retained messages gets them again.
    """

    def __init__(self, bell: Bell) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, bytes] = {}
        self._values: dict[str, bytes] = {}
        self._bell = bell

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish ``payload`` on ``topic``, retained, QoS 0; empty clears it. Any thread."""
        with self._lock:
            self._waiting[topic] = payload
            if payload:
                self._values[topic] = payload
            else:
                self._values.pop(topic, None)
        self._bell.ring()

    def take(self) -> dict[str, bytes]:
        """What waits, by topic; it waits no more."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return waiting

    def repeat(self) -> None:
        """Let every value wait again: the broker has no memory of them."""
        with self._lock:
            self._waiting = {**self._values, **self._waiting}
