"""Journals the messages of third-party sensors as they came, marked as unsigned."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import structs

from gateway.domain.registry import Device, Registry
from gateway.ingest.adapters.feed import FROM_SENDER, Feed, FeedReader, with_numbers
from gateway.ingest.adapters.formats import Unreadable
from gateway.ingest.adapters.problems import FeedProblems
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.wire import admit_decoded, decode
from gateway.wire.decoded import AS

LARGEST_BYTES = 65_536
NO_TIME = "no_time"


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """A message from the broker with the id ``broker``.

    ``retained``: the broker kept it, so it is old. ``queued``: it waited at the broker, for an
    unknown time. ``again``: the broker may have delivered it before.
    """

    arrival: Arrival
    broker: str = ""
    retained: bool = False
    queued: bool = False
    again: bool = False


class FeedIntake:
    """Journals the messages of mapped topics."""

    def __init__(self, feeds: Iterable[Feed] = ()) -> None:
        self.problems = FeedProblems()
        self._readers: dict[tuple[str, str], FeedReader] = {}
        for feed in feeds:
            reader = FeedReader(feed)
            self._readers |= {(feed.broker, topic): reader for topic in feed.topics}
        self._keyed: tuple[Registry | None, frozenset[str]] = (None, frozenset())

    def device_of(self, message: FeedMessage) -> str:
        """The id of the device of a mapped topic, or an empty text."""
        reader = self._readers.get((message.broker, message.arrival.topic))
        return reader.feed.device if reader else ""

    def journal_message(self, message: FeedMessage, journal: Journal, registry: Registry) -> None:
        """Journal one message, or count its refusal; inside a transaction of the journal."""
        arrival = message.arrival
        reader = self._readers.get((message.broker, arrival.topic))
        device = registry.device(self.device_of(message))
        if (
            reader is None or device is None
            or not self._is_allowed(device, registry, arrival.received)
        ):  # fmt: skip
            journal.refuse(arrival, "feed_refused")
        elif message.retained:
            journal.counters.add("feed_retained")
        elif len(arrival.payload) > LARGEST_BYTES:
            reason = f"{len(arrival.payload)} bytes are too many"
            self._refuse(arrival, reader.feed, reason, journal)
        else:
            self._read(message, reader, device, journal)

    def _read(
        self, message: FeedMessage, reader: FeedReader, device: Device, journal: Journal
    ) -> None:
        arrival = message.arrival
        try:
            fields, uplink = reader.read(arrival.topic, arrival.payload, arrival.received)
        except Unreadable as error:
            self._refuse(arrival, reader.feed, str(error), journal)
            return
        if fields["r"]:
            self.problems.note(device.id, uplink.problem, arrival.received, reader.feed.every_s)
        topic = arrival.topic.encode("ascii")
        if message.again and journal.messages.is_recent(device.id, topic + b"\n" + arrival.payload):
            journal.counters.add("duplicate")
            return
        translated = with_numbers(fields, journal.last_id + 1)
        # Two topics may repeat the same bytes, so the topic is part of the identity.
        repeated = uplink.identified(arrival.received)
        identity = topic + b"\n" + repeated if repeated else translated
        decoded = structs.replace(
            decode(translated, device=device.id, feed=True), auth="unsigned", old=None
        )
        lines = {"auth": "unsigned"}
        if message.queued and fields["ts"] != FROM_SENDER:
            # An old level of unknown age must never appear as the present one.
            decoded = structs.replace(decoded, message=None, flag=NO_TIME)
        else:
            lines[AS] = translated.decode("ascii")
        journal.messages.accept(arrival, admit_decoded(device, identity, decoded), lines)

    def _refuse(self, arrival: Arrival, feed: Feed, reason: str, journal: Journal) -> None:
        journal.refuse(arrival, "feed_unreadable")
        self.problems.note(feed.device, reason, arrival.received, feed.every_s)

    def _is_allowed(self, device: Device, registry: Registry, at: float) -> bool:
        """Whether it is an unsigned device in a tank that no device with a key measures."""
        if device.revoked or not device.unsigned:
            return False
        if self._keyed[0] is not registry:
            rows = [r[-1] for r in registry.devices.values()]
            keyed = (registry.tank_of(r.id, at) for r in rows if not (r.unsigned or r.revoked))
            self._keyed = (registry, frozenset(tank for tank in keyed if tank))
        return registry.tank_of(device.id, at) not in self._keyed[1]
