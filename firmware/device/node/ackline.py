"""What a node believes of an ack (WIRE.md, section 1, *What a node believes*)."""

from node import envelope, strict

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
        given = strict.parse(obj)
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
    if era == state.era and _is_newest(ack, state):  # the usual case: no walk over the flash
        return Verdict(FREES, queue.ring.tail)
    oldest = None
    for head in queue.messages():
        if head.era != era:
            continue
        if not ack.begun:
            return Verdict(FREES, 0, era != state.era)
        oldest = oldest or head
        found = _match(ack, head)
        if found is not None:
            return Verdict(FREES, found, era != state.era)
    if oldest is None or era != state.era:
        return Verdict(NOTHING)
    if ack.identity >= oldest.identity:
        return Verdict(TWIN)
    return Verdict(FREES)  # below all that we hold: a gateway restored from a backup, say


def _is_newest(ack, state):
    """Whether ``ack`` names the last message sealed, in this boot or one before it."""
    if not state.chained or ack.h != envelope.spell(state.prev):
        return False
    return ack.identity == (state.boot, state.seq) or (not state.seq and ack.boot < state.boot)


def _match(ack, head):
    """The position before which all is freed, if ``head`` proves the ack; else None."""
    if head.identity == ack.identity:
        return head.pos + 1 if ack.h == envelope.spell(head.digest) else None
    if head.prev and head.identity > ack.identity and ack.h == envelope.spell(head.prev):
        return head.pos
    return None
