"""A batch journaled without the gateway's loop."""

from collections.abc import Sequence

from gateway.ingest.batch import Ingest, Item
from gateway.mqtt.publish_queue import Publication


def commit(ingest: Ingest, batch: Sequence[Item], now: float) -> list[Publication]:
    """Admit and journal a batch; returns its acks. ``now`` is Unix s."""
    return ingest.acks(ingest.journal(batch, ingest.admit(batch)), now)
