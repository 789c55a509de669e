"""The line: how far a device's messages stand unbroken on our disk (WIRE.md, *The line*)."""

from typing import NamedTuple, Protocol

Identity = tuple[int, int]
"""(boot, seq) within one era; compared as a pair."""

NOWHERE: Identity = (0, 0)


class Link(NamedTuple):
    """One journaled message of an era: its place, and ``h``, the hash that its follower names."""

    place: Identity
    h: str


class Line(NamedTuple):
    """Where an era's line stands, and the largest ``old`` that the device declared.

    Before it has begun, ``end`` is at (0, 0) with an empty ``h``: that frees nothing.
    """

    end: Link = Link(NOWHERE, "")
    old: Identity = NOWHERE

    @property
    def begun(self) -> bool:
        """Whether any message is covered."""
        return self.end.place != NOWHERE

    def declared(self, old: Identity | None, by: Identity | None) -> "Line":
        """With ``old`` as the message ``by`` declares it; above its own identity it is ignored."""
        if old is None or (by is not None and old > by) or old <= self.old:
            return self
        return Line(self.end, old)


class Held(Protocol):
    """What is journaled of one era; forks are never among it."""

    def first(self) -> Link | None:
        """The era's first message."""
        ...

    def at(self, place: Identity) -> Link | None:
        """The message at ``place``."""
        ...

    def after(self, h: str) -> Link | None:
        """The message whose ``prev`` is ``h``."""
        ...

    def unlinked(self, place: Identity) -> Link | None:
        """The flagged message at ``place``, where its ``prev`` cannot be read."""
        ...


def advanced(line: Line, held: Held) -> Line:
    """The line after new messages: begun where it can begin, then as far as it reaches unbroken.

    It never goes back: a link to an earlier place is not followed.
    """
    end = line.end
    if line.old > end.place:
        end = held.at(line.old) or end
    if end.place == NOWHERE:
        end = held.first() or end
    while end.place != NOWHERE:
        follower = _follower(end, held)
        if follower is None:
            break
        end = follower
    return Line(end, line.old)


def extended(line: Line, old: Identity | None, message: Link, prev: str) -> Line | None:
    """As ``declared`` and ``advanced`` after one ``message``, where nothing journaled follows it.

    None where that cannot be said without looking at what is journaled.
    """
    declared = line.declared(old, message.place)
    end = declared.end
    if declared.old > end.place:
        if declared.old == message.place:
            end = message
        elif declared is not line:
            return None  # the message that it names may be there
    if end.place == NOWHERE and message.place == (1, 1):
        end = message
    if end.place != NOWHERE and prev == end.h and message.place > end.place:
        end = message
    return Line(end, declared.old)


def _follower(end: Link, held: Held) -> Link | None:
    boot, seq = end.place
    linked = held.after(end.h)
    if linked is not None and linked.place > end.place:
        return linked
    return held.unlinked((boot, seq + 1))
