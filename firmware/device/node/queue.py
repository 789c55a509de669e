"""Messages on flash: sealed once, held until the gateway has signed for them.

Owns the ring and the state folded from it. Every method leaves the flash such that a power cut
at any moment loses nothing that was appended, and a resend spells the same bytes.
"""

from node import clock, compose, envelope, place, records
from node import state as states
from node.ring import Record

FORMER_TRIES = 8
RESENDS = 8  # connections that resent the message at which the ack stands
FULL_COUNT = 28  # readings of one message; 2048 bytes hold 30 or more
SIGNED_S = 86_400
_MESSAGE_ROOM = 200


class Queue:
    """The node's records and messages over ``ring``; ``fw`` and ``k`` go into new messages."""

    def __init__(self, ring, fw, k=1):
        self.ring = ring
        self._fw = fw
        self._k = k
        found = states.load(ring)
        self.fresh = found is None
        self.state = found or states.State()
        self._kept = states.State()  # what the ring would tell by itself
        self._kept.copy(self.state)
        self._gap = None
        self.signs = False
        """Whether a key is at hand: messages that are due one are sealed with ``sg``."""
        ring.leaving = self._leave
        ring.opened = self._open_sector

    def save(self):
        """Append the state, unless the ring's other records tell it already."""
        packed = self.state.packed()
        if packed != self._kept.packed():
            self.ring.append(records.STATE, packed)
            self._kept.copy(self.state)

    def add_sample(self, sample):
        """Append one :class:`node.records.Sample`."""
        self._append(records.SAMPLE, sample.packed())

    def add_event(self, up, fields):
        """Append one event; ``fields`` are its JSON members, ``k`` first, without ``o``."""
        self._append(records.EVENT, records.event(up, fields))

    def _append(self, kind, payload):
        pos = self.ring.append(kind, payload)
        self._fold(pos, kind, payload)

    def _fold(self, pos, kind, payload):
        record = Record(pos, self.ring.tail, kind, payload)
        self.state.fold(record)
        self._kept.fold(record)

    # Messages

    def messages(self, start=0, end=None):
        """The headers of messages at positions from ``start`` to before ``end``, oldest first."""
        for record in self.ring.records(start):
            if end is not None and record.pos >= end:
                return
            if record.kind == records.MESSAGE:
                yield records.header(record)

    def object(self, head):
        """The OBJECT of a message, byte for byte as it was sealed; None if flash lost part."""
        return compose.rebuild(self.ring, head)

    def freed(self, head):
        """Whether the gateway has signed for this message, or it was given up."""
        state = self.state
        return head.pos < (state.freed if head.pos >= state.era_start else state.former)

    def only_boots(self):
        """Whether all that is unsealed are boot events: such a boot never counted."""
        if self.state.seq:
            return False
        for record in compose.matter(self.ring, self.state.unsealed):
            if record.kind != records.EVENT or b'"k":"boot"' not in record.payload:
                return False
        return True

    def seal(self, up, next_s, mv=0, rssi=0):
        """Seal all that is unsealed, into at least one message. Returns the newest's header.

        ``next_s`` is the promise in s; ``mv`` and ``rssi`` are left out when 0. Every header is
        on flash on return. The era must have been drawn.
        """
        newest = self._seal_one(up, next_s, mv, rssi)
        while self.state.unsealed_count:
            newest = self._seal_one(up, next_s, mv, rssi)
        return newest

    def _seal_one(self, up, next_s, mv, rssi):
        self.ring.make_room(_MESSAGE_ROOM)  # what that drops must show in this message's ``old``
        head = self._head(up, next_s, mv, rssi)
        text = compose.head_text(head)
        body = compose.Body(len(text))
        if self.state.unsealed_count:
            for record in compose.matter(self.ring, head.start):
                if not body.add(record, up):
                    break
                head.end = record.end
                if body.count == self.state.unsealed_count:
                    break
        head.count = body.count
        head.digest = envelope.digest((text + body.text()).encode())
        payload = head.packed()
        head.pos = self.ring.append(records.MESSAGE, payload)
        self._fold(head.pos, records.MESSAGE, payload)
        return head

    def _head(self, up, next_s, mv, rssi):
        state = self.state
        head = records.Header()
        head.fw, head.k, head.era = self._fw, self._k, state.era
        head.boot, head.seq, head.prev = state.boot, state.seq + 1, state.previous
        head.up, head.next, head.mv, head.rssi = up, next_s, mv, rssi
        head.t, head.ts, head.ta = clock.stamp(state, up)
        old = (state.run_boot, state.run_seq) if state.run else head.identity
        head.old_boot, head.old_seq = old
        head.start = state.unsealed if state.unsealed_count else self.ring.tail
        head.end = head.start
        head.sg = 1 if self.signs and self._signature_due(up) else 0
        return head

    def _signature_due(self, up):
        """A boot's first message, one of hands on the tank, and one a day."""
        state = self.state
        if not state.seq or up - state.signed_up >= SIGNED_S:
            return True
        if not state.unsealed_count:
            return False
        return any(map(records.is_tamper, compose.matter(self.ring, state.unsealed)))

    # What the gateway signed for

    def free(self, head_pos, former):
        """Free every message before position ``head_pos``. Returns whether that freed any."""
        name = "former" if former else "freed"
        if head_pos <= getattr(self.state, name):
            return False
        self._forget_places(getattr(self.state, name), head_pos)
        setattr(self.state, name, head_pos)
        if not former:
            self.state.resends = 0
        return True

    def _forget_places(self, start, end):
        """Zero the fixes of messages in a range, before it counts as freed: a cut repeats it."""
        for head in self.messages(start, end):
            if not head.count:
                continue
            for record in self.ring.records(head.start):
                if record.pos >= head.end:
                    break
                if record.kind == records.ZEROED or place.is_fix(record):
                    self.ring.zero(record)

    def open_era(self, era):
        """Start new counters (8 bytes of ``era``): created, or found wrong."""
        self.state.open_era(era, self.ring.tail)
        self.save()

    def give_up_due(self):
        """Whether the ack stood still over so many connections that resent."""
        return self.state.resends >= RESENDS

    def give_up(self, position):
        """The message at ``position`` or next after it was resent in vain: ``old`` passes it."""
        state = self.state
        following = self.messages(position)
        next(following, None)
        after = next(following, None)
        state.freed = after.pos if after else self.ring.tail
        state.run = after.pos if after else 0
        state.run_boot, state.run_seq = after.identity if after else (0, 0)
        state.resends = 0

    def former_waiting(self):
        """Headers of former eras' messages that nobody signed for."""
        state = self.state
        if state.former < state.era_start:
            yield from self.messages(state.former, state.era_start)

    def former_resent(self):
        """Count one resend of them; after FORMER_TRIES they count as freed."""
        self.state.former_tries += 1
        if self.state.former_tries >= FORMER_TRIES:
            self.state.former, self.state.former_tries = self.state.era_start, 0

    # What a full flash drops

    def _leave(self, sector):
        """The ring is about to erase ``sector``: declare what was not freed, move the run on."""
        state = self.state
        cut = (sector + 1) * self.ring.sector
        lost, first = [], None
        for head in self.messages(self.ring.oldest):
            if head.start >= cut:
                first = head
                break
            if not self.freed(head):
                lost.append(head)
        keep = first.pos if first else cut
        if lost:
            self._declare(lost)
        if state.run < keep and (not first or first.pos >= state.era_start):
            state.run = first.pos if first else 0
            state.run_boot, state.run_seq = first.identity if first else (0, 0)
        if state.former < state.era_start:
            state.former = max(state.former, min(keep, state.era_start))
        if first and first.pos >= state.era_start:
            state.freed = max(state.freed, keep)

    def _declare(self, lost):
        count = sum(head.count for head in lost)
        span = lost[-1].up - lost[0].up if lost[-1].boot == lost[0].boot else lost[-1].up
        if self._declared():
            return
        fields = '"k":"gap","n":%d,"s":%d' % (count, max(0, span))
        payload = records.event(self.state.last_up, fields)
        pos = self.ring.tail
        if self.ring.append_reserved(records.EVENT, payload):
            self._fold(pos, records.EVENT, payload)
        else:
            self._gap = fields

    def _declared(self):
        """Whether a gap is the newest record: a power cut came between it and its erase."""
        last = None
        for record in self.ring.records(self.ring.last * self.ring.sector):
            last = record
        return last and last.kind == records.EVENT and records.is_gap(last.payload)

    def _open_sector(self):
        self.ring.append(records.STATE, self.state.packed())
        self._kept.copy(self.state)
        if self._gap:
            fields, self._gap = self._gap, None
            self.add_event(self.state.last_up, fields)
