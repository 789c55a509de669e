"""Ingest: one batch of what arrived, admitted, journaled in one commit, then acknowledged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.adapters.intake import Delivered, Intake
from gateway.domain import envelope
from gateway.domain.registry import Registry
from gateway.journal.eras import Era
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.wire import Admitted, Refusal, admit


@dataclass(frozen=True, slots=True)
class Change:
    """Our own ears changed: ``run`` is ``start stop heartbeat broker_lost broker_back …``."""

    run: str
    received: float


_Item = Arrival | Delivered | Change


@dataclass(frozen=True, slots=True)
class Ack:
    """What to publish, retained, for a device."""

    topic: str
    payload: bytes
    device: str
    era: str


class Ingest:
    """Turns batches into commits. ``registry`` may be replaced between batches."""

    def __init__(self, journal: Journal, registry: Registry, feeds: Intake | None = None) -> None:
        self._journal = journal
        self._feeds = feeds or Intake()
        self.registry = registry

    def commit(self, batch: Sequence[_Item], now: float) -> list[Ack]:
        """Journal a batch, in order, in one transaction; returns the acks that are then due.

        At most one for each device and era, the last message's era last. ``now`` is Unix s.
        Raises JournalError with nothing of the batch kept.
        """
        due: dict[tuple[str, str], Era] = {}
        with self._journal.transaction():
            items = [self._admitted(item) for item in batch]
            self._journal.messages.expect(a for _, a in items if isinstance(a, Admitted))
            for item, admitted in items:
                era = self._take(item, admitted)
                if era is not None:
                    due.pop((era.device, era.era), None)  # so that the last one stands last
                    due[era.device, era.era] = era
        return self._acks(due.values(), now)

    def strangers(self, batch: Sequence[_Item]) -> bool:
        """Whether a device speaks that the registry does not know: it may be older than that."""
        return any(
            not isinstance(item, Change) and self.registry.device(self._device_of(item)) is None
            for item in batch
        )

    def _device_of(self, arrival: Arrival | Delivered) -> str:
        if isinstance(arrival, Delivered):
            return self._feeds.device_of(arrival)
        return _device_of(arrival.topic)

    def all_acks(self, now: float) -> list[Ack]:
        """Every ack again, from the database; each device's last message's era last."""
        return self._acks(self._journal.eras.all(), now)

    def _admitted(self, item: _Item) -> tuple[_Item, Admitted | Refusal | None]:
        if not isinstance(item, Arrival):
            return item, None
        if self._journal.messages.floods(_device_of(item.topic), item.received):
            return item, None  # most likely at its turn too: `_take` decides
        return item, admit(item.topic, item.payload, self.registry)

    def _take(self, item: _Item, admitted: Admitted | Refusal | None) -> Era | None:
        if isinstance(item, Change):
            self._journal.log.append_fact("run", item.received, {"run": item.run})
            return None
        if isinstance(item, Delivered):
            self._feeds.take(item, self._journal, self.registry)
            return None  # nobody waits for an ack
        if self._journal.messages.is_flood(_device_of(item.topic), item.received):
            return None
        if admitted is None:  # what came after it in time has given this device room again
            admitted = admit(item.topic, item.payload, self.registry)
        if isinstance(admitted, Admitted):
            # Judged here, in order: a message before this one may have brought a newer key.
            messages, device = self._journal.messages, admitted.device.id
            if not admitted.is_older_than(messages.newest_key(device)):
                return messages.accept(item, admitted)
            admitted = "old_key"
        self._journal.refuse(item, admitted)
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
