"""The ack line: how far a device's messages are journaled without a gap (WIRE.md, *The line*)."""

from typing import NamedTuple, Protocol

Identity = tuple[int, int]
"""(boot, seq) within one era; compared as a pair."""

NOWHERE: Identity = (0, 0)


class ChainLink(NamedTuple):
    """One journaled message of an era: its place, and ``h``, the ``prev`` of its follower."""

    place: Identity
    h: str


class AckLine(NamedTuple):
    """The end of an era's line, and the largest ``old`` that the device declared.

    Before the line begins, ``end`` is (0, 0) with an empty ``h``: an ack of it frees nothing.
    """

    end: ChainLink = ChainLink(NOWHERE, "")
    old: Identity = NOWHERE

    @property
    def begun(self) -> bool:
        """Whether any message is covered."""
        return self.end.place != NOWHERE

    def declared(self, old: Identity | None, by: Identity | None) -> "AckLine":
        """With ``old`` as the message at ``by`` declares it; above that place it is ignored."""
        if old is None or (by is not None and old > by) or old <= self.old:
            return self
        return AckLine(self.end, old)


class JournaledEra(Protocol):
    """The journaled messages of one era, without forks."""

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
        """The flagged message at ``place``, where its ``prev`` is unreadable."""
        ...


class LineAdvance(NamedTuple):
    """A line's advance: where it ``began``, if it did, and the number of messages it linked.

    ``gap``: it passed over messages that never came and that the device no longer has.
    """

    line: AckLine
    began: ChainLink | None
    linked: int
    gap: bool = False


def advance(line: AckLine, era: JournaledEra) -> LineAdvance:
    """The line after new messages: it begins where it can, and ends before the first gap.

    It never goes back: a link to an earlier place is not followed.
    """
    end, began, linked, gap = line.end, None, 0, False
    jumped = era.at(line.old) if line.old > end.place else None
    if jumped is not None:
        linked += line.begun and _linked(end, era) == jumped
        gap = line.begun and not linked
        end = jumped
    if end.place == NOWHERE:
        end = era.first() or end
    if not line.begun and end.place != NOWHERE:
        began = end
    while end.place != NOWHERE:
        follower = _linked(end, era)
        if follower is not None:
            linked += 1
        else:
            boot, seq = end.place
            follower = era.unlinked((boot, seq + 1))
        if follower is None:
            break
        end = follower
    return LineAdvance(AckLine(end, line.old), began, linked, gap)


def _linked(end: ChainLink, era: JournaledEra) -> ChainLink | None:
    linked = era.after(end.h)
    return linked if linked is not None and linked.place > end.place else None
