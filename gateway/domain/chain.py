"""The line: how far a device's messages stand unbroken on our disk (WIRE.md, *The line*)."""

from typing import NamedTuple, Protocol

Identity = tuple[int, int]
"""(boot, seq) within one era; compared as a pair."""

NOWHERE: Identity = (0, 0)


class ChainLink(NamedTuple):
    """One journaled message of an era: its place, and ``h``, the hash that its follower names."""

    place: Identity
    h: str


class AckLine(NamedTuple):
    """Where an era's line stands, and the largest ``old`` that the device declared.

    Before it has begun, ``end`` is at (0, 0) with an empty ``h``: that frees nothing.
    """

    end: ChainLink = ChainLink(NOWHERE, "")
    old: Identity = NOWHERE

    @property
    def begun(self) -> bool:
        """Whether any message is covered."""
        return self.end.place != NOWHERE

    def declared(self, old: Identity | None, by: Identity | None) -> "AckLine":
        """With ``old`` as the message ``by`` declares it; above its own identity it is ignored."""
        if old is None or (by is not None and old > by) or old <= self.old:
            return self
        return AckLine(self.end, old)


class JournaledEra(Protocol):
    """What is journaled of one era; forks are never among it."""

    def first(self) -> ChainLink | None:
        """The era's first message."""
        ...

    def at(self, place: Identity) -> ChainLink | None:
        """The message at ``place``."""
        ...

    def after(self, h: str) -> ChainLink | None:
        """The message whose ``prev`` is ``h``."""
        ...

    def unlinked(self, place: Identity) -> ChainLink | None:
        """The flagged message at ``place``, where its ``prev`` cannot be read."""
        ...


class LineAdvance(NamedTuple):
    """How a line moved on: where it ``began``, if it did, and over how many linked messages.

    ``gap``: it passed over some that never came, which their device declares it no longer holds.
    """

    line: AckLine
    began: ChainLink | None
    linked: int
    gap: bool = False


def advance(line: AckLine, held: JournaledEra) -> AckLine:
    """The line after new messages: begun where it can begin, then as far as it reaches unbroken.

    It never goes back: a link to an earlier place is not followed.
    """
    return walk(line, held).line


def walk(line: AckLine, held: JournaledEra) -> LineAdvance:
    """As ``advance``, telling what it walked over."""
    end, began, linked, gap = line.end, None, 0, False
    jumped = held.at(line.old) if line.old > end.place else None
    if jumped is not None:
        linked += line.begun and _linked(end, held) == jumped
        gap = line.begun and not linked
        end = jumped
    if end.place == NOWHERE:
        end = held.first() or end
    if not line.begun and end.place != NOWHERE:
        began = end
    while end.place != NOWHERE:
        follower = _linked(end, held)
        if follower is not None:
            linked += 1
        else:
            boot, seq = end.place
            follower = held.unlinked((boot, seq + 1))
        if follower is None:
            break
        end = follower
    return LineAdvance(AckLine(end, line.old), began, linked, gap)


def _linked(end: ChainLink, held: JournaledEra) -> ChainLink | None:
    linked = held.after(end.h)
    return linked if linked is not None and linked.place > end.place else None
