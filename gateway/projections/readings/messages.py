"""What the journal's entries say of readings: which messages count, and in which parts."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from gateway import wire
from gateway.domain.entry import Entry
from gateway.domain.inputs import Auth, Reading
from gateway.domain.message import Message

_FIRST = 2500  # readings of the first part
_AT_HAND = 64  # entries: each step is made for so many, which a processor's cache holds


class CountedMessage(NamedTuple):
    """One message of the journal that counts."""

    message: Message
    received: float
    auth: Auth


class EntryBatch(NamedTuple):
    """Some entries in a row, and the readings of the messages among them."""

    entries: Sequence[Entry]
    readings: list[Reading]


class EntrySource(Protocol):
    """What reads the journal in order."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``."""
        ...

    def received_at(self, entry: int) -> float | None:
        """When an entry was received (Unix s)."""
        ...


def counted_messages(entries: Iterable[Entry]) -> Iterator[CountedMessage]:
    """Messages that can be read; a fork is evidence of a twin, never a reading."""
    return filter(None, map(message_at, entries))


def message_at(entry: Entry) -> CountedMessage | None:
    """The message of one entry, where it is one that can be read and no fork."""
    if entry.kind != "msg" or entry.verdict == "fork":
        return None
    decoded = wire.message_of(entry)
    message = decoded.message
    return None if message is None else CountedMessage(message, entry.received, decoded.auth)


def entry_batches(
    entries: Sequence[Entry], size: int | None, hear: Callable[[CountedMessage], Sequence[Reading]]
) -> Iterator[EntryBatch]:
    """Entries in parts of about ``size`` readings (None: one part), read as they are needed.

    ``hear`` gives the readings of a message, which is then let go: it is large, and may be read
    again. The first parts are smaller: who keeps them then soon has something to do.
    """
    readings: list[Reading] = []
    begin, at, wanted = 0, 0, sys.maxsize if size is None else min(size, _FIRST)
    while at < len(entries):
        few = entries[at : at + min(_AT_HAND, wanted - len(readings))]
        for one in list(counted_messages(few)):
            readings.extend(hear(one))
        at += len(few)
        if at == len(entries) or len(readings) >= wanted:
            yield EntryBatch(entries[begin:at], readings)
            readings, begin = [], at
            wanted = min(size or wanted, 2 * wanted)


def entry_before(journal: EntrySource, received: float, last: int) -> int:
    """An entry (or 0) before the first one received at or after ``received``: by halving."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        at = journal.received_at(middle + 1)
        if at is not None and at < received:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1)
