"""What a node believes of an ack (WIRE.md, section 1, *What a node believes*)."""

from lib import strict_json
from node.storage import envelope

# What an ack does.
NOTHING, FREES, TWIN = range(3)


class Ack:
    """The fields of one ack: ``t`` Unix s, ``h`` what the next message carries as ``prev``."""

    def __init__(self, era, boot, seq, h, t):
        self.era = era
        self.boot = boot
        self.seq = seq
        self.h = h
        self.t = t

    @property
    def identity(self):
        """(boot, seq): everything up to it is on the gateway's disk."""
        return self.boot, self.seq

    @property
    def begun(self):
        """False before the era's line has begun: such an ack stands below everything."""
        return self.identity != (0, 0) or self.h != ""


class Verdict:
    """``frees``: everything of the ack's era before ``pos``; ``former`` tells whose era it is.

    An ack that frees nothing and yet is to be believed (the line has not begun, or ends before
    what is still on flash) is FREES with ``pos`` 0: everything held stands after it.
    """

    def __init__(self, kind, pos=0, former=False):
        self.kind = kind
        self.pos = pos
        self.former = former


def heard(key, topic, payload):
    """The :class:`Ack` of a payload under a right MAC, else None."""
    obj = envelope.opened(key, topic, payload)
    if obj is None:
        return None
    try:
        given = strict_json.parse(obj)
        ack = Ack(given["era"], given["boot"], given["seq"], given["h"], given["t"])
    except (ValueError, KeyError, TypeError):
        return None
    numbers = (ack.boot, ack.seq, ack.t)
    if not all(type(number) is int for number in numbers) or not isinstance(ack.h, str):
        return None  # True is an int to isinstance
    return ack if isinstance(ack.era, str) else None


def judge(queue, ack):
    """The :class:`Verdict` on an authentic ack: believed only where our own hashes say so."""
    state = queue.state
    era = ack.era.encode()
    former = era != state.era
    if not former and _is_newest(ack, state):  # the usual case: no walk over the flash
        return Verdict(FREES, queue.ring.tail)
    if not ack.begun:
        return Verdict(FREES, 0, former) if _holds(queue, era) else Verdict(NOTHING)
    found = _found(queue, era, ack)
    if found and former:
        found = queue.former_until(era, found)
    if found is not None:
        return Verdict(FREES, found, former)
    if former or not state.run:
        return Verdict(NOTHING)
    if ack.identity >= (state.run_boot, state.run_seq):
        return Verdict(TWIN)
    return Verdict(FREES)  # below all that we hold: a gateway restored from a backup, say


def _is_newest(ack, state):
    """Whether ``ack`` names the last message sealed, if that was in this boot."""
    if not state.chained or not state.seq or ack.identity != (state.boot, state.seq):
        return False
    return ack.h == envelope.spell(state.prev)


def _holds(queue, era):
    return any(head.era == era for head in queue.messages())


def _found(queue, era, ack):
    """The position before which all is freed, where our hashes prove the ack; else None."""
    for head in queue.messages(queue.near(era, ack.identity)):
        if head.era != era or head.identity < ack.identity:
            continue
        if head.identity == ack.identity:
            return head.pos + 1 if ack.h == envelope.spell(head.digest) else None
        # The one after it: the message itself left the flash, and its hash stands in this one.
        return head.pos if head.prev and ack.h == envelope.spell(head.prev) else None
    return None
