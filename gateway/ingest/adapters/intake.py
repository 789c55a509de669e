"""What arrives of third parties, journaled as it came and marked as unsigned."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import structs

from gateway.domain.registry import Device, Registry
from gateway.ingest.adapters.feed import Feed, FeedReader, with_numbers
from gateway.ingest.adapters.port import Unreadable, Uplink
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.wire import Decoded, admit_decoded, decode
from gateway.wire.decoded import AS

LARGEST_BYTES = 65_536
NO_TIME = "no_time"


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """A message from the feeds' broker called ``broker``.

    ``retained``: the broker kept it, so it is old. ``queued``: it waited for us, nobody knows how
    long. ``again``: the broker says that it may have delivered it before.
    """

    arrival: Arrival
    broker: str = ""
    retained: bool = False
    queued: bool = False
    again: bool = False


class FeedIntake:
    """Knows the mapped topics. ``take`` runs inside the journal's transaction."""

    def __init__(self, feeds: Iterable[Feed] = ()) -> None:
        self._readers: dict[tuple[str, str], FeedReader] = {}
        for feed in feeds:
            reader = FeedReader(feed)
            self._readers |= {(feed.broker, topic): reader for topic in feed.topics}
        self._keyed: tuple[Registry | None, frozenset[str]] = (None, frozenset())

    def device_of(self, delivered: FeedMessage) -> str:
        """The device that a mapped topic belongs to, or an empty text."""
        reader = self._readers.get((delivered.broker, delivered.arrival.topic))
        return reader.feed.device if reader else ""

    def take(self, delivered: FeedMessage, journal: Journal, registry: Registry) -> None:
        """Journal one message, or count why not."""
        reader = self._readers.get((delivered.broker, delivered.arrival.topic))
        device = registry.device(self.device_of(delivered))
        if (
            reader is None
            or device is None
            or not self._may(device, registry, delivered.arrival.received)
        ):
            journal.refuse(delivered.arrival, "feed_refused")
        elif delivered.retained:
            journal.counters.add("feed_retained")
        elif len(delivered.arrival.payload) > LARGEST_BYTES:
            journal.refuse(delivered.arrival, "feed_unreadable")
        else:
            self._read(delivered, reader, device, journal)

    def _read(
        self, delivered: FeedMessage, reader: FeedReader, device: Device, journal: Journal
    ) -> None:
        try:
            said, uplink = reader.read(
                delivered.arrival.topic, delivered.arrival.payload, delivered.arrival.received
            )
        except Unreadable:
            journal.refuse(delivered.arrival, "feed_unreadable")
            return
        body = delivered.arrival.topic.encode("ascii") + b"\n" + delivered.arrival.payload
        if delivered.again and journal.messages.is_recent(device.id, body):
            journal.counters.add("duplicate")
            return
        entry = journal.last_id + 1
        translated = with_numbers(said, entry)
        identity = _identity(uplink, delivered.arrival.topic) or translated
        decoded = structs.replace(
            decode(translated, device=device.id, feed=True), auth="unsigned", old=None
        )
        lines = {"auth": "unsigned"}
        if delivered.queued and not reader.feed.adapter.tells_time:
            decoded = _untimed(decoded)
        else:
            lines[AS] = translated.decode("ascii")
        journal.messages.accept(delivered.arrival, admit_decoded(device, identity, decoded), lines)

    def _may(self, device: Device, registry: Registry, at: float) -> bool:
        """An unsigned device of the registry, in a tank that no device with a key measures."""
        if device.revoked or not device.unsigned:
            return False
        if self._keyed[0] is not registry:
            rows = [r[-1] for r in registry.devices.values()]
            keyed = (registry.tank_of(r.id, at) for r in rows if not (r.unsigned or r.revoked))
            self._keyed = (registry, frozenset(tank for tank in keyed if tank))
        return registry.tank_of(device.id, at) not in self._keyed[1]


def _identity(uplink: Uplink, topic: str) -> bytes | None:
    """What a redelivery repeats; the topic belongs to it, since two may say the same."""
    return topic.encode("ascii") + b"\n" + uplink.identity if uplink.identity else None


def _untimed(decoded: Decoded) -> Decoded:
    """Kept, but from when it is nobody knows: an old level is never shown as the present one."""
    return structs.replace(decoded, sealed=None, flag=NO_TIME)
