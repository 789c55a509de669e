"""Messages that other threads publish; the session's thread sends them."""

from collections import deque
from dataclasses import dataclass

from gateway.runtime.select_wakeup import SelectWakeup

LONGEST = 10_000
"""Only reached while the broker is away; everything is published again when it is back."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message; an empty retained one clears its topic."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 0


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
