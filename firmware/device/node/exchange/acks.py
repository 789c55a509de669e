"""Which acks a node accepts (WIRE.md, section 1, *What a node believes*)."""

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
        """False while the gateway has no message of the era: such an ack is below all messages."""
        return self.identity != (0, 0) or self.h != ""


class Verdict:
    """FREES: messages of the ack's era before ``pos``; ``former``: of a former era.

    A valid ack that frees nothing (the gateway has no message of the era, or only older ones than
    the flash) is FREES with ``pos`` 0.
    """

    def __init__(self, kind, pos=0, former=False):
        self.kind = kind
        self.pos = pos
        self.former = former


def decode(key, topic, payload):
    """The :class:`Ack` of a payload with a valid MAC, else None."""
    obj = envelope.verified(key, topic, payload)
    if obj is None:
        return None
    try:
        given = strict_json.parse(obj)
        ack = Ack(given["era"], given["boot"], given["seq"], given["h"], given["t"])
    except (ValueError, KeyError, TypeError):
        return None
    numbers = (ack.boot, ack.seq, ack.t)
    if not all(type(number) is int for number in numbers) or not isinstance(ack.h, str):
        return None  # not isinstance: True is an int, too
    return ack if isinstance(ack.era, str) else None


def judge(queue, ack):
    """The :class:`Verdict` on an authentic ack, which has to match the hashes on flash."""
    state = queue.state
    era = ack.era.encode()
    former = era != state.era
    if not former and _is_newest(ack, state):  # the usual case needs no walk over the flash
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
    return Verdict(FREES)  # older than all on flash, as after the gateway is restored from a backup


def _is_newest(ack, state):
    """Whether ``ack`` is of the last message sealed, if that was in this boot."""
    if not state.chained or not state.seq or ack.identity != (state.boot, state.seq):
        return False
    return ack.h == envelope.b64url(state.prev).decode()


def _holds(queue, era):
    return any(head.era == era for head in queue.messages())


def _found(queue, era, ack):
    """The position before which the ack frees messages; None if no hash on flash matches it."""
    for head in queue.messages(queue.near(era, ack.identity)):
        if head.era != era or head.identity < ack.identity:
            continue
        if head.identity == ack.identity:
            return head.pos + 1 if ack.h == envelope.b64url(head.digest).decode() else None
        # The message itself left the flash; the next one has its hash as ``prev``.
        return head.pos if head.prev and ack.h == envelope.b64url(head.prev).decode() else None
    return None
