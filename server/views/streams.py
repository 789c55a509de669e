"""The open live streams: whose each is, how many there may be, and how one ends."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from server.accounts.people import Person

PER_SESSION = 4
"""Over HTTP/1.1 a browser opens six connections to a server; two are left to load pages."""
PER_PERSON = 6
MOST = 300
_QUEUE = 100


@dataclass(frozen=True, slots=True)
class Change:
    """The result of one poll; ``version`` grows with every change."""

    version: int
    tanks: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    renewed: bool = False


class End(Enum):
    """Why the server ends a stream; pages read the value."""

    REPLACED = "replaced"
    """The person has opened newer ones: this one does not come back until it is looked at."""
    SESSION = "session"
    """The session is over, or the account was closed or has another role."""
    LEFT_BEHIND = "left behind"
    """The page stopped reading; it reconnects."""
    STOPPING = "stopping"


@dataclass(eq=False)
class Stream:
    """One open page. ``session``: the hash of its session's token."""

    session: str
    person: Person
    ended: End | None = None
    _queue: asyncio.Queue[Change | None] = field(
        default_factory=lambda: asyncio.Queue(maxsize=_QUEUE)
    )

    async def next(self, within_s: float) -> Change | None:
        """The next change; None when there was none in time, or at the end."""
        try:
            return await asyncio.wait_for(self._queue.get(), within_s)
        except TimeoutError:
            return None

    def send(self, change: Change) -> bool:
        """Queue a change; False when nobody has read for long."""
        if self._queue.full():
            return False
        self._queue.put_nowait(change)
        return True

    def end(self, why: End) -> None:
        """End it, whatever waits in it."""
        self.ended = self.ended or why
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class Streams:
    """Streams in the order in which they were opened."""

    def __init__(self) -> None:
        self._open: dict[Stream, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def full(self) -> bool:
        """Whether there are so many that a new one is refused."""
        return len(self._open) >= MOST

    def open(self, session: str, person: Person) -> Stream:
        """A new stream; the oldest of this session or person ends where there are too many."""
        self._make_room([s for s in self._open if s.session == session], PER_SESSION)
        self._make_room([s for s in self._open if s.person.id == person.id], PER_PERSON)
        stream = Stream(session, person)
        self._open[stream] = None
        return stream

    def _make_room(self, of_one: list[Stream], most: int) -> None:
        if len(of_one) >= most:
            self.end(of_one[0], End.REPLACED)

    def end(self, stream: Stream, why: End) -> None:
        """End a stream and forget it; an ended one stays as it is."""
        if stream in self._open:
            del self._open[stream]
            stream.end(why)

    def end_all(self, why: End) -> None:
        """End every stream."""
        for stream in list(self._open):
            self.end(stream, why)

    def send(self, change: Change) -> None:
        """Send a change to every stream; one that nobody reads ends."""
        for stream in list(self._open):
            if not stream.send(change):
                self.end(stream, End.LEFT_BEHIND)

    def sessions(self) -> set[str]:
        """The hashes of the sessions that have a stream."""
        return {stream.session for stream in self._open}

    def keep(self, asked: set[str], alive: dict[str, Person]) -> None:
        """End those of the sessions ``asked`` about that are not alive or changed their role."""
        for stream in list(self._open):
            if stream.session in asked:
                person = alive.get(stream.session)
                if person is None or person.role != stream.person.role:
                    self.end(stream, End.SESSION)
