"""Registers this gateway's entries: a unique row for each message, and the shared ack lines.

Its cursor in the journal is saved in the same transaction, so that after a crash the next start
registers the rest. An ack is published only after that. While PostgreSQL is away, journaling
continues and the acks wait.
"""

import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from gateway.cluster import tables
from gateway.cluster.verdicts import SharedMessages, message_key
from gateway.domain.entry import Entry
from gateway.domain.verdict import MessageKey, VerdictName
from gateway.errors import JournalError
from gateway.journal import counters
from gateway.journal.reader import JournalReader
from gateway.projections.watch.inputs import REGISTRY_KINDS
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker

_log = logging.getLogger(__name__)

NAME = "registrar"
_FACTS = (*REGISTRY_KINDS, "op")
"""The facts that the watch uses; ``ListeningFlag`` reports when this gateway listened."""
BATCH = 2000
BEAT_S = 0.25
SETTLE_S = 0.3
"""The longest time from the receipt of a batch's first message to the start of its commit."""
_COUNT_S = 5.0
_LONGEST_WAIT_S = 2.0  # acks wait for it


@dataclass
class ListeningFlag:
    """The state of the ingest thread, read by the registrar's."""

    listening: bool = False
    """Subscribed, and the broker's queue has drained."""
    committing_since: float | None = None
    """When the running commit began (Unix s); None between commits."""


class Registrar:
    """One thread. ``due`` orders acks, those for duplicates too, which bring no entry."""

    def __init__(
        self,
        engine: sa.Engine,
        journal: Callable[[], JournalReader],
        gateway: str,
        wake: Wakeup,
        clock: Clock,
        flag: ListeningFlag,
    ) -> None:
        self._engine = engine
        self._open = journal
        self._gateway = gateway
        self._clock = clock
        self._flag = flag
        self._due: deque[tuple[str, str, int]] = deque()
        self._at = -1
        self._since: float | None = None
        self._counts: dict[str, dict[str, int]] = {}
        self._counted = float("-inf")
        self._loop = Worker(NAME, self.turn, wake, longest_wait_s=_LONGEST_WAIT_S)

    def start(self) -> None:
        """Start the thread. Raises JournalError where the database knows another journal."""
        with closing(self._open()) as journal, self._engine.begin() as connection:
            self._check(connection, journal)
        self._loop.start()

    def stop(self) -> None:
        """Register all entries, mark this gateway as not listening, and end."""
        self._flag.listening = False
        self._loop.stop()
        try:
            while self.turn() == 0.0:
                pass
            with self._engine.begin() as connection:
                mine = tables.member.c.gateway == self._gateway
                connection.execute(sa.update(tables.member).where(mine).values(until=tables.NEVER))
        except OperationalError as error:
            _log.warning("the rest is registered at the next start: %s", error)

    def due(self, device: str, era: str, entry: int) -> None:
        """From any thread: an ack of this era is due once ``entry`` of the journal is registered.

        A new message orders its own ack, so this has an effect for duplicates only.
        """
        self._due.append((device, era, entry))

    def turn(self) -> float:
        """Register a batch and the progress; returns the wait in real s."""
        if self._at < 0:
            self._at = self._cursor()
        now = self._clock.now()
        # Read before the journal: the running commit may not be in it.
        until = min(now, self._flag.committing_since or now) - SETTLE_S * self._clock.speed
        with closing(self._open()) as journal:
            entries = journal.entries(self._at, BATCH)
            span = (entries[0].id, entries[-1].id) if entries else (0, 0)
            facts, hashes = journal.fact_keys(*span), journal.hashes(*span)
            self._count(journal, now)
        end = entries[-1].id if entries else self._at
        new = [e for e in entries if e.kind in ("msg", "fork", *_FACTS)]
        # Decoded before the lock: all gateways wait for it.
        messages = {e.id: message_key(e, hashes[e.id]) for e in new if e.kind not in _FACTS}
        due = self._due_until(end)
        try:
            with self._engine.begin() as connection:
                if new or due:
                    _register(connection, self._gateway, messages, new, facts, due)
                waiting = len(entries) == BATCH
                until = entries[-1].received if waiting else until
                self._save(connection, end, until, waiting)
        except BaseException:
            self._due.extendleft(reversed(due))
            self._at = -1  # it may have committed: read the cursor again
            raise
        self._at = end
        return 0.0 if waiting else BEAT_S

    def _due_until(self, end: int) -> list[tuple[str, str, int]]:
        due: list[tuple[str, str, int]] = []
        while self._due and self._due[0][2] <= end:
            due.append(self._due.popleft())
        return due

    def _count(self, journal: JournalReader, now: float) -> None:
        if abs(now - self._counted) >= _COUNT_S * self._clock.speed:
            counts = counters.status(journal.counts())
            counts["journal"]["leaves"] = journal.last_id()
            self._counts = counts
            self._counted = now

    def _save(self, connection: sa.Connection, end: int, until: float, waiting: bool) -> None:
        """Save the cursor, and since when this gateway listens."""
        self._since = (self._since or until) if self._flag.listening else None
        mine = sa.and_(tables.member.c.gateway == self._gateway, tables.member.c.entry == self._at)
        values = {"until": until, "entry": end, "waiting": waiting, "since": self._since}
        update = sa.update(tables.member).where(mine).values(**values, counts=self._counts)
        if connection.execute(update).rowcount != 1:
            raise JournalError(
                f"gateway_id = {self._gateway!r}: another gateway registers under this name: "
                "give each its own gateway_id"
            )

    def _cursor(self) -> int:
        query = sa.select(tables.member.c.entry).where(tables.member.c.gateway == self._gateway)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def _check(self, connection: sa.Connection, journal: JournalReader) -> None:
        """Insert this gateway's row at its first start; refuse another journal under its name."""
        first = journal.entries(0, 1)
        log = hashlib.sha256(first[0].body).hexdigest() if first else ""
        mine = tables.member.c.gateway == self._gateway
        row = connection.execute(sa.select(tables.member).where(mine)).first()
        fresh: dict[str, object] = {"until": 0.0, "waiting": True, "since": None}
        if row is None:
            more: dict[str, object] = {"log": log, "entry": 0, "counts": {}}
            new = sa.insert(tables.member).values(gateway=self._gateway, **fresh, **more)
            connection.execute(new)
            return
        if row.log != log or row.entry > journal.last_id():
            raise JournalError(
                f"gateway_id = {self._gateway!r}: the shared database knows another journal under "
                "this name (another gateway's, or this one before a restore): choose a new "
                "gateway_id; known messages are not counted twice"
            )
        connection.execute(sa.update(tables.member).where(mine).values(fresh))


def _register(
    connection: sa.Connection, gateway: str, messages: Mapping[int, MessageKey],
    entries: Sequence[Entry], facts: Mapping[int, str], due: Sequence[tuple[str, str, int]],
) -> None:  # fmt: skip
    """Judge every message over all journals, move the lines, write all rows.

    ``messages`` has the keys of those ``entries`` that are messages, by id.
    """
    # Locked until the commit, so that no other gateway judges or assigns versions.
    head = connection.execute(sa.select(tables.head).with_for_update()).one()
    version, counts = head.version, Counter[str](head.counts)
    shared = SharedMessages(connection, list(messages.values()), {d for d, _, _ in due})
    rows: list[dict[str, object]] = []
    for entry in entries:
        key = messages.get(entry.id)
        if key is None:
            rows.append(_row(gateway, entry) | {"fact": facts.get(entry.id)})
            continue
        verdict = shared.register(key)
        counts[verdict] += 1
        version += 1
        shared.mark_due(key.device, key.identity[0] if key.identity else None, version)
        if verdict != "duplicate":
            rows.append(_row(gateway, entry) | _columns(key, verdict) | {"auth": entry.auth})
    latest = dict.fromkeys((d, e) for d, e, _ in reversed(due))
    for device, era in reversed(latest):  # a device's last message's era last
        if (device, era) not in shared.changed:
            version += 1
            shared.mark_due(device, era, version)
    if rows:
        connection.execute(insert(tables.entry).on_conflict_do_nothing(), rows)
    shared.save()
    connection.execute(sa.update(tables.head).values(version=version, counts=dict(counts)))


def _row(gateway: str, entry: Entry) -> dict[str, object]:
    return {
        "gateway": gateway, "entry": entry.id, "received": entry.received, "kind": entry.kind,
        "subject": entry.subject, "body": entry.body, "lines": dict(entry.lines), "verdict": None,
        "flag": None, "auth": None, "newest": False, "era": None, "boot": None, "seq": None,
        "hash": None, "prev": None, "fact": None,
    }  # fmt: skip


def _columns(key: MessageKey, verdict: VerdictName) -> dict[str, object]:
    era, boot, seq = key.identity or (None, None, None)
    return {
        "kind": "fork" if verdict == "fork" else "msg", "verdict": verdict, "flag": key.flag,
        "newest": verdict == "stored", "era": era, "boot": boot, "seq": seq, "hash": key.hash,
        "prev": key.prev,
    }  # fmt: skip
