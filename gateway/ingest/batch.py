"""Ingest: one batch of what arrived, admitted, journaled in one commit, then acknowledged."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.domain import envelope
from gateway.domain.registry import Registry
from gateway.ingest.adapters.intake import FeedIntake, FeedMessage
from gateway.journal.eras import Era
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.mqtt.broker_event import BrokerEvent
from gateway.wire import Admitted, Refusal, admit

Item = Arrival | BrokerEvent | FeedMessage
Admission = Admitted | Refusal | None
"""Of an item; None where it needs none, or is likely one of a flood."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What to publish, retained, for a device."""

    topic: str
    payload: bytes
    device: str
    era: str


class Ingest:
    """Turns batches into commits. ``registry`` may be replaced between batches."""

    def __init__(
        self, journal: Journal, registry: Registry, feeds: FeedIntake | None = None
    ) -> None:
        self._journal = journal
        self._feeds = feeds or FeedIntake()
        self.registry = registry

    def commit(self, batch: Sequence[Item], now: float) -> list[Ack]:
        """Journal a batch, in order, in one transaction; returns the acks that are then due.

        At most one for each device and era, the last message's era last. ``now`` is Unix s.
        Raises JournalError with nothing of the batch kept.
        """
        return self.acks(self.take(batch, self.admit(batch)), now)

    def admit(self, batch: Sequence[Item]) -> list[Admission]:
        """Who of these may speak. Nothing of the journal is read: it may be saving meanwhile."""
        speakers, floods = self.registry.speakers, self._journal.messages.floods
        admitted: list[Admission] = []
        for item in batch:
            if not isinstance(item, Arrival):
                admitted.append(None)
                continue
            device = speakers.get(item.topic)
            if device is not None and floods(device.id, item.received):
                admitted.append(None)  # most likely at its turn too: `take` asks again
            else:
                admitted.append(admit(item.topic, item.payload, self.registry))
        return admitted

    def take(
        self,
        batch: Sequence[Item],
        admitted: Sequence[Admission],
        then: Callable[[], None] | None = None,
    ) -> list[Era]:
        """Journal a batch in one transaction; returns the eras whose acks are due once it is saved.

        ``then`` as ``Journal.transaction`` has it. Raises JournalError with nothing kept.
        """
        messages = self._journal.messages
        with self._journal.transaction(then):
            messages.expect([one for one in admitted if isinstance(one, Admitted)])
            for item, one in zip(batch, admitted, strict=True):
                if not isinstance(item, Arrival):
                    self._note(item)
                elif one is not None or not self._is_flood(item):
                    self._take(item, one)
            return self._journal.eras.unsaved()

    def strangers(self, batch: Sequence[Item], admitted: Sequence[Admission]) -> bool:
        """Whether the registry lacks a device that speaks, or the key of one that signs.

        It may be older than that.
        """
        return any(
            self.registry.device(self._feeds.device_of(item)) is None
            if isinstance(item, FeedMessage)
            else one == "unknown_device" or (isinstance(one, Admitted) and one.is_unjudged)
            for item, one in zip(batch, admitted, strict=True)
        )

    def all_acks(self, now: float) -> list[Ack]:
        """Every ack again, from the database; each device's last message's era last."""
        return self.acks(self._journal.eras.all(), now)

    def _note(self, item: BrokerEvent | FeedMessage) -> None:
        if isinstance(item, BrokerEvent):
            self._journal.log.append_fact("run", item.received, {"run": item.run})
        else:
            self._feeds.take(item, self._journal, self.registry)

    def _is_flood(self, item: Arrival) -> bool:
        device = self.registry.speakers.get(item.topic)
        return device is not None and self._journal.messages.is_flood(device.id, item.received)

    def _take(self, item: Arrival, admitted: Admission) -> None:
        if admitted is None:  # what came after it in time has given this device room again
            admitted = admit(item.topic, item.payload, self.registry)
        if isinstance(admitted, Admitted):
            # Judged here, in order: a message before this one may have brought a newer key.
            messages, device = self._journal.messages, admitted.device.id
            if messages.follow(item, admitted):
                return
            if messages.is_flood(device, item.received):
                return
            if not admitted.is_older_than(messages.newest_key(device)):
                messages.accept(item, admitted)
                return
            admitted = "old_key"
        self._journal.refuse(item, admitted)

    def acks(self, eras: Iterable[Era], now: float) -> list[Ack]:
        """What to say of these eras, whose messages are saved."""
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
