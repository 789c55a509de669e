"""The messages in the journal's entries that count as readings."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from gateway import wire
from gateway.domain.entry import Entry
from gateway.domain.inputs import Auth
from gateway.domain.message import Message
from gateway.projections.runner import JournalSource


class CountedMessage(NamedTuple):
    """One decoded message of the journal that is no fork."""

    message: Message
    received: float
    auth: Auth


class EntrySource(JournalSource, Protocol):
    """A journal that also finds entries by time and by boot."""

    def received_at(self, entry: int) -> float | None:
        """When an entry was received (Unix s)."""
        ...

    def boot_entries(self, device: str, era: str, boot: int, after: int = 0) -> list[Entry]:
        """The messages of one boot after entry ``after``, without forks."""
        ...


def counted_messages(entries: Iterable[Entry]) -> Iterator[CountedMessage]:
    """Decodable messages; a fork is evidence of a cloned device, never a reading."""
    for entry in entries:
        if entry.kind == "msg" and entry.verdict != "fork":
            decoded = wire.message_of(entry)
            if decoded.message is not None:
                yield CountedMessage(decoded.message, entry.received, decoded.auth)


def entry_before(journal: EntrySource, received: float, last: int) -> int:
    """An entry (or 0) before the first one received at or after ``received``, by bisection."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        at = journal.received_at(middle + 1)
        if at is not None and at < received:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1)
