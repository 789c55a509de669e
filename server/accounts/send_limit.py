"""A limit on the messages that a person can have sent: codes to an address, and tests.

Without it anybody with an account could flood a stranger's phone, or guess codes by new ones.
"""

from collections import deque
from threading import Lock

WINDOW_S = 3600.0
MOST = 8
"""Of one person in an hour: enough for five contacts and some slips."""


class SendLimit:
    """What was sent in the last hour, by person; in memory only. ``now``: real Unix s."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[float]] = {}
        self._lock = Lock()

    def take(self, person: str, now: float) -> float:
        """Count one message; or, not counting it, the seconds until there is room for it."""
        with self._lock:
            sent = self._sent.setdefault(person, deque(maxlen=MOST))
            if len(sent) == MOST and now - sent[0] < WINDOW_S:
                return sent[0] + WINDOW_S - now
            sent.append(now)
            return 0.0
