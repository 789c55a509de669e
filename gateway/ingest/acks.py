"""Acks: what the ingest loop does with the eras whose messages the journal has saved."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.ingest.batch import Ingest
from gateway.journal.eras import Era
from gateway.mqtt.publish_queue import Publication
from gateway.mqtt.session import Session
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

GATHER_S = 0.3
"""Longest wait for an ack while ingest is busy: one ack then covers several batches. A node waits
2 s for its own."""


class Acks(Protocol):
    """Acknowledges messages to their devices; all methods are called on the ingest thread.

    ``LocalAcks`` for a gateway on its own; ``gateway.cluster.ack_requests.AckRequests`` for one
    of several.
    """

    @property
    def is_leader(self) -> bool:
        """Whether this gateway publishes commands and journals queued facts, for all gateways."""
        ...

    def note_progress(self, listening: bool, committing_since: float | None) -> None:
        """Record whether messages reach us, and since when a batch is being saved (Unix s)."""
        ...

    def add(self, eras: Sequence[Era], last_id: int) -> None:
        """Messages of these eras are saved, up to journal entry ``last_id``.

        The era of a device's last message comes last.
        """
        ...

    def publish_due(self) -> bool:
        """Publish the acks that were added, once for each era; whether some still wait."""
        ...

    def publish_all(self) -> None:
        """The broker may have lost the retained acks: publish those of all devices."""
        ...


@dataclass
class LocalAcks:
    """Publishes acks on this gateway's own session, for the only journal there is."""

    session: Session
    ingest: Ingest
    clock: Clock
    journal_grew: Wakeup
    is_leader: bool = True
    _due: dict[tuple[str, str], Era] = field(default_factory=dict[tuple[str, str], Era])
    _gather_until: float = 0.0

    def note_progress(self, listening: bool, committing_since: float | None) -> None:
        """No other gateway needs to know."""

    def add(self, eras: Sequence[Era], last_id: int) -> None:
        """Keep the newest state of each era until ``publish_due``."""
        for era in eras:
            self._due.pop(key := (era.device, era.era), None)
            self._due[key] = era

    def publish_due(self) -> bool:
        """Publish what is due; while ingest is busy, at most every ``GATHER_S``."""
        if self._due and not (self.journal_grew.busy and time.monotonic() < self._gather_until):
            self._publish(self.ingest.acks(self._due.values(), self.clock.now()))
            self._gather_until = time.monotonic() + GATHER_S
        return bool(self._due)

    def publish_all(self) -> None:
        """Publish the acks of all eras of the journal."""
        self._publish(self.ingest.all_acks(self.clock.now()))

    def _publish(self, acks: Sequence[Publication]) -> None:
        for ack in acks:
            self.session.publish(ack)
        self._due.clear()
