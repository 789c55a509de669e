"""What other threads want published; the session's own thread takes it from here."""

from collections import deque
from dataclasses import dataclass

from gateway.runtime.select_wakeup import SelectWakeup

LONGEST = 10_000
"""More than this waits only while the broker is away; it is all published again then."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message; an empty retained one clears its topic."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 0


class PublishQueue:
    """Handed to the live projection. ``deque`` is safe between threads; the oldest is dropped."""

    def __init__(self, bell: SelectWakeup) -> None:
        self._waiting: deque[Publication] = deque(maxlen=LONGEST)
        self._bell = bell

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        """Publish soon, from any thread; dropped while the broker is away."""
        self._waiting.append(Publication(topic, payload, retain))
        self._bell.ring()

    def take(self) -> list[Publication]:
        """All that waits, in order; called by the session's thread."""
        taken: list[Publication] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken
