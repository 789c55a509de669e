"""The periodic work of the ingest thread, one chore at a time between two batches."""

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.database import feed_problems, heartbeat
from gateway.devices import anomalies
from gateway.devices.planned_moves import PlannedMoves
from gateway.devices.publisher import DownPublisher
from gateway.devices.resend import ResendOrders
from gateway.errors import JournalError
from gateway.ingest import pending_facts
from gateway.ingest.acks import Acks
from gateway.ingest.adapters.problems import FeedProblems
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Admission, Ingest, Item
from gateway.journal.diary import Diary
from gateway.journal.writer import Journal
from gateway.mqtt.publish_queue import Publication
from gateway.mqtt.session import Session
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

_log = logging.getLogger(__name__)

CHORE_S = 0.125
"""Between two chores: each of the four is done twice a second."""


@dataclass
class RegistryReload:
    """Keeps ``ingest.registry`` up to date with the database."""

    engine: sa.Engine
    ingest: Ingest
    is_only_gateway: bool
    _version: int = -1

    def run(self) -> None:
        """Load the registry when it has changed. Raises OperationalError."""
        version = rows.version(self.engine)
        if version != self._version:
            self.ingest.registry = rows.load(self.engine)
            self._version = version

    def readmit(self, batch: Sequence[Item], admitted: Sequence[Admission]) -> Sequence[Admission]:
        """Admit a batch with unknown devices again: they may have been enrolled just now.

        Raises OperationalError where the only gateway cannot read the registry: the batch then
        waits. One of several goes on journaling without PostgreSQL and refuses unknown devices,
        which send again as they receive no ack.
        """
        if not self.ingest.has_unknown_device(batch, admitted):
            return admitted
        before = self.ingest.registry
        try:
            self.run()
        except OperationalError as error:
            if self.is_only_gateway:
                raise
            _log.warning("the registry cannot be read, unknown devices are refused: %s", error)
        return admitted if self.ingest.registry is before else self.ingest.admit(batch)


@dataclass
class JournalRecords:
    """Journals the gateway's own records (``Diary``) and the facts that other processes queued."""

    engine: sa.Engine
    journal: Journal
    diary: Diary
    acks: Acks
    clock: Clock
    journal_grew: Wakeup

    def run(self) -> None:
        """Journal what is due. Raises OperationalError or JournalError."""
        grew = False
        if self.acks.is_leader:  # one gateway journals a fact
            grew = pending_facts.journal_pending(self.engine, self.journal) > 0
        if self.diary.write_due(self.clock.now(), self._steady_s()) or grew:
            self.journal_grew.notify()

    def start(self) -> None:
        """Journal that the gateway starts to listen. Raises JournalError."""
        self.diary.start(self.clock.now(), self._steady_s())
        self.journal_grew.notify()

    def stop(self) -> None:
        """Journal that the gateway stops listening. Raises JournalError."""
        self.diary.stop(self.clock.now())

    def note_step(self) -> None:
        """Journal a step of the wall clock, before the messages received after it."""
        self.diary.note_step(self.clock.now(), self._steady_s())

    def _steady_s(self) -> float:
        """Seconds at the clock's speed that no step of the wall clock changes."""
        return time.monotonic() * self.clock.speed


@dataclass
class StatusRows:
    """Keeps this gateway's database rows for ``noria status`` and the coordinator's pages."""

    engine: sa.Engine
    gateway_id: str
    broker: str
    journal: Journal
    session: Session
    feeds: Feeds
    problems: FeedProblems
    is_only_gateway: bool
    _renew_at: float = 0.0
    _was_ready: bool = False
    _has_announced: bool = False
    _has_saved_all_marks: bool = False
    _saved_feeds: dict[str, bool] | None = None
    _saved_problems: int = -1  # those of the gateway's last run are deleted

    def run(self) -> None:
        """Write the rows that changed or that are due. Raises OperationalError."""
        ready = self.session.ready
        if ready != self._was_ready or time.monotonic() >= self._renew_at:
            self._was_ready = ready
            self._renew_at = time.monotonic() + heartbeat.RENEW_S
            marks = self.journal.counters.marks(self._has_saved_all_marks)
            if not self.is_only_gateway:  # another gateway has received what is missing here
                marks = [mark for mark in marks if mark.what != "gap"]
            anomalies.save(self.engine, self.gateway_id, marks)
            self._has_saved_all_marks = True
            self._renew_heartbeat(connected=ready)
        if self.feeds.connected != self._saved_feeds:
            self._saved_feeds = self.feeds.connected
            heartbeat.renew_feeds(self.engine, self.gateway_id, self._saved_feeds)
        if self.problems.changes != self._saved_problems:
            self._saved_problems = self.problems.changes
            feed_problems.replace(self.engine, self.gateway_id, self.problems.found)

    def announce_ready(self) -> None:
        """Print ``ready`` once, when the broker has first let us subscribe."""
        if self.session.ready and not self._has_announced:
            self._has_announced = True
            self.try_renew(connected=True)
            print("ready", file=sys.stderr, flush=True)

    def try_renew(self, *, connected: bool) -> None:
        """Renew the heartbeat; without a database, start and stop go on."""
        try:
            self._renew_heartbeat(connected=connected)
        except OperationalError as error:
            _log.warning("the heartbeat in the database is not renewed: %s", error)

    def _renew_heartbeat(self, *, connected: bool) -> None:
        heartbeat.renew(self.engine, self.gateway_id, connected=connected, broker=self.broker)


@dataclass
class DeviceCommands:
    """Collects what to publish on ``down`` for devices; of several gateways, the leader does."""

    engine: sa.Engine
    journal: Journal
    ingest: Ingest
    session: Session
    acks: Acks
    clock: Clock
    tls_port: int | None = None
    _waiting: list[Publication] = field(default_factory=list[Publication])

    def __post_init__(self) -> None:
        self._published = DownPublisher(self.engine, self.tls_port)
        self._resend = ResendOrders(self.engine)
        self._moves = PlannedMoves(self.engine)

    def run(self) -> None:
        """Turn resends and planned moves into commands; collect all that changed.

        Raises OperationalError.
        """
        if not self.session.connected or self.session.fresh or not self.acks.is_leader:
            return
        registry, now = self.ingest.registry, self.clock.now()
        self._resend.turn(self.journal.eras, registry, now)
        self._moves.turn(registry, now)
        self._waiting += self._published.due(registry)

    def take(self) -> list[Publication]:
        """The publications collected since the last call, in order."""
        taken, self._waiting = self._waiting, []
        return taken

    def publish_all(self) -> None:
        """The broker may have lost what it retained: collect everything again."""
        self._published.forget()


@dataclass
class Chores:
    """The four chores. ``run_next`` does one of them, so that messages wait for one at most."""

    registry: RegistryReload
    records: JournalRecords
    status: StatusRows
    commands: DeviceCommands
    _next: int = 0
    _due_at: float = 0.0

    def run_next(self) -> None:
        """Run the next chore when ``CHORE_S`` have passed; one that fails comes round again."""
        if time.monotonic() < self._due_at:
            return
        chores = (self.registry, self.records, self.status, self.commands)
        chore = chores[self._next % len(chores)]
        self._due_at = time.monotonic() + CHORE_S
        self._next += 1
        try:
            chore.run()
        except (OperationalError, JournalError) as error:
            _log.warning("%s failed, trying again: %s", type(chore).__name__, error)

    def prepare(self, batch: Sequence[Item], admitted: Sequence[Admission]) -> Sequence[Admission]:
        """``commits.Prepare``: look for unknown devices again, and journal a step of the clock."""
        admitted = self.registry.readmit(batch, admitted)
        self.records.note_step()
        return admitted

    def stop(self) -> None:
        """Record the stop of the gateway, as far as disk and database allow it."""
        try:
            self.records.stop()
            self.status.try_renew(connected=False)
        except (JournalError, OperationalError) as error:
            _log.error("the stop of the gateway is not journaled: %s", error)
