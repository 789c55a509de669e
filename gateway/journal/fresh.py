"""Which messages of a batch nothing in the journal touches: one question for all of them.

Most messages are simply the next of their line, which ``eras`` knows by itself. After an outage
they come in another order, and of each five questions to SQLite would be asked; instead a whole
batch is asked for at once, in 4 us a message. What is not known to be fresh is judged one by one,
by ``messages`` and ``eras``.
"""

import sqlite3
from collections.abc import Iterable
from itertools import chain

from gateway.journal import bulk

Key = tuple[str, str, int, int]
"""Device, era, boot and seq of a message."""

_COLUMNS = "n, device, era, boot, seq, following, prev, link"
# Same identity, the flagged message that may follow, or one that carries prev or link as prev.
_TOUCHED = (
    " SELECT n FROM given WHERE EXISTS (SELECT 1 FROM message m INDEXED BY message_identity"
    " WHERE m.device = given.device AND m.era = given.era AND m.boot = given.boot"
    " AND m.seq IN (given.seq, following))"
    " OR EXISTS (SELECT 1 FROM message m INDEXED BY message_prev"
    " WHERE m.device = given.device AND m.prev IN (given.prev, link))"
)


class Fresh:
    """Answers of one transaction (``forget`` them at its end), and the messages not filed yet."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._alone: set[Key] = set()
        self._places: set[Key] = set()
        self._prevs: set[tuple[str, str]] = set()

    def ask(self, messages: Iterable[tuple[Key, str, str]]) -> None:
        """Look all up by key, their own link, and ``prev``. Raises sqlite3.Error."""
        rows: list[bulk.Row] = []
        keys: list[Key] = []
        for key, link, prev in messages:
            device, era, boot, seq = key
            rows.append((len(keys), device, era, boot, seq, seq + 1, prev or None, link))
            keys.append(key)
        touched: set[int] = set()
        for chunk in bulk.chunks(rows):
            given = f"WITH given({_COLUMNS}) AS (VALUES {bulk.marks(len(chunk), len(chunk[0]))})"
            found = self._connection.execute(given + _TOUCHED, list(chain.from_iterable(chunk)))
            touched.update(n for (n,) in found)
        self._alone.update(key for n, key in enumerate(keys) if n not in touched)

    def is_alone(self, key: Key, link: str, prev: str) -> bool:
        """Whether neither the journal nor this batch so far holds anything that touches it."""
        device, era, boot, seq = key
        return (
            key in self._alone
            and key not in self._places
            and (device, era, boot, seq + 1) not in self._places
            and (device, link) not in self._prevs
            and (device, prev) not in self._prevs
        )

    def add(self, key: Key | None, device: str, prev: str | None) -> None:
        """A message was accepted; None where its identity or its ``prev`` cannot be read."""
        if key:
            self._places.add(key)
        if prev:
            self._prevs.add((device, prev))

    def forget(self) -> None:
        """The transaction has ended: others may change what was asked for."""
        self._alone.clear()

    def filed(self) -> None:
        """All that was added now stands where ``ask`` looks."""
        self._places.clear()
        self._prevs.clear()
