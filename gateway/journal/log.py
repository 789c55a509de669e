"""The log: entries and their leaves, appended inside the caller's transaction."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain import leaf, merkle
from gateway.domain.heard import Auth
from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal.entry import Verdict

_TAIL_LEAVES = 1 << 16
"""How many leaves the start hashes again: the whole log while it is small, else its tail."""


@dataclass(frozen=True, slots=True)
class Judged:
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
        salt = secrets.token_bytes(leaf.SALT_BYTES)
        text = leaf.text(kind, time_ms, self._gateway, subject, leaf.commit(salt, body), lines)
        self.frontier = self.frontier.grown(merkle.leaf_hash(text))
        self._last_ms = time_ms
        entry = self.frontier.size
        kept = (None, None, None, False)
        if judged:
            kept = (judged.verdict, judged.flag, judged.auth, judged.newest)
        self._connection.execute(
            "INSERT INTO entry (id, time_ms, kind, subject, leaf, verdict, flag, auth, newest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (entry, time_ms, kind, subject, text, *kept),
        )
        self._connection.execute("INSERT INTO body VALUES (?, ?, ?)", (entry, salt, body))
        return entry

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
        """Write the frontier, before the transaction's commit."""
        self._connection.execute(
            "UPDATE frontier SET size = ?, nodes = ?",
            (self.frontier.size, self.frontier.to_bytes()),
        )

    def reload(self) -> None:
        """Forget what a rolled-back transaction appended."""
        self.frontier = _load(self._connection)


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
