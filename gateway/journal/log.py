"""The log: entries and their leaves, appended inside the caller's transaction."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from gateway.domain import leaf, merkle
from gateway.domain.heard import Auth
from gateway.domain.merkle import Frontier
from gateway.journal import bulk
from gateway.journal.entry import Verdict
from gateway.journal.verifying import former_leaves, saved_frontier
from gateway.journal.witness import Seen

_MILESTONE = 1 << 16
"""So many leaves lie between two frontiers that are kept (``verifying``)."""
_SALTS_AT_ONCE = 256
_INTO_ENTRY = "INSERT INTO entry (id, time_ms, kind, subject, leaf, verdict, flag, auth, newest)"


class Judged(NamedTuple):
    """What the gateway made of a message, kept with its entry."""

    verdict: Verdict
    flag: str | None
    auth: Auth
    newest: bool


_NOT_JUDGED = (None, None, None, False)


class Log:
    """Appends leaves and keeps the running frontier; ``save`` writes it in the same transaction."""

    def __init__(self, connection: sqlite3.Connection, gateway: str) -> None:
        self._connection = connection
        self._gateway = gateway
        self._hashes: list[bytes] = []
        self._entries: list[bulk.Row] = []
        self._bodies: list[bulk.Row] = []
        self._salts: list[bytes] = []
        self.reload()
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
        time_ms = int(received * 1000)
        if time_ms < self._last_ms:
            time_ms = self._last_ms
        salt = self._salt()
        text = leaf.text(kind, time_ms, self._gateway, subject, leaf.commit(salt, body), lines)
        self._last_ms = time_ms
        self._hashes.append(merkle.leaf_hash(text))
        entry = self.last_id
        self._entries.append((entry, time_ms, kind, subject, text, *(judged or _NOT_JUDGED)))
        self._bodies.append((entry, salt, body))
        return entry

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

    @property
    def last_id(self) -> int:
        """The newest entry's id, 0 when there is none: former logs' leaves count."""
        return self._former + self.frontier.size + len(self._hashes)

    @property
    def seen(self) -> Seen:
        """The log as it stands."""
        return Seen(self.origin, self.frontier)

    def holds(self, seen: Seen) -> bool:
        """Whether this log, or one that it names, goes on from what was seen."""
        if seen.origin != self.origin:
            named = "SELECT 1 FROM former_log WHERE origin = ? AND shown >= ?"
            of = (seen.origin, seen.frontier.size)
            return self._connection.execute(named, of).fetchone() is not None
        grown = seen.frontier
        rows = self._connection.execute(
            "SELECT CAST(leaf AS BLOB) FROM entry WHERE id > ? ORDER BY id",
            (self._former + grown.size,),
        )
        for (text,) in rows:
            grown = grown.grown(merkle.leaf_hash(text))
        return grown == self.frontier

    def begin_again(self, seen: Seen) -> None:
        """A new log from the next leaf on; the one so far, and what was ``seen``, are former."""
        add = "INSERT OR REPLACE INTO former_log VALUES (?, ?, ?)"
        held = self.frontier.size
        if seen.origin == self.origin:
            self._connection.execute(add, (seen.origin, held, max(held, seen.frontier.size)))
        else:
            self._connection.execute(add, (seen.origin, 0, seen.frontier.size))
            if held:
                self._connection.execute(add, (self.origin, held, held))
        self.frontier, self._former, self.origin = Frontier(), self._former + held, ""

    def save(self) -> None:
        """Write what was appended and the frontier, before the transaction's commit."""
        self.flush()
        self._connection.execute(
            "UPDATE frontier SET size = ?, nodes = ?",
            (self.frontier.size, self.frontier.to_bytes()),
        )
        if self.last_id - self._milestone >= _MILESTONE:
            self._milestone = self.last_id
            stands = (self._milestone, self.frontier.size, self.frontier.to_bytes())
            self._connection.execute("INSERT INTO milestone VALUES (?, ?, ?)", stands)

    def flush(self) -> None:
        """Write what was appended so far, for whoever asks the tables inside the transaction."""
        bulk.insert(self._connection, _INTO_ENTRY, self._entries)
        bulk.insert(self._connection, "INSERT INTO body", self._bodies)
        self.frontier = self.frontier.grown(*self._hashes)
        self._forget()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        self._forget()
        self.frontier = saved_frontier(self._connection)
        self._former = former_leaves(self._connection)
        newest = "SELECT coalesce(max(entry), 0) FROM milestone"
        self._milestone: int = self._connection.execute(newest).fetchone()[0]
        self.origin = _origin(self._connection, self._former + 1)

    def _forget(self) -> None:
        self._hashes.clear()
        self._entries.clear()
        self._bodies.clear()


def _origin(connection: sqlite3.Connection, first: int) -> str:
    """The origin that a log's first leaf, ``open``, gives it; empty where there is none."""
    row = connection.execute(
        "SELECT body FROM entry JOIN body ON entry.id = body.entry WHERE id = ? AND kind = 'open'",
        (first,),
    ).fetchone()
    return json.loads(row[0])["origin"] if row else ""
