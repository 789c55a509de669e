"""The gateway's main loop: hear the broker, commit, acknowledge, and do what is due."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway import alive, facts, oddities
from gateway.clock import Clock
from gateway.desired.publishing import Downs
from gateway.errors import JournalError
from gateway.ingest import Ack, Change, Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.mqtt.outgoing import Outgoing, Publication
from gateway.mqtt.session import Session
from gateway.projections.wake import Wake
from gateway.registry import rows
from gateway.sharing.together import Together

_log = logging.getLogger(__name__)

POLL_S = 0.5
_RETRY_S = 1.0


@dataclass
class Listener:
    """Runs on one thread, the only one that writes the journal. ``stopping`` ends ``run``."""

    session: Session
    ingest: Ingest
    journal: Journal
    diary: Diary
    outgoing: Outgoing
    republish: Callable[[], None]
    downs: Downs
    engine: sa.Engine
    wake: Wake
    clock: Clock
    gateway: str
    broker: str
    shared: Together | None = None
    stopping: bool = False
    _said_ready: bool = False
    _registry_version: int = -1
    _poll_at: float = 0.0
    _renew_at: float = 0.0
    _was_ready: bool = False
    _told_all: bool = False
    _was_connected: bool = False
    _told: list[Publication] = field(default_factory=list[Publication])

    def run(self) -> None:
        """Listen until ``stopping``; journals the start and the stop."""
        self.diary.start(self.clock.now(), self._steady())
        self.wake.notify()
        while not self.stopping:
            self._chores()
            batch = self.session.turn(POLL_S)
            if self.shared:
                self.shared.hears(self.session.ready and self.session.drained, batch)
            if batch:
                self._answer(self._commit(batch))
            self._speak()
        self.session.close()
        self.diary.stop(self.clock.now())
        alive.renew(self.engine, self.gateway, connected=False, broker=self.broker)
        self.wake.notify()

    def _commit(self, batch: list[Arrival | Change]) -> list[Ack]:
        """Journal a batch; while the disk refuses, try again and read nothing more."""
        while True:
            try:
                if self.ingest.strangers(batch):
                    self._meet_strangers()
                acks = self.ingest.commit(batch, self.clock.now())
            except (JournalError, OperationalError) as error:
                _log.error("%s; nothing is acknowledged meanwhile; trying again", error)
                if self.stopping:
                    return []
                time.sleep(_RETRY_S)
            else:
                self.session.acknowledge()
                self.wake.notify()
                return acks

    def _answer(self, acks: list[Ack]) -> None:
        if self.shared:
            self.shared.due(acks, self.journal.last_id)
            return
        for ack in acks:
            self.session.publish(Publication(ack.topic, ack.payload, retain=True))

    def _speak(self) -> None:
        """Send what the broker should hold for others."""
        waiting = self.outgoing.take()
        if self.session.connected:
            if self.session.fresh and self.session.drained:
                self.session.fresh = False
                if self.shared:
                    self.shared.again()
                else:
                    self._answer(self.ingest.all_acks(self.clock.now()))
                self.downs.forget()
            if not self._was_connected:
                self.republish()
            for publication in (*waiting, *self._told):
                self.session.publish(publication)
            self._told = []
            self.session.flush()
        self._was_connected = self.session.connected
        if self.session.ready and not self._said_ready:
            self._said_ready = True
            alive.renew(self.engine, self.gateway, connected=True, broker=self.broker)
            print("ready", file=sys.stderr, flush=True)

    def _chores(self) -> None:
        """Twice a second: registry, facts, diary, and our row for ``noria status``."""
        if time.monotonic() < self._poll_at:
            return
        self._poll_at = time.monotonic() + POLL_S
        try:
            self._reload_registry()
            grew = False
            if self.shared is None or self.shared.holds:  # a fact is journaled by one gateway
                grew = facts.journal_pending(self.engine, self.journal) > 0
            grew = self.diary.write_due(self.clock.now(), self._steady()) or grew
            self._renew()
            if self.session.connected and not self.session.fresh:
                self._told += self.downs.due(self.ingest.registry)
        except (OperationalError, JournalError) as error:
            _log.warning("not done, trying again: %s", error)
            return
        if grew:
            self.wake.notify()

    def _meet_strangers(self) -> None:
        """They may have been enrolled at the broker a moment before our look."""
        try:
            self._reload_registry()
        except OperationalError as error:
            if self.shared is None:
                raise
            # Journaling goes on without PostgreSQL: a device it knows speaks again for its ack.
            _log.warning("devices unknown so far are refused meanwhile: %s", error)

    def _reload_registry(self) -> None:
        version = rows.version(self.engine)
        if version != self._registry_version:
            self.ingest.registry = rows.load(self.engine)
            self._registry_version = version

    def _renew(self) -> None:
        ready = self.session.ready
        if ready != self._was_ready or time.monotonic() >= self._renew_at:
            self._was_ready = ready
            self._renew_at = time.monotonic() + alive.RENEW_S
            oddities.tell(self.engine, self.gateway, self.journal.counters.marks(self._told_all))
            self._told_all = True
            alive.renew(self.engine, self.gateway, connected=ready, broker=self.broker)

    def _steady(self) -> float:
        """Seconds that no step of the wall clock moves, at the clock's speed."""
        return time.monotonic() * self.clock.speed
