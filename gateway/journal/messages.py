"""Journals authentic messages by their verdict (``domain.verdict``), and moves the ack lines."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple, get_args

from gateway.domain.chain import Identity
from gateway.domain.inputs import Auth
from gateway.domain.rate_limit import RateLimiter
from gateway.domain.verdict import STORED, MessageIdentity, MessageKey, Verdict, judge
from gateway.journal import recent_bodies
from gateway.journal.counters import Counters
from gateway.journal.eras import Era, Eras
from gateway.journal.log import EntryMark, Log
from gateway.journal.pending_index import PendingIndex
from gateway.wire import FEED_ERA, Admitted

_STORED: Mapping[Auth, EntryMark] = {
    auth: EntryMark("stored", None, auth, STORED.is_newest) for auth in get_args(Auth)
}
_SAME_OBJECT = (
    "SELECT 1 FROM message INDEXED BY message_object WHERE device = ? AND hash = ?"
    " AND (boot IS NULL OR era = 'unsigned')"
)
_SAME_IDENTITY = (
    "SELECT 1 FROM message INDEXED BY message_identity"
    " WHERE device = ? AND era = ? AND boot = ? AND seq = ?"
)
_SAME_PREV = "SELECT 1 FROM message INDEXED BY message_prev WHERE device = ? AND prev = ?"


class Arrival(NamedTuple):
    """A payload as it came; ``received`` in Unix s."""

    topic: str
    payload: bytes
    received: float


class Messages:
    """Journals messages inside the caller's transaction."""

    def __init__(
        self, database: sqlite3.Connection, log: Log, eras: Eras, counters: Counters
    ) -> None:
        self._database = database
        self._log = log
        self._eras = eras
        self._counters = counters
        self._index = PendingIndex(database)
        self._known = _JournaledMessages(database, eras)
        self._limiter = RateLimiter()
        self.reload()

    def reload(self) -> None:
        """Load the committed state: at the start, and after a rollback."""
        self._index.reload()
        self._limiter.undo()

    def save(self) -> None:
        """Write the changes since the last call."""
        self._index.save()

    def settle(self) -> None:
        """The transaction is committed."""
        self._limiter.settle()

    def floods(self, device: str, received: float) -> bool:
        """Whether a message of this device, received then, exceeds the device's rate limit."""
        return self._limiter.floods(device, received)

    def drop_flood(self, device: str, received: float) -> bool:
        """As ``floods``; counts the message, which the caller drops unread."""
        if not self._limiter.floods(device, received):
            return False
        self._counters.add("flood")
        self._counters.mark("flood", device, received)
        return True

    def accept_next(self, arrival: Arrival, admitted: Admitted) -> bool:
        """Journal a message that extends its device's line, as nearly all do, without a query.

        False where a query is needed: ``accept`` returns the same verdict, three times slower
        (22 to 66 us of CPU a message at 1,000 devices). ``test_verdict`` compares the two.
        """
        decoded, device, received = admitted.decoded, admitted.device.id, arrival.received
        identity, prev = decoded.identity, decoded.prev
        if not prev or identity is None or decoded.flag is not None:
            return False
        if self.floods(device, received):
            return False
        found = self._eras.extended(device, identity, prev, decoded.old, admitted.link)
        if found is None:
            return False
        body = b"%b\n%b" % (arrival.topic.encode("ascii"), arrival.payload)
        entry = self._log.append("msg", received, device, body, None, _STORED[decoded.auth])
        self._index.add((entry, device, *identity, admitted.digest, prev, False))
        self._counters.add("stored")
        self._limiter.spend(device, received, len(body))
        era, line = found
        self._eras.touch(era, identity[1:], line)
        return True

    def accept(
        self, arrival: Arrival, admitted: Admitted, lines: Mapping[str, str] | None = None
    ) -> Era | None:
        """Journal an authentic message unless it is a duplicate; ``lines`` go into its leaf.

        Returns the era whose ack is due: the message's, or the device's last where the identity is
        unreadable; None where the device has no era.
        """
        self._index.file()  # the queries of the verdict must find every message so far
        message = admitted.key
        verdict = judge(message, self._known)
        self._counters.add(verdict.name)
        if verdict.name == "duplicate":
            return self._repeat_ack(message)
        return self._journal(arrival, admitted, lines, message, verdict)

    def is_recent(self, device: str, body: bytes) -> bool:
        """Whether one of the device's last messages had exactly this body (topic LF payload)."""
        self._index.file()
        self._log.flush()
        return body in recent_bodies.bodies(self._database, device)

    def _repeat_ack(self, message: MessageKey) -> Era | None:
        device, identity = message.device, message.identity
        era = self._eras.get(device, identity[0]) if identity else self._eras.last_of(device)
        return era and self._eras.touch(era)

    def _journal(
        self,
        arrival: Arrival,
        admitted: Admitted,
        lines: Mapping[str, str] | None,
        message: MessageKey,
        verdict: Verdict,
    ) -> Era | None:
        device, identity, flag = message.device, message.identity, message.flag
        era = self._eras.begun(device, identity[0]) if identity else None
        self._limiter.spend(device, arrival.received, len(arrival.payload))
        self._mark(device, verdict, arrival.received)
        is_fork = verdict.name == "fork"
        entry = self._log.append(
            "fork" if is_fork else "msg",
            arrival.received,
            device,
            arrival.topic.encode("ascii") + b"\n" + arrival.payload,
            {**(lines or {}), "flag": flag} if flag else lines,
            EntryMark(verdict.name, flag, admitted.decoded.auth, verdict.is_newest),
        )
        row = (entry, device, *(identity or (None,) * 3), message.hash, message.prev, is_fork)
        self._database.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        if era is None or identity is None:
            last = self._eras.last_of(device)
            return last and self._eras.touch(last._replace(loose=last.loose + 1))
        moved, gap = era._replace(loose=era.loose + 1), False
        if verdict.extends_line:
            moved, gap = self._eras.advanced(era, message.old, identity[1:])
        if gap:
            self._counters.mark("gap", device, arrival.received)
        newest = identity[1:] if verdict.is_newest else era.newest
        return self._eras.touch(moved._replace(first=era.first or entry, newest=newest))

    def _mark(self, device: str, verdict: Verdict, received: float) -> None:
        """Count what a coordinator has to know of a device: forks, flags, a further era."""
        if verdict.name in ("fork", "flagged"):
            self._counters.mark(verdict.name, device, received)
        elif verdict.new_era and self._eras.last_of(device) is not None:
            self._counters.mark("era", device, received)


class _JournaledMessages:
    """``domain.verdict.KnownMessages`` of one journal, once all pending rows are filed."""

    def __init__(self, database: sqlite3.Connection, eras: Eras) -> None:
        self._database = database
        self._eras = eras

    def has_object(self, message: MessageKey) -> bool:
        identity = message.identity
        if identity is None or identity[0] == FEED_ERA:
            return self._has(_SAME_OBJECT, message.device, message.hash)
        # The same OBJECT has the same identity.
        same = _SAME_IDENTITY + " AND hash = ?"
        return self._has(same, message.device, *identity, message.hash)

    def has_identity(self, device: str, identity: MessageIdentity) -> bool:
        return self._has(_SAME_IDENTITY, device, *identity)

    def has_prev(self, device: str, prev: str) -> bool:
        return self._has(_SAME_PREV, device, prev)

    def newest(self, device: str, era: str) -> Identity | None:
        found = self._eras.get(device, era)
        return found.newest if found.first else None

    def _has(self, sql: str, *values: str | int | bytes) -> bool:
        return self._database.execute(sql, values).fetchone() is not None
