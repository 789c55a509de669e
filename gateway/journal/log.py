"""The log: entries and their leaves, appended inside the caller's transaction."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from gateway.domain import leaf, merkle
from gateway.domain.heard import Auth
from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal import bulk
from gateway.journal.entry import Verdict

_TAIL_LEAVES = 1 << 16
"""How many leaves the start hashes again: the whole log while it is small, else its tail."""
_SALTS_AT_ONCE = 256
_INTO_ENTRY = "INSERT INTO entry (id, time_ms, kind, subject, leaf, verdict, flag, auth, newest)"


class Judged(NamedTuple):
    """What the gateway made of a message, kept with its entry."""

    verdict: Verdict
    flag: str | None
    auth: Auth
    newest: bool


class Log:
    """Appends leaves and keeps the running frontier; ``save`` writes it in the same transaction."""

    def __init__(self, connection: sqlite3.Connection, gateway: str) -> None:
        self._connection = connection
        self._gateway = gateway
        self._hashes: list[bytes] = []
        self._entries: list[bulk.Row] = []
        self._bodies: list[bulk.Row] = []
        self._salts: list[bytes] = []
        self.frontier = _load(connection)
        found = connection.execute("SELECT time_ms FROM entry ORDER BY id DESC LIMIT 1").fetchone()
        self._last_ms: int = found[0] if found else 0

    def append(
        self,
        kind: str,
        received: float,
        subject: str,
        body: bytes,
        lines: Mapping[str, str] | None = None,
        judged: Judged | None = None,
    ) -> int:
        """Append one entry and its leaf; returns the entry's id. ``received``: Unix s."""
        # Never back: readers and replay rely on it, and a step of the clock has its own entry.
        time_ms = max(self._last_ms, int(received * 1000))
        salt = self._salt()
        text = leaf.text(kind, time_ms, self._gateway, subject, leaf.commit(salt, body), lines)
        self._last_ms = time_ms
        self._hashes.append(merkle.leaf_hash(text))
        entry = self.last_id
        kept = judged or (None, None, None, False)
        self._entries.append((entry, time_ms, kind, subject, text, *kept))
        self._bodies.append((entry, salt, body))
        return entry

    @property
    def last_id(self) -> int:
        """The newest entry's id, 0 when there is none."""
        return self.frontier.size + len(self._hashes)

    def _salt(self) -> bytes:
        """32 random bytes; asking the kernel costs more than the bytes do."""
        if not self._salts:
            drawn = secrets.token_bytes(leaf.SALT_BYTES * _SALTS_AT_ONCE)
            cuts = range(0, len(drawn), leaf.SALT_BYTES)
            self._salts = [drawn[i : i + leaf.SALT_BYTES] for i in cuts]
        return self._salts.pop()

    def append_fact(
        self,
        kind: str,
        received: float,
        body: Mapping[str, object],
        subject: str = "-",
        lines: Mapping[str, str] | None = None,
    ) -> int:
        """Append an entry whose body is one JSON object."""
        text = json.dumps(body, separators=(",", ":"), sort_keys=True)
        return self.append(kind, received, subject, text.encode("ascii"), lines)

    def save(self) -> None:
        """Write what was appended and the frontier, before the transaction's commit."""
        bulk.insert(self._connection, _INTO_ENTRY, self._entries)
        bulk.insert(self._connection, "INSERT INTO body", self._bodies)
        self.frontier = self.frontier.grown(*self._hashes)
        self._forget()
        self._connection.execute(
            "UPDATE frontier SET size = ?, nodes = ?",
            (self.frontier.size, self.frontier.to_bytes()),
        )

    def reload(self) -> None:
        """Forget what a rolled-back transaction appended."""
        self._forget()
        self.frontier = _load(self._connection)

    def _forget(self) -> None:
        self._hashes.clear()
        self._entries.clear()
        self._bodies.clear()


def _load(connection: sqlite3.Connection) -> Frontier:
    size, nodes = connection.execute("SELECT size, nodes FROM frontier").fetchone()
    try:
        return Frontier.from_bytes(size, nodes)
    except ValueError as error:
        raise JournalError(f"the journal's Merkle frontier is damaged: {error}") from error


def verify(connection: sqlite3.Connection) -> None:
    """Check at the start that leaves and frontier belong together. Raises JournalError.

    Hashes every leaf again while there are at most 65,536; of a longer log, the subtrees of the
    frontier that lie wholly within that tail.
    """
    frontier = _load(connection)
    last, count = connection.execute("SELECT coalesce(max(id), 0), count(*) FROM entry").fetchone()
    if not last == count == frontier.size:
        raise JournalError(
            f"the journal holds {count} entries up to {last}, but its log has {frontier.size} "
            "leaves: restore it from a backup"
        )
    at, left = 0, frontier.size
    for node in frontier.nodes:
        width = 1 << (left.bit_length() - 1)
        if frontier.size - at <= _TAIL_LEAVES and _subtree(connection, at, width) != node:
            raise JournalError(
                f"leaves {at + 1} to {at + width} of the journal do not hash to what was saved: "
                "they were changed; restore it from a backup"
            )
        at, left = at + width, left - width


def _subtree(connection: sqlite3.Connection, at: int, width: int) -> bytes:
    rows = connection.execute(
        "SELECT CAST(leaf AS BLOB) FROM entry WHERE id > ? AND id <= ? ORDER BY id",
        (at, at + width),
    )
    return merkle.root([merkle.leaf_hash(text) for (text,) in rows])
