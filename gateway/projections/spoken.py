"""What the journal's entries say of readings: which messages count, and in which parts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from gateway import wire
from gateway.domain.heard import Auth
from gateway.domain.message import Message
from gateway.journal.entry import Entry


class Spoken(NamedTuple):
    """One message of the journal that counts."""

    message: Message
    received: float
    auth: Auth


class Part(NamedTuple):
    """Some entries in a row: the first's and the last's id, and the messages among them."""

    first: int
    last: int
    spoken: list[Spoken]


class Entries(Protocol):
    """What reads the journal in order."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``."""
        ...

    def received_at(self, entry: int) -> float | None:
        """When an entry was received (Unix s)."""
        ...


def spoken(entries: Iterable[Entry]) -> Iterator[Spoken]:
    """Messages that can be read; a fork is evidence of a twin, never a reading."""
    for entry in entries:
        if entry.kind != "msg" or entry.verdict == "fork":
            continue
        decoded = wire.message_of(entry)
        if decoded.message is not None:
            yield Spoken(decoded.message, entry.received, decoded.auth)


def parts(entries: Sequence[Entry], size: int | None) -> Iterator[Part]:
    """Entries in parts of about ``size`` readings (None: one part), decoded as they are needed."""
    said: list[Spoken] = []
    first, number = entries[0].id, 0
    for entry in entries:
        for one in spoken((entry,)):
            said.append(one)
            number += len(one.message.readings)
        if entry is entries[-1] or (size is not None and number >= size):
            yield Part(first, entry.id, said)
            said, first, number = [], entry.id + 1, 0


def entry_before(journal: Entries, received: float, last: int) -> int:
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
