"""The gateway's main loop: read the broker's session, commit, acknowledge, and do the chores."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.ingest.acks import Acks
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Item
from gateway.ingest.chores import CHORE_S, Chores
from gateway.ingest.commits import Commits
from gateway.journal.writer import Journal
from gateway.mqtt.publish_queue import PublishQueue
from gateway.mqtt.session import Session
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

BUSY_MESSAGES = 256
"""In one batch: ingest is at its limit."""


@dataclass
class IngestLoop:
    """Runs on one thread, the only one that writes the journal, until ``stopping`` is set.

    ``republish`` has the live topics published again; ``journal_grew`` wakes the consumers of the
    journal and carries whether ingest is busy.
    """

    session: Session
    feeds: Feeds
    journal: Journal
    commits: Commits
    acks: Acks
    chores: Chores
    publications: PublishQueue
    republish: Callable[[], None]
    journal_grew: Wakeup
    clock: Clock
    stopping: threading.Event
    _was_connected: bool = False

    def run(self) -> None:
        """Run until ``stopping``; journals the start and the stop. Raises JournalError."""
        self.chores.records.start()
        acks_wait = False
        while not self.stopping.is_set():
            self.chores.run_next()
            arrived = self.session.receive(0.0 if acks_wait else CHORE_S)
            self.journal_grew.set_busy(len(arrived) >= BUSY_MESSAGES)
            self._journal(arrived)
            acks_wait = self.acks.publish_due()
            self._publish()
            self.chores.status.announce_ready()
        self.journal_grew.set_busy(False)
        self.acks.publish_due()
        self.session.close()
        self.chores.stop()
        self.journal_grew.notify()

    def _journal(self, arrived: Sequence[Item]) -> None:
        """Journal what arrived in one commit, then acknowledge it to brokers and devices."""
        fed = self.feeds.take()
        batch: list[Item] = [*arrived, *fed]
        self.acks.note_progress(self.session.listening, self.clock.now() if batch else None)
        if not batch:
            return
        receipts = self.session.receipts()
        eras = self.commits.commit(batch)
        if eras is None:
            return
        self.session.acknowledge(receipts)
        if fed:
            self.feeds.acknowledge()
        self.acks.add(eras, self.journal.last_id)
        self.acks.note_progress(self.session.listening, None)
        self.journal_grew.notify()

    def _publish(self) -> None:
        """Publish what the acks, the chores and other threads have for the broker."""
        waiting = self.publications.take()  # while the broker is away, they are dropped
        if self.session.connected:
            if self.session.fresh and self.session.drained:
                self.session.fresh = False
                self.acks.publish_all()
                self.chores.commands.publish_all()
            if not self._was_connected:
                self.republish()
            for publication in (*waiting, *self.chores.commands.take()):
                self.session.publish(publication)
            self.session.flush()
        self._was_connected = self.session.connected
