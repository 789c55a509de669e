"""The connections of everybody: how many there may be, and who makes room for a new one."""

import resource
from collections.abc import Container
from typing import Protocol

from gateway.runtime import open_files

MOST = 1000
PER_SOURCE = 200
"""A place of one address may hold many people; each browser opens six."""
_OTHER_FILES = 200
"""Descriptors kept for databases, libraries and the listening socket."""


class Member(Protocol):
    """One connection. ``source``: the address that it comes from."""

    source: str

    def drop(self) -> None:
        """End it at once."""
        ...


class Crowd:
    """Connections by source, and those that wait for their client, the longest first.

    A new one always gets in while another waits for its client: an idle or half-open connection
    costs its owner nothing to open again. Only what the server works on is never dropped.
    """

    def __init__(
        self, most: int = MOST, per_source: int = PER_SOURCE, proxies: Container[str] = ()
    ) -> None:
        self._most = most
        self._per_source = per_source
        self._proxies = proxies
        self._of_source: dict[str, int] = {}
        self._all: set[Member] = set()
        self._waiting: dict[Member, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, member: Member) -> bool:
        """Let a new connection in, dropping another where needed; False when none can be."""
        source = member.source
        alone = self._of_source.get(source, 0) >= self._per_source and source not in self._proxies
        if alone or len(self._all) >= self._most:
            found = (m for m in self._waiting if not alone or m.source == source)
            longest = next(found, None)
            if longest is None:
                return False
            self.leave(longest)
            longest.drop()
        self._all.add(member)
        self._of_source[source] = self._of_source.get(source, 0) + 1
        self._waiting[member] = None
        return True

    def wait(self, member: Member, waits: bool) -> None:
        """Whether this connection waits for its client from now on."""
        self._waiting.pop(member, None)
        if waits and member in self._all:
            self._waiting[member] = None

    def leave(self, member: Member) -> None:
        """Forget a connection; does nothing for one that is not in."""
        if member not in self._all:
            return
        self._all.remove(member)
        self._waiting.pop(member, None)
        self._of_source[member.source] -= 1
        if not self._of_source[member.source]:
            del self._of_source[member.source]


def most_connections() -> int:
    """How many connections this process can hold; raises its limit of open files first."""
    soft = open_files.raise_limit()
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft - _OTHER_FILES))
