"""Limits on password attempts, by account and source; in memory only.

Whoever knows a login can fail on purpose. So few failures only stop their own source at that
account; many from anywhere stop the account for strangers; and a device from which the account was
entered before (``devices.py``) has a limit of its own and none of those.

A source's address is hashed under a random key of this process and is never stored.
"""

import hmac
import ipaddress
import secrets
from collections import deque
from threading import Lock

WINDOW_S = 900.0
PER_PAIR = 8
"""Of one source at one account, and of one known device."""
PER_SOURCE = 30
PER_ACCOUNT = 40
"""Of strangers from anywhere: 4,000 a day, too few to guess even a weak password."""
_MOST_KEYS = 10_000


class Attempts:
    """Failed attempts of the last 15 minutes. ``now``: real Unix s; ``device``: when known."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._failed: dict[bytes, deque[float]] = {}
        self._lock = Lock()

    def wait_s(self, login: str, source: str, now: float, device: str = "") -> float:
        """Seconds until this account accepts an attempt from this source; 0 is now."""
        with self._lock:
            limits = self._limits(login, source, device)
            return max(self._wait(name, most, now) for name, most in limits)

    def failed(self, login: str, source: str, now: float, device: str = "") -> None:
        """Count a failed attempt."""
        with self._lock:
            if len(self._failed) > _MOST_KEYS:
                self._forget(now)
            for name, _ in self._limits(login, source, device):
                self._failed.setdefault(name, deque(maxlen=PER_ACCOUNT)).append(now)

    def passed(self, login: str, source: str, device: str = "") -> None:
        """Clear the account's failures, and one of the source's, after the right password.

        A known device clears its own alone: it does not make room for strangers.
        """
        with self._lock:
            (first, _), *others = self._limits(login, source, device)
            self._failed.pop(first, None)
            if device:
                return
            (account, _), (from_there, _) = others
            self._failed.pop(account, None)
            tries = self._failed.get(from_there)
            if tries:
                tries.pop()

    def _limits(self, login: str, source: str, device: str) -> list[tuple[bytes, int]]:
        login = login.strip().lower()
        if device:
            return [(self._name("device", device), PER_PAIR)]
        source = network_of(source)
        return [
            (self._name("pair", f"{source}|{login}"), PER_PAIR),
            (self._name("account", login), PER_ACCOUNT),
            (self._name("source", source), PER_SOURCE),
        ]

    def _wait(self, name: bytes, most: int, now: float) -> float:
        tries = self._failed.get(name, ())
        return max(tries[-most] + WINDOW_S - now, 0.0) if len(tries) >= most else 0.0

    def _forget(self, now: float) -> None:
        for name, tries in list(self._failed.items()):
            if not tries or tries[-1] <= now - WINDOW_S:
                del self._failed[name]

    def _name(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}|{value}".encode(), "sha256")


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
