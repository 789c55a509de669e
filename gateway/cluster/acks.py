"""Publishes the acks of all devices, from the leader only.

Two publishers, or two connections, could let an older ack reach the broker after a newer one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.cluster.verdicts import shared_era_of
from gateway.domain.registry import Registry
from gateway.mqtt.publish_queue import ack_of
from gateway.runtime.clock import Clock

NAME = "acks"
POLL_S = 0.1
_MOST = 2000
"""Acks in one turn: fewer than ``mqtt.publish_queue`` keeps before it drops the oldest."""

Publish = Callable[[str, bytes, bool], None]


@dataclass
class ClusterAcks:
    """A ``Worker`` runs its ``turn``. ``registry`` returns the rows in force."""

    engine: sa.Engine
    publish: Publish
    clock: Clock
    registry: Callable[[], Registry]
    _version: int = 0
    _again: threading.Event = field(default_factory=threading.Event)

    def again(self) -> None:
        """From any thread: the broker may have lost its retained acks; publish all again."""
        self._again.set()

    def turn(self) -> float:
        """Publish what changed, the era of a device's last message last; returns the wait in s."""
        if self._again.is_set():
            self._again.clear()
            self._version = 0
        c = tables.era.c
        query = sa.select(tables.era).where(c.version > self._version)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(c.version).limit(_MOST)).all()
        registry = self.registry() if rows else Registry()
        for row in rows:
            end = shared_era_of(row).line.end
            ack = ack_of(registry, row.device, row.era, end, self.clock.now())
            if ack is not None:
                self.publish(ack.topic, ack.payload, True)
            self._version = row.version
        return 0.0 if len(rows) == _MOST else POLL_S
