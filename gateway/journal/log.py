"""The log: entries and their leaves, appended inside the caller's transaction."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from gateway.domain import leaf, merkle
from gateway.domain.inputs import Auth
from gateway.domain.merkle import Frontier
from gateway.domain.verdict import VerdictName
from gateway.journal.integrity.startup_check import former_leaves, saved_frontier
from gateway.journal.integrity.witness import LogMark

_MILESTONE = 1 << 16
"""Leaves between two frontiers that are kept, from which ``startup_check`` may begin."""
_SALTS_AT_ONCE = 256
_ADD_ENTRY = (
    "INSERT INTO entry (id, time_ms, kind, subject, leaf, verdict, flag, auth, newest)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class EntryMark(NamedTuple):
    """What an entry records of its message beside the leaf."""

    verdict: VerdictName | None = None
    flag: str | None = None
    auth: Auth | None = None
    newest: bool = False


_NO_MARK = EntryMark()


class Log:
    """Appends leaves and keeps the frontier, written in the same transaction.

    ``frontier`` is the last saved one; of the leaves appended since, only the number is known.
    """

    def __init__(self, database: sqlite3.Connection, gateway: str) -> None:
        self._database = database
        self._gateway = gateway
        self._salts: list[bytes] = []
        self.reload()
        found = database.execute("SELECT time_ms FROM entry ORDER BY id DESC LIMIT 1").fetchone()
        self._last_ms: int = found[0] if found else 0

    def append(
        self,
        kind: str,
        received: float,
        subject: str,
        body: bytes,
        lines: Mapping[str, str] | None = None,
        mark: EntryMark = _NO_MARK,
    ) -> int:
        """Append one entry and its leaf; returns the entry's id. ``received``: Unix s."""
        # Never decreases: readers and replay rely on it, and a step of the clock has its own entry.
        time_ms = int(received * 1000)
        if time_ms < self._last_ms:
            time_ms = self._last_ms
        salt = self._salt()
        text = leaf.text(kind, time_ms, self._gateway, subject, leaf.commit(salt, body), lines)
        self._last_ms = time_ms
        self._hashes.append(merkle.leaf_hash(text))
        self._size += 1
        entry = self._former + self._size
        self._entries.append((entry, time_ms, kind, subject, text, *mark))
        self._bodies.append((entry, salt, body))
        return entry

    def _salt(self) -> bytes:
        """32 random bytes, drawn many at once: the system call costs more than the bytes."""
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
        """The newest entry's id, 0 when there is none; includes former logs' leaves."""
        return self._former + self._size

    @property
    def seen(self) -> LogMark:
        """The last saved state of the log."""
        return LogMark(self.origin, self.frontier)

    def holds(self, seen: LogMark) -> bool:
        """Whether this log, or a former one that it names, extends what was seen."""
        if seen.origin != self.origin:
            named = "SELECT 1 FROM former_log WHERE origin = ? AND shown >= ?"
            of = (seen.origin, seen.frontier.size)
            return self._database.execute(named, of).fetchone() is not None
        grown = seen.frontier
        rows = self._database.execute(
            "SELECT CAST(leaf AS BLOB) FROM entry WHERE id > ? ORDER BY id",
            (self._former + grown.size,),
        )
        for (text,) in rows:
            grown = grown.grown(merkle.leaf_hash(text))
        return grown == self.frontier

    def begin_again(self, seen: LogMark) -> None:
        """Begin a new log at the next leaf; this one, and what was ``seen``, become former."""
        add = "INSERT OR REPLACE INTO former_log VALUES (?, ?, ?)"
        size = self.frontier.size
        if seen.origin == self.origin:
            self._database.execute(add, (seen.origin, size, max(size, seen.frontier.size)))
        else:
            self._database.execute(add, (seen.origin, 0, seen.frontier.size))
            if size:
                self._database.execute(add, (self.origin, size, size))
        self.frontier, self._former, self.origin = Frontier(), self._former + size, ""
        self._size = 0

    def save(self) -> None:
        """Write what was appended since the last call, and the frontier."""
        self.flush()
        state = (self.frontier.size, self.frontier.to_bytes())
        self._database.execute("UPDATE frontier SET size = ?, nodes = ?", state)
        if self.last_id - self._milestone >= _MILESTONE:
            self._milestone = self.last_id
            self._database.execute("INSERT INTO milestone VALUES (?, ?, ?)", (self.last_id, *state))

    def flush(self) -> None:
        """Write what was appended so far, for queries inside the transaction."""
        self._database.executemany(_ADD_ENTRY, self._entries)
        self._database.executemany("INSERT INTO body VALUES (?, ?, ?)", self._bodies)
        self.frontier = self.frontier.grown(*self._hashes)
        self._forget()

    def reload(self) -> None:
        """Load the committed state: at the start, and after a rollback."""
        self._forget()
        self.frontier = saved_frontier(self._database)
        self._size = self.frontier.size
        self._former = former_leaves(self._database)
        newest = "SELECT coalesce(max(entry), 0) FROM milestone"
        self._milestone: int = self._database.execute(newest).fetchone()[0]
        self.origin = _origin(self._database, self._former + 1)

    def _forget(self) -> None:
        self._hashes: list[bytes] = []
        self._entries: list[tuple[str | int | bytes | None, ...]] = []
        self._bodies: list[tuple[int, bytes, bytes]] = []


def _origin(connection: sqlite3.Connection, first: int) -> str:
    """The origin in a log's first leaf, ``open``; empty where there is none."""
    row = connection.execute(
        "SELECT body FROM entry JOIN body ON entry.id = body.entry WHERE id = ? AND kind = 'open'",
        (first,),
    ).fetchone()
    return json.loads(row[0])["origin"] if row else ""
