"""One batch of arrivals: admitted, then journaled in one transaction; the acks it calls for."""

from collections.abc import Iterable, Sequence

from gateway.domain.registry import Registry
from gateway.ingest.adapters.intake import FeedIntake, FeedMessage
from gateway.journal.eras import Era
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.mqtt.publish_queue import Publication, ack_of
from gateway.mqtt.session import BrokerEvent
from gateway.wire import Admitted, Refusal, admit

Item = Arrival | BrokerEvent | FeedMessage
Admission = Admitted | Refusal | None
"""Of an item; None where it needs none, or where the device probably exceeds its rate."""


class Ingest:
    """Admits and journals batches. ``registry`` may be replaced between batches."""

    def __init__(
        self, journal: Journal, registry: Registry, feeds: FeedIntake | None = None
    ) -> None:
        self._journal = journal
        self._feeds = feeds or FeedIntake()
        self.registry = registry

    def admit(self, batch: Sequence[Item]) -> list[Admission]:
        """Check each message's topic, device and MAC."""
        speakers, floods = self.registry.speakers, self._journal.messages.floods
        admitted: list[Admission] = []
        for item in batch:
            if not isinstance(item, Arrival):
                admitted.append(None)
                continue
            device = speakers.get(item.topic)
            if device is not None and floods(device.id, item.received):
                admitted.append(None)  # saves checking the MAC; `journal` decides
            else:
                admitted.append(admit(item.topic, item.payload, self.registry))
        return admitted

    def journal(self, batch: Sequence[Item], admitted: Sequence[Admission]) -> list[Era]:
        """Journal a batch, in order, in one transaction; returns the eras that need an ack.

        Each era comes once, and a device's last message's era last. Raises JournalError with
        nothing of the batch kept.
        """
        with self._journal.transaction():
            for item, one in zip(batch, admitted, strict=True):
                if isinstance(item, Arrival):
                    if one is not None or not self._is_flood(item):
                        self._journal_message(item, one)
                elif isinstance(item, BrokerEvent):
                    self._journal.log.append_fact("run", item.received, {"run": item.run})
                else:
                    self._feeds.journal_message(item, self._journal, self.registry)
            return self._journal.eras.unsaved()

    def has_unknown_device(self, batch: Sequence[Item], admitted: Sequence[Admission]) -> bool:
        """Whether the registry, perhaps outdated, lacks a device of the batch or its key."""
        return any(
            self.registry.device(self._feeds.device_of(item)) is None
            if isinstance(item, FeedMessage)
            else one == "unknown_device" or (isinstance(one, Admitted) and one.is_unverified)
            for item, one in zip(batch, admitted, strict=True)
        )

    def acks(self, eras: Iterable[Era], now: float) -> list[Publication]:
        """The sealed acks of these eras, except of devices that have no valid key."""
        registry = self.registry
        acks = (ack_of(registry, era.device, era.era, era.line.end, now) for era in eras)
        return [ack for ack in acks if ack is not None]

    def all_acks(self, now: float) -> list[Publication]:
        """The acks of all eras in the journal; each device's last message's era last."""
        return self.acks(self._journal.eras.all(), now)

    def _is_flood(self, item: Arrival) -> bool:
        device = self.registry.speakers.get(item.topic)
        return device is not None and self._journal.messages.drop_flood(device.id, item.received)

    def _journal_message(self, item: Arrival, admitted: Admission) -> None:
        if admitted is None:  # the device's rate has recovered since `admit`
            admitted = admit(item.topic, item.payload, self.registry)
        if isinstance(admitted, Admitted):
            messages, device = self._journal.messages, admitted.device.id
            if messages.accept_next(item, admitted):
                return
            if messages.drop_flood(device, item.received):
                return
            messages.accept(item, admitted)
            return
        known = None if admitted == "unknown_device" else item.topic.split("/")[2]
        self._journal.refuse(item, admitted, known)
