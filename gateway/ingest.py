"""Ingest: one batch of what arrived, admitted, journaled in one commit, then acknowledged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.domain import envelope
from gateway.domain.registry import Registry
from gateway.journal.eras import Era
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.wire import Admitted, admit


@dataclass(frozen=True, slots=True)
class Change:
    """Our own ears changed: ``run`` is ``start stop heartbeat broker_lost broker_back …``."""

    run: str
    received: float


@dataclass(frozen=True, slots=True)
class Ack:
    """What to publish, retained, for a device."""

    topic: str
    payload: bytes
    device: str
    era: str


class Ingest:
    """Turns batches into commits. ``registry`` may be replaced between batches."""

    def __init__(self, journal: Journal, registry: Registry) -> None:
        self._journal = journal
        self.registry = registry

    def commit(self, batch: Sequence[Arrival | Change], now: float) -> list[Ack]:
        """Journal a batch, in order, in one transaction; returns the acks that are then due.

        At most one for each device and era, the last message's era last. ``now`` is Unix s.
        Raises JournalError with nothing of the batch kept.
        """
        due: dict[tuple[str, str], Era] = {}
        with self._journal.transaction():
            for item in batch:
                if isinstance(item, Change):
                    self._journal.log.append_fact("run", item.received, {"run": item.run})
                    continue
                era = self._take(item)
                if era is not None:
                    due.pop((era.device, era.era), None)  # so that the last one stands last
                    due[era.device, era.era] = era
        return self._acks(due.values(), now)

    def strangers(self, batch: Sequence[Arrival | Change]) -> bool:
        """Whether a device speaks that the registry does not know: it may be older than that."""
        return any(
            isinstance(item, Arrival) and self.registry.device(_device_of(item.topic)) is None
            for item in batch
        )

    def all_acks(self, now: float) -> list[Ack]:
        """Every ack again, from the database; each device's last message's era last."""
        return self._acks(self._journal.eras.all(), now)

    def _take(self, arrival: Arrival) -> Era | None:
        device = _device_of(arrival.topic)
        if self._journal.messages.is_flood(device, arrival.received):
            return None
        newest_key = self._journal.messages.newest_key(device)
        admitted = admit(arrival.topic, arrival.payload, self.registry, newest_key)
        if isinstance(admitted, Admitted):
            return self._journal.messages.accept(arrival, admitted)
        self._journal.refuse(arrival, admitted)
        return None

    def _acks(self, eras: Iterable[Era], now: float) -> list[Ack]:
        acks: list[Ack] = []
        for era in eras:
            device = self.registry.device(era.device)
            if device is None or device.key is None or device.revoked:
                continue
            end, topic = era.line.end, envelope.ack_topic(era.device)
            said = envelope.ack_object(era.era, *end.place, end.h, int(now))
            sealed = envelope.seal(device.key, topic, said)
            acks.append(Ack(topic, sealed, era.device, era.era))
        return acks


def _device_of(topic: str) -> str:
    """The third level of a topic; ``admit`` judges whether it is one."""
    return topic.split("/", 3)[2] if topic.count("/") == 3 else ""
