"""The gateway's main loop: hear the broker, commit, acknowledge, and do what is due."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.database import heartbeat
from gateway.devices import anomalies
from gateway.devices.planned_moves import PlannedMoves
from gateway.devices.publisher import DownPublisher
from gateway.devices.resend import ResendOrders
from gateway.errors import JournalError
from gateway.ingest import pending_facts
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Ack, Ingest, Item
from gateway.ingest.commit_queue import CommitQueue, PendingBatch
from gateway.journal.diary import Diary
from gateway.journal.eras import Era
from gateway.journal.failure_file import FailureFile
from gateway.journal.writer import Journal
from gateway.mqtt.publish_queue import Publication, PublishQueue
from gateway.mqtt.session import Session
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.select_wakeup import SelectWakeup
from gateway.runtime.wakeup import Wakeup

if TYPE_CHECKING:
    from gateway.program.cluster import ClusterLink

_log = logging.getLogger(__name__)

CHORE_S = 0.125
"""One of four things to do in so long: each twice a second."""
PRESSED_MESSAGES = 256
"""So many in one batch: more comes than commits can take one by one."""
ANSWER_S = 0.3
"""So long acks may wait; a node waits for its own 2 s (DESIGN.md, *The node*)."""


@dataclass
class IngestLoop:
    """Runs on one thread, the only one that writes the journal. ``stopping`` ends ``run``."""

    session: Session
    bell: SelectWakeup
    feeds: Feeds
    ingest: Ingest
    journal: Journal
    diary: Diary
    outgoing: PublishQueue
    republish: Callable[[], None]
    downs: DownPublisher
    resending: ResendOrders
    planned: PlannedMoves
    engine: sa.Engine
    wake: Wakeup
    clock: Clock
    gateway: str
    broker: str
    trouble: FailureFile
    shared: "ClusterLink | None" = None
    stopping: bool = False
    _said_ready: bool = False
    _registry_version: int = -1
    _poll_at: float = 0.0
    _next_chore: int = -1
    _renew_at: float = 0.0
    _was_ready: bool = False
    _told_all: bool = False
    _was_connected: bool = False
    _feeds_were: dict[str, bool] | None = None
    _orders: list[Publication] = field(default_factory=list[Publication])
    _committing: CommitQueue = field(init=False)
    _due: dict[tuple[str, str], Era] = field(default_factory=dict[tuple[str, str], Era])
    _due_id: int = 0
    _answer_at: float = 0.0

    def __post_init__(self) -> None:
        self._committing = CommitQueue(
            self.ingest, self.journal, self.trouble,
            self._prepare, self._acknowledge, lambda: self.stopping,
        )  # fmt: skip

    def run(self) -> None:
        """Listen until ``stopping``; journals the start and the stop."""
        self.diary.start(self.clock.now(), self._steady())
        self.wake.notify()
        while not self.stopping:
            self._chores()
            heard = self.session.turn(0.0 if self._due else CHORE_S)
            if heard or self._committing.idle:
                self.wake.press(len(heard) >= PRESSED_MESSAGES)
            self._take(heard)
            self._answer_due()
            self._speak()
        self._committing.settle()
        self.wake.press(False)
        self._answer_due()
        self.session.close()
        try:
            self.diary.stop(self.clock.now())
            self._say_alive(connected=False)
        except (JournalError, OperationalError) as error:
            _log.error("our own stop is not journaled: %s", error)
        self.wake.notify()

    def _take(self, heard: Sequence[Item]) -> None:
        """Journal what came, in one commit.

        While more comes than commits can take one by one, another thread saves a batch, and the
        next one is read, admitted and judged meanwhile.
        """
        admitted = self.ingest.admit(heard)
        pressed = self.wake.pressed
        self._committing.settle(leave=1 if pressed and heard else 0)
        fed = self.feeds.take()
        batch: list[Item] = [*heard, *fed]
        if self.shared:
            listening = self.session.ready and self.session.drained
            self.shared.hears(listening, self.clock.now() if batch else None)
        if batch:
            admitted += [None] * len(fed)
            saving = PendingBatch(batch, admitted, self.session.receipts(), fed=bool(fed))
            self._committing.commit(saving, self.bell.ring if pressed and not fed else None)

    def _prepare(self, saving: PendingBatch) -> None:
        self._meet_strangers(saving)
        self.diary.note_step(self.clock.now(), self._steady())

    def _acknowledge(self, saving: PendingBatch) -> None:
        """A batch is saved: its messages need not come again."""
        self.session.acknowledge(saving.receipts)
        if saving.fed:
            self.feeds.acknowledge()
        self.wake.notify()
        for era in saving.due:
            self._due.pop(key := (era.device, era.era), None)
            self._due[key] = era  # the last message's era last
        self._due_id = saving.last_id

    def _answer_due(self) -> None:
        """Acks wait a little while ingest is pressed: one then covers what came meanwhile."""
        if self._due and not (self.wake.pressed and time.monotonic() < self._answer_at):
            self._answer(self.ingest.acks(self._due.values(), self.clock.now()))
            self._due.clear()
            self._answer_at = time.monotonic() + ANSWER_S

    def _answer(self, acks: list[Ack]) -> None:
        if self.shared:
            self.shared.due(acks, self._due_id)
            return
        for ack in acks:
            self.session.publish(Publication(ack.topic, ack.payload, retain=True))

    def _speak(self) -> None:
        """Send what the broker should hold for others."""
        waiting = self.outgoing.take()
        if self.session.connected:
            if self.session.fresh and self.session.drained:
                self._committing.settle()
                self.session.fresh = False
                if self.shared:
                    self.shared.again()
                else:
                    self._answer(self.ingest.all_acks(self.clock.now()))
                self._due.clear()
                self.downs.forget()
            if not self._was_connected:
                self.republish()
            for publication in (*waiting, *self._orders):
                self.session.publish(publication)
            self._orders = []
            self.session.flush()
        self._was_connected = self.session.connected
        if self.session.ready and not self._said_ready:
            self._said_ready = True
            self._say_alive(connected=True)
            print("ready", file=sys.stderr, flush=True)

    def _say_alive(self, *, connected: bool) -> None:
        """At the beginning and the end, which a database that is away shall not hold up."""
        try:
            heartbeat.renew(self.engine, self.gateway, connected=connected, broker=self.broker)
        except OperationalError as error:
            _log.warning("the database was not told whether we listen: %s", error)

    def _chores(self) -> None:
        """Each twice a second, one at a time: what comes meanwhile waits for one, not for all."""
        if time.monotonic() < self._poll_at:
            return
        chores = (self._reload_registry, self._write_diary, self._say_how_it_is, self._tell_devices)
        self._poll_at = time.monotonic() + CHORE_S
        self._next_chore = (self._next_chore + 1) % len(chores)
        try:
            chores[self._next_chore]()
        except (OperationalError, JournalError) as error:
            _log.warning("not done, trying again: %s", error)

    def _write_diary(self) -> None:
        grew = False
        if self.shared is None or self.shared.holds:  # a fact is journaled by one gateway
            grew = pending_facts.journal_pending(self.engine, self.journal) > 0
        if self.diary.write_due(self.clock.now(), self._steady()) or grew:
            self.wake.notify()

    def _say_how_it_is(self) -> None:
        """Our rows for ``noria status`` and for the coordinator."""
        self._renew()
        self._renew_feeds()

    def _meet_strangers(self, saving: PendingBatch) -> None:
        """They may have been enrolled a moment before our look."""
        if not self.ingest.strangers(saving.items, saving.admitted):
            return
        before = self.ingest.registry
        try:
            self._reload_registry()
        except OperationalError as error:
            if self.shared is None:
                raise
            # Journaling goes on without PostgreSQL: a device it knows speaks again for its ack.
            _log.warning("devices unknown so far are refused meanwhile: %s", error)
        if self.ingest.registry is not before:
            saving.admitted = self.ingest.admit(saving.items)

    def _tell_devices(self) -> None:
        """What they should do, on ``down``: of several gateways, the one that holds the watch."""
        if not self.session.connected or self.session.fresh:
            return
        if self.shared is None or self.shared.holds:
            self.resending.turn(self.journal.eras, self.ingest.registry, self.clock.now())
            self.planned.turn(self.ingest.registry, self.clock.now())
            self._orders += self.downs.due(self.ingest.registry)

    def _reload_registry(self) -> None:
        version = rows.version(self.engine)
        if version != self._registry_version:
            self.ingest.registry = rows.load(self.engine)
            self._registry_version = version

    def _renew(self) -> None:
        ready = self.session.ready
        if ready != self._was_ready or time.monotonic() >= self._renew_at:
            self._was_ready = ready
            self._renew_at = time.monotonic() + heartbeat.RENEW_S
            marks = self.journal.counters.marks(self._told_all)
            if self.shared:  # what is missing here, another has heard
                marks = [mark for mark in marks if mark.what != "gap"]
            anomalies.save(self.engine, self.gateway, marks)
            self._told_all = True
            heartbeat.renew(self.engine, self.gateway, connected=ready, broker=self.broker)

    def _renew_feeds(self) -> None:
        if self.feeds.connected != self._feeds_were:
            self._feeds_were = self.feeds.connected
            heartbeat.renew_feeds(self.engine, self.gateway, self._feeds_were)

    def _steady(self) -> float:
        """Seconds that no step of the wall clock moves, at the clock's speed."""
        return time.monotonic() * self.clock.speed
