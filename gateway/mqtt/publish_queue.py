"""Messages that other threads publish; the session's thread sends them."""

from collections import deque
from dataclasses import dataclass

from gateway.domain import envelope
from gateway.domain.chain import ChainLink
from gateway.domain.registry import Registry
from gateway.runtime.wakeup import SelectWakeup

LONGEST = 10_000
"""Only reached while the broker is away; everything is published again when it is back."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message; an empty retained one clears its topic."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 0


def ack_of(
    registry: Registry, device: str, era: str, end: ChainLink, now: float
) -> Publication | None:
    """The sealed ack of an era up to ``end``; None for a device that has no valid key."""
    row = registry.device(device)
    if row is None or row.key is None or row.revoked:
        return None
    topic = envelope.ack_topic(device)
    text = envelope.ack_object(era, *end.place, end.h, int(now))
    return Publication(topic, envelope.seal(row.key, topic, text), retain=True)


class PublishQueue:
    """Filled from any thread, emptied by the session's; beyond ``LONGEST``, drops the oldest."""

    def __init__(self, wakeup: SelectWakeup) -> None:
        self._waiting: deque[Publication] = deque(maxlen=LONGEST)
        self._wakeup = wakeup

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        """Publish soon; dropped while the broker is away."""
        self._waiting.append(Publication(topic, payload, retain))
        self._wakeup.notify()

    def take(self) -> list[Publication]:
        """Remove and return everything that waits, in order."""
        taken: list[Publication] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken
