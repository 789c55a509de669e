"""The node's state between wakes, computed by folding the ring's records.

A STATE record is a snapshot; each sector opens with one. SAMPLE, EVENT and MESSAGE records after
it are folded into it; other changes append a CHANGE record with the fields that differ. RTC memory
is not used, so a power cut loses only changes that were not appended.
"""

import struct

from micropython import const
from node.storage import records

# One row per field: name, struct code. All start at zero. Positions are the ring's (Q). Append new
# fields at the end and remove none: an update and the build before it read the same ring.
# One flat tuple: a tuple per field would take 16 bytes more of the heap.
# fmt: off
FIELDS = (
    "era", "8s",  # zeros: not drawn yet
    "boot", "I",
    "seq", "I",  # of the last message sealed in this boot
    "prev", "16s",  # digest of the last OBJECT of this era
    "chained", "B",  # 0: no message of this era was sealed yet
    "base", "I",  # ``t`` less ``up``: the boot in Unix s, once the clock is set
    "clock_source", "B",
    "clock_up", "I",  # ``up`` when the clock was set
    "last_up", "I",  # ``up`` of the last sample or event
    "unsealed", "Q",  # the first record that no message covers
    "unsealed_count", "H",
    "era_start", "Q",  # messages before it are of former eras
    "freed", "Q",  # messages of this era before it are freed
    "former", "Q",  # the same for former eras; below era_start: some are not freed
    "former_tries", "B",
    "run", "Q",  # where the unbroken run of this era's messages begins
    "run_boot", "I",
    "run_seq", "I",
    "published", "Q",  # messages before it had a PUBACK
    "promise_up", "I",  # ``up`` at which the promise last published ends
    "ack_t", "I",  # ``t`` of the last ack
    "resends", "B",  # connections that resent without the ack advancing
    "misses", "B",  # connections in a row without a live ack
    "fails", "B",  # attempts in a row that reached no broker
    "retry_up", "I",  # no attempt before it, except for an event
    "down_n", "I",
    "interval_s", "I",  # set by ``down``; 0: config.json's
    "report_s", "I",
    "once", "32s",  # the last eight once-ids done, 4 bytes of their hash each
    "reported", "i",  # the last value reported
    "reported_set", "B",
    "recovery", "B",  # in recovery mode, 1: by itself, 2: ordered
    "recovery_up", "I",  # since when
    "motion_up", "I",  # the last motion in it
    "low", "B",  # 1: the battery was reported low
    "pending", "B",  # 1: an event waits to be reported
    "tilted", "B",  # 1: a tilt that still lasts was reported
    "rest", "3s",  # gravity at rest, 16 mg a step and axis; zeros: not learned
    "lid", "B",  # 0: never seen, 1: closed, 2: open
    "motion_fault", "B",  # 1: the accelerometer was reported missing
    "fault", "B",  # the level sensor's reported fault: an index of faults.CODES
    "fault_n", "B",  # readings in a row that contradict it
    "fault_up", "I",  # when one was last reported at once; 0: not in this boot
    "good", "i",  # the last plausible value: folded from SAMPLE, as the next three
    "good_set", "B",
    "good_up", "I",
    "same_up", "I",  # since when it is exactly the same
    "blind_n", "B",  # readings in a row that may come from a blind zone (plausibility.py)
    "spent_uah", "H",  # by alarms that were not ordered, at budget_up (alarm_budget.py)
    "looked", "H",
    "budget_up", "I",
    "mark_rtc", "I",  # the board's clock, Unix s, when it was last set or the boot began,
    "mark_up", "I",  # and ``up`` then
    "rate_ppm", "i",  # by how much true time runs faster than the board's clock
    "sealed_up", "I",  # ``up`` of the last message of this boot
    "scale_end", "Q",  # times of unsealed records before it are corrected (records.scaled)
    "scale_from", "I",  # from this ``up`` on,
    "scale_ppm", "i",  # by this drift
    "gap_n", "I",  # dropped readings that no gap event declares yet,
    "gap_s", "I",  # and the seconds that they spanned
    "ack_top", "I",  # the largest ``t`` of an ack
    "signed_up", "I",  # ``up`` of the last message sealed with a signature in this boot
    "keyed", "B",  # 1: there is a signing key; 2: it was lost, and that was reported
    "change_mm", "I",  # set by ``down``; 0: config.json's
    "change_g", "I",
    "move_from", "I",  # a planned move, Unix s; set by ``down``
    "move_to", "I",
    "fw_floor", "I",  # no release below it is installed, should NVS be lost
    "pins", "8s",  # wakes in vain of motion, tilt and lid (wake_pins.py)
    "config", "B",  # 1: a configuration that cannot be used was reported
    "mishaps", "39s",  # exceptions of parts that no event reports yet (mishaps.py)
)
# fmt: on
_FORMAT = "<" + "".join([FIELDS[index] for index in range(1, len(FIELDS), 2)])
_SIZES = bytes([struct.calcsize("<" + FIELDS[index]) for index in range(1, len(FIELDS), 2)])
SIZE = sum(_SIZES)
_DECLARES = const(0)
NO_ERA = bytes(8)


class State:
    """The fields of FIELDS as attributes, from ``packed`` bytes: a STATE record's."""

    def __init__(self, packed=b""):
        self._unpack(packed)

    def _unpack(self, packed):
        """Set all fields; another build's record may be shorter or longer, never reordered."""
        values = struct.unpack(_FORMAT, (bytes(packed) + bytes(SIZE))[:SIZE])
        for index, value in enumerate(values):
            setattr(self, FIELDS[2 * index], value)

    def _named(self):
        """Declares for readers and type checkers what ``_unpack`` sets; compiled to nothing."""
        if _DECLARES:
            self.era = self.prev = self.once = self.rest = b""
            self.pins = self.mishaps = b""
            self.boot = self.seq = self.chained = self.base = self.clock_source = self.clock_up = 0
            self.last_up = self.unsealed = self.unsealed_count = self.era_start = self.freed = 0
            self.former = self.former_tries = self.run = self.run_boot = self.run_seq = 0
            self.published = self.promise_up = self.ack_t = self.resends = self.misses = (
                self.fails
            ) = 0
            self.retry_up = self.down_n = self.interval_s = self.report_s = self.reported = 0
            self.reported_set = self.recovery = self.recovery_up = self.motion_up = self.low = 0
            self.pending = self.tilted = self.lid = self.motion_fault = self.fault = (
                self.fault_n
            ) = 0
            self.fault_up = self.good = self.good_set = self.good_up = self.blind_n = (
                self.same_up
            ) = 0
            self.spent_uah = self.looked = self.budget_up = self.mark_rtc = self.mark_up = 0
            self.rate_ppm = self.sealed_up = self.scale_end = self.scale_from = self.scale_ppm = 0
            self.gap_n = self.gap_s = self.ack_top = self.signed_up = self.keyed = (
                self.change_mm
            ) = 0
            self.change_g = self.move_from = self.move_to = self.fw_floor = self.config = 0

    def packed(self):
        """The STATE record."""
        names = range(0, len(FIELDS), 2)
        return struct.pack(_FORMAT, *[getattr(self, FIELDS[index]) for index in names])

    def changes(self, packed):
        """A CHANGE record's payload that makes the State ``packed`` this one: index and value."""
        parts = b""
        for index, before in enumerate(struct.unpack(_FORMAT, packed)):
            value = getattr(self, FIELDS[2 * index])
            if value != before:
                parts += bytes((index,)) + struct.pack("<" + FIELDS[2 * index + 1], value)
        return parts

    def _change(self, payload):
        at = 0
        while at < len(payload) and payload[at] < len(_SIZES):  # higher: a later build's fields
            index = payload[at]
            value = struct.unpack_from("<" + FIELDS[2 * index + 1], payload, at + 1)[0]
            setattr(self, FIELDS[2 * index], value)
            at += 1 + _SIZES[index]

    def fold(self, record):
        """Apply one record, in the ring's order."""
        if record.kind == records.STATE:
            self._unpack(record.payload)
        elif record.kind == records.CHANGE:
            self._change(record.payload)
        elif record.kind == records.SAMPLE or record.kind == records.EVENT:
            self._appended(record)
        elif record.kind == records.ZEROED:
            self.unsealed_count += 1  # the message that covers it counts it, too
        elif record.kind == records.MESSAGE:
            self._sealed(records.header(record))

    def _appended(self, record):
        self.last_up = records.up_of(record)
        if record.kind == records.SAMPLE:
            self._measured(records.sample(record.payload))
        if not self.unsealed_count:
            self.unsealed = record.pos
        self.unsealed_count += 1
        if record.kind == records.EVENT and self.gap_n:
            n, s = records.gap_parts(record.payload)
            self.gap_n, self.gap_s = max(0, self.gap_n - n), max(0, self.gap_s - s)

    def _measured(self, sample):
        """Only plausible values are stored, so ``good`` needs no CHANGE record."""
        if sample.value is None or sample.channel:
            return
        if not self.good_set or sample.value != self.good:
            self.same_up = sample.up
        self.good, self.good_set, self.good_up = sample.value, 1, sample.up

    def _sealed(self, head):
        self.boot, self.seq = head.identity
        self.prev, self.chained = head.digest, 1
        self.sealed_up = head.up
        if head.sg or head.seq == 1:  # a boot's first message starts the count, signed or not
            self.signed_up = head.up
        self.unsealed = head.end
        self.unsealed_count -= head.count
        if head.end >= self.scale_end:
            self.scale_end = self.scale_from = self.scale_ppm = 0
        if not self.run:
            self.run, self.run_boot, self.run_seq = head.pos, head.boot, head.seq

    def open_era(self, era, position):
        """Begin a new era at ``position``: counters from 1; unfreed messages become former."""
        if self.former >= self.era_start:  # no older era waits: continue at this era's watermark
            self.former = self.freed
        self.former_tries = 0
        self.era, self.boot, self.seq = era, 1, 0
        self.prev, self.chained = bytes(16), 0
        self.era_start = self.freed = position
        self.run = self.run_boot = self.run_seq = 0
        self.resends = 0

    @property
    def previous(self):
        """The digest that the next message carries as ``prev``; empty for the era's first."""
        return self.prev if self.chained else b""


def load(ring):
    """The state folded from the ring, or None when it has no STATE record (a new flash)."""
    for number in range(ring.last, ring.first - 1, -1):
        state = None
        for record in ring.records(number * ring.sector):
            if record.kind == records.STATE:
                state = state or State()
            if state:
                state.fold(record)
        if state:
            return state
    return None


def opening(ring, start):
    """The state with which the sector at position ``start`` opened; None if it cannot be read."""
    for record in ring.records(start):
        if record.kind != records.STATE or record.pos // ring.sector != start // ring.sector:
            break
        state = State()
        state.fold(record)
        return state
    return None
