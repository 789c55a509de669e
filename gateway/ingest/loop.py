"""The gateway's main loop: read the broker's session, commit, acknowledge, and do the chores."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.ingest.acks import Acks
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Ingest, Item
from gateway.ingest.chores import CHORE_S, Chores
from gateway.ingest.commit_queue import CommitQueue, PendingBatch
from gateway.mqtt.publish_queue import PublishQueue
from gateway.mqtt.session import Session
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

BUSY_MESSAGES = 256
"""In one batch: more arrive than commits one after the other can save."""


@dataclass
class IngestLoop:
    """Runs on one thread, the only one that writes the journal, until ``stopping`` is set.

    ``republish`` has the live topics published again; ``journal_grew`` wakes the consumers of the
    journal and carries whether ingest is busy.
    """

    session: Session
    feeds: Feeds
    ingest: Ingest
    commits: CommitQueue
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
            if arrived or self.commits.is_empty:
                self.journal_grew.set_busy(len(arrived) >= BUSY_MESSAGES)
            self._journal(arrived)
            acks_wait = self.acks.publish_due()
            self._publish()
            self.chores.status.announce_ready()
        self._acknowledge_saved()
        self.journal_grew.set_busy(False)
        self.acks.publish_due()
        self.session.close()
        self.chores.stop()
        self.journal_grew.notify()

    def _journal(self, arrived: Sequence[Item]) -> None:
        """Journal what arrived in one commit.

        While ingest is busy, another thread saves the batch, and this one reads, admits and judges
        the next.
        """
        admitted = self.ingest.admit(arrived)
        busy = self.journal_grew.busy
        self._acknowledge_saved(unsaved=1 if busy and arrived else 0)
        fed = self.feeds.take()
        items: list[Item] = [*arrived, *fed]
        now = self.clock.now()
        self._note_progress(now if items else None)
        if items:
            admitted += [None] * len(fed)
            batch = PendingBatch(items, admitted, self.session.receipts(), now, fed=bool(fed))
            if busy and not fed:
                self.commits.submit(batch, self.session.wake)
            else:
                self.commits.submit(batch)
                self._acknowledge_saved()

    def _acknowledge_saved(self, unsaved: int = 0) -> None:
        """Acknowledge saved batches to broker and devices; leaves at most ``unsaved`` pending."""
        for batch in self.commits.saved(unsaved):
            self.session.acknowledge(batch.receipts)
            if batch.fed:
                self.feeds.acknowledge()
            self.acks.add(batch.eras, batch.last_id)
            self._note_progress(None)
            self.journal_grew.notify()

    def _note_progress(self, batch_since: float | None) -> None:
        self.acks.note_progress(self.session.listening, self.commits.since or batch_since)

    def _publish(self) -> None:
        """Publish what the acks, the chores and other threads have for the broker."""
        waiting = self.publications.take()  # while the broker is away, they are dropped
        if self.session.connected:
            if self.session.fresh and self.session.drained:
                self._acknowledge_saved()
                self.session.fresh = False
                self.acks.publish_all()
                self.chores.commands.publish_all()
            if not self._was_connected:
                self.republish()
            for publication in (*waiting, *self.chores.commands.take()):
                self.session.publish(publication)
            self.session.flush()
        self._was_connected = self.session.connected
