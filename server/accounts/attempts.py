"""Limits on password attempts, by account and by source; in memory only.

A source's address is hashed under a random key of this process and is never stored.
"""

import hmac
import secrets
from collections import deque
from threading import Lock

WINDOW_S = 900.0
PER_ACCOUNT = 8
PER_SOURCE = 30
_MOST_KEYS = 10_000


class Attempts:
    """Failed attempts of the last 15 minutes. ``now``: real Unix s."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._failed: dict[bytes, deque[float]] = {}
        self._lock = Lock()

    def wait_s(self, login: str, source: str, now: float) -> float:
        """Seconds until this account accepts an attempt from this source; 0 is now."""
        with self._lock:
            return max(
                self._wait(self._name("account", login), PER_ACCOUNT, now),
                self._wait(self._name("source", source), PER_SOURCE, now),
            )

    def failed(self, login: str, source: str, now: float) -> None:
        """Count a failed attempt."""
        with self._lock:
            if len(self._failed) > _MOST_KEYS:
                self._forget(now)
            for name in (self._name("account", login), self._name("source", source)):
                self._failed.setdefault(name, deque(maxlen=PER_SOURCE)).append(now)

    def passed(self, login: str, source: str) -> None:
        """Clear the account's failures, and one of the source's, after the right password."""
        with self._lock:
            self._failed.pop(self._name("account", login), None)
            tries = self._failed.get(self._name("source", source))
            if tries:
                tries.pop()

    def _wait(self, name: bytes, most: int, now: float) -> float:
        tries = self._failed.get(name, ())
        return max(tries[-most] + WINDOW_S - now, 0.0) if len(tries) >= most else 0.0

    def _forget(self, now: float) -> None:
        for name, tries in list(self._failed.items()):
            if not tries or tries[-1] <= now - WINDOW_S:
                del self._failed[name]

    def _name(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}|{value.strip().lower()}".encode(), "sha256")
