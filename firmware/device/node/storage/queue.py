"""Messages on flash: sealed once, kept until the gateway acknowledges them.

Owns the ring and the state folded from it. A power cut at any moment of any method loses no
appended record, and a resend has the same bytes.
"""

from micropython import const
from node.storage import clock, envelope, records
from node.storage import state as states
from node.storage.ring import RECORD_SIZE, Record

FORMER_TRIES = 8
RESENDS = 8  # connections that resent the same message without an ack
FULL_COUNT = 28  # readings of one message; 2048 bytes hold 30 or more
_SINCE = const(8)
_SIGNED_S = const(86_400)
_MESSAGE_ROOM = const(220)  # a gap event and a MESSAGE record


def _json():
    """What reads and writes the text of messages: a signature is made without it in the heap."""
    from node.storage import message_json

    return message_json


class Queue:
    """The node's records and messages over ``ring``; ``fw`` and ``k`` go into new messages."""

    def __init__(self, ring, fw, k=1):
        self.ring = ring
        self._fw = fw
        self._k = k
        found = states.load(ring)
        self.fresh = found is None
        self.state = found or states.State()
        self._saved = self.state.packed()  # the state that the ring yields, without
        self._since = []  # these records
        self.complete = True
        """Whether the state in memory is that of the flash: if not, nothing more is written."""
        self.signs = False
        """Whether there is a signing key: messages due for a signature are sealed with ``sg``."""
        ring.opening = self._opening
        if ring.damaged:  # used numbers may be unreadable: count in a new era
            self.state.era = states.NO_ERA
            self.save()

    def save(self):
        """Append the changed fields of the state that other records do not imply."""
        self._begin()
        changes, sector = self._changes(), self.ring.last
        if changes:
            self.ring.make_room(RECORD_SIZE + len(changes))
        if changes and self.ring.last == sector:  # a new sector opens with the whole state
            self.ring.append(records.CHANGE, changes)
            self._keep()
        self.complete = True

    def _keep(self):
        self._saved, self._since = self.state.packed(), []
        return self._saved

    def _changes(self):
        """The changed fields of the state that other records do not imply."""
        if self._since:
            known = states.State(self._saved)
            for record in self._since:
                known.fold(record)
            self._saved, self._since = known.packed(), []
        return self.state.changes(self._saved)

    def add_sample(self, sample):
        """Append a :class:`node.storage.records.Sample`."""
        self._append(records.SAMPLE, sample.packed())

    def add_event(self, up, fields):
        """Append one event; ``fields`` are its JSON members, ``k`` first, without ``o``."""
        self._append(records.EVENT, records.event(up, fields))

    def _append(self, kind, payload):
        """Append a record and fold it. Returns its position.

        If that fails half-way, the flash may hold a record that the state does not know: nothing
        more is written in this wake, and the next one reads the flash. Two messages of one number
        would otherwise be a fork.
        """
        self._begin()
        pos = self.ring.append(kind, payload)
        record = Record(pos, self.ring.tail, kind, payload)
        self.state.fold(record)
        self._since.append(record)
        if len(self._since) == _SINCE:
            self._changes()
        self.complete = True
        return pos

    def _begin(self):
        if not self.complete:
            raise OSError("flash: an earlier write of this wake failed")
        self.complete = False

    # Messages

    def messages(self, start=0, end=None):
        """The headers of messages at positions from ``start`` to before ``end``, oldest first."""
        for record in self.ring.records(start, (records.MESSAGE,)):
            if end is not None and record.pos >= end:
                return
            if record.kind == records.MESSAGE:
                yield records.header(record)

    def object(self, head):
        """The OBJECT of a message in parts (bytes), byte for byte as it was sealed; None if flash
        lost some of it."""
        return _json().rebuild(self.ring, head)

    def freed(self, head):
        """Whether the gateway acknowledged this message, or it was given up."""
        state = self.state
        return head.pos < (state.freed if head.pos >= state.era_start else state.former)

    def only_boots(self):
        """Whether only boot events are unsealed: such a boot does not count."""
        if self.state.seq:
            return False
        for record in _json().content(self.ring, self.state.unsealed):
            if record.kind != records.EVENT or b'"k":"boot"' not in record.payload:
                return False
        return True

    def near(self, era, identity):
        """Where a search for message ``identity`` of ``era`` may begin: a sector opened before it.

        Each sector opens with the counters at that time, which order sectors by (boot, seq).
        """
        for number in range(self.ring.last, self.ring.first, -1):
            start = number * self.ring.sector
            opened = states.opening(self.ring, start)
            if opened and opened.era == era and (opened.boot, opened.seq) < identity:
                return start
        return self.ring.oldest

    def seal(self, up, next_s, mv=0, rssi=0):
        """Seal all unsealed records into at least one message. Returns the newest header.

        ``next_s`` is the promise in s; ``mv`` and ``rssi`` are left out when 0. Every header is
        on flash on return. The era must have been drawn.
        """
        newest = self._seal_one(up, next_s, mv, rssi)
        while self.state.unsealed_count:
            newest = self._seal_one(up, next_s, mv, rssi)
        return newest

    def _seal_one(self, up, next_s, mv, rssi):
        self._begin()
        self.ring.make_room(_MESSAGE_ROOM)  # first, since what it drops changes this ``old``
        self.complete = True
        if self.state.gap_n:
            self.add_event(up, records.gap(self.state.gap_n, self.state.gap_s))
        head = self._head(up, next_s, mv, rssi)
        text = _json().head_text(head)
        body = _json().Body(len(text))
        if self.state.unsealed_count:
            self._fill(head, body)
        head.count = body.count
        head.digest = envelope.digest(*body.object(text))
        head.pos = self._append(records.MESSAGE, head.packed())
        return head

    def _fill(self, head, body):
        state = self.state
        for record in _json().content(self.ring, head.start):
            if not body.add(record, head.age_s(record)):
                return
            head.end = record.end
            if body.count == state.unsealed_count:
                return
        # The rest is unreadable on damaged flash; without this, sealing would never end.
        state.gap_n += state.unsealed_count - body.count
        state.unsealed_count = body.count

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
        if state.scale_end > head.start:
            head.scale_end, head.scale_from = state.scale_end, state.scale_from
            head.scale_ppm = state.scale_ppm
        head.sg = 1 if self.signs and self._signature_due(up) else 0
        return head

    def _signature_due(self, up):
        """Sign a boot's first message, one with a tamper event, and one a day."""
        state = self.state
        if not state.seq or up - state.signed_up >= _SIGNED_S:
            return True
        if not state.unsealed_count:
            return False
        return any(map(records.is_tamper, _json().content(self.ring, state.unsealed)))

    # Acknowledged messages

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
        """Zero the fixes of a range before it counts as freed: after a power cut it is repeated."""
        covered = None  # messages are in the order of their records
        for head in self.messages(start, end):
            covered = covered[0] if covered else head.start, head.end
        if covered is None:
            return
        for record in self.ring.records(covered[0], (records.EVENT,)):
            if record.pos >= covered[1]:
                break
            if record.kind == records.ZEROED or records.is_fix(record):
                self.ring.zero(record)

    def former_until(self, era, pos):
        """How far an ack of former era ``era`` for all before ``pos`` frees: at most to the first
        message of another former era."""
        for head in self.messages(self.state.former, min(pos, self.state.era_start)):
            if head.era != era:
                return head.pos
        return pos

    def open_era(self, era):
        """Start new counters under ``era``, 8 bytes: on a new flash, or after a clone was found."""
        self.state.open_era(era, self.ring.tail)
        self.save()

    def give_up_due(self):
        """Whether the ack did not advance over RESENDS connections that resent."""
        return self.state.resends >= RESENDS

    def give_up(self, position):
        """Give up the message at ``position`` or next after it: ``old`` moves past it."""
        state = self.state
        following = self.messages(position)
        next(following, None)
        after = next(following, None)
        state.freed = after.pos if after else self.ring.tail
        state.run = after.pos if after else 0
        state.run_boot, state.run_seq = after.identity if after else (0, 0)
        state.resends = 0

    def former_waiting(self):
        """Headers of former eras' messages without an ack."""
        state = self.state
        if state.former < state.era_start:
            yield from self.messages(state.former, state.era_start)

    def former_resent(self):
        """Count one resend of them; after FORMER_TRIES they count as freed."""
        self.state.former_tries += 1
        if self.state.former_tries >= FORMER_TRIES:
            self.state.former, self.state.former_tries = self.state.era_start, 0

    # Records that a full flash drops

    def _opening(self, first):
        """The first record of a new sector: the state, after all before ``first`` is dropped."""
        if 0 < self.ring.oldest < first:
            from node.storage import loss  # a full flash only

            loss.drop(self, first)
        return records.STATE, self._keep()
