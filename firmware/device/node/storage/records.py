"""Payloads of the ring's records: STATE, SAMPLE, EVENT, MESSAGE and CHANGE, as packed bytes."""

import json
import struct

from micropython import const

STATE, SAMPLE, EVENT, MESSAGE, CHANGE = 1, 2, 3, 4, 5
ZEROED = 0  # an erased fix: no torn write leaves this kind, see ring.py

QUANTITIES = ("mm", "g", "pa")
NO_ECHO = -(2**31)  # the value of a sample without a reading
_NO_TEMPERATURE = const(-(2**15))

_SAMPLE = const("<IiHBBhBB")
_MESSAGE = const("<8sIIIIBIIIIHbB16s16sQHQ")
_PREV = const(1)  # flags of a MESSAGE record
_SG = const(2)
_SCALED = const(4)
_SCALE = const("<QIi")
_TAMPER = (b'"k":"motion"', b'"k":"tilt"', b'"k":"lid"')
_LIMITS = {"H": 2**16 - 1, "I": 2**32 - 1, "B": 2**8 - 1}


class Sample:
    """One reading: ``up`` s since the boot, value and spread in the unit of ``quantity``."""

    def __init__(self, up, quantity, value, spread, valid, tried, tc=None, channel=0):
        self.up = up
        self.quantity = quantity
        self.value = value
        self.spread = spread
        self.valid = valid
        self.tried = tried
        self.tc = tc
        self.channel = channel

    def packed(self):
        """23 bytes on flash, with the record's head: 76 days at 10 minutes in 256 KB."""
        value = NO_ECHO if self.value is None else self.value
        spread = min(self.spread or 0, _LIMITS["H"])
        tc = _NO_TEMPERATURE if self.tc is None else self.tc
        quantity = QUANTITIES.index(self.quantity)
        return struct.pack(
            _SAMPLE, self.up, value, spread, self.valid, self.tried, tc, self.channel, quantity
        )


def sample(payload):
    """The :class:`Sample` that ``packed`` made."""
    up, value, spread, valid, tried, tc, channel, quantity = struct.unpack(_SAMPLE, payload)
    return Sample(
        up,
        QUANTITIES[quantity],
        None if value == NO_ECHO else value,
        spread,
        valid,
        tried,
        None if tc == _NO_TEMPERATURE else tc,
        channel,
    )


def event(up, fields):
    """An EVENT record: seconds since the boot, and its JSON members without ``o``, as text."""
    return struct.pack("<I", up) + fields.encode()


def event_parts(payload):
    """(up, fields) of an EVENT record."""
    return struct.unpack_from("<I", payload)[0], bytes(payload[4:]).decode()


def is_tamper(record):
    """Whether a record is a tamper event."""
    return record.kind == EVENT and any(bytes(record.payload[4:]).startswith(k) for k in _TAMPER)


def is_fix(record):
    """Whether a record is the event of a fix."""
    return record.kind == EVENT and bytes(record.payload[4:]).startswith(b'"k":"fix"')


def is_gap(payload):
    """Whether an EVENT record declares dropped readings."""
    return bytes(payload[4:]).startswith(b'"k":"gap"')


def gap(n, s):
    """The members of the event that declares ``n`` dropped readings over ``s`` seconds."""
    return '"k":"gap","n":%d,"s":%d' % (n, s)


def gap_parts(payload):
    """(n, s) of an EVENT record that is a gap, (0, 0) of any other."""
    if not is_gap(payload):
        return 0, 0
    fields = json.loads("{" + event_parts(payload)[1] + "}")
    return fields["n"], fields["s"]


def up_of(record):
    """Seconds since the boot of a SAMPLE or EVENT record, by the clock at that time."""
    return struct.unpack_from("<I", record.payload)[0]


def scaled(up, start, ppm):
    """``up`` moved away from ``start`` by ``ppm`` of its distance, to correct the clock's drift.
    Keeps the order, and nothing crosses ``start``."""
    return up if up <= start else start + (up - start) * (1_000_000 + ppm) // 1_000_000


class Header:
    """The fields of a message fixed by sealing: with its range of records they yield the OBJECT.

    ``start`` and ``count`` name the range, ``end`` the position after it. ``prev`` and ``digest``
    are 16 bytes (``prev`` empty for the era's first). ``mv`` and ``rssi`` are 0 when absent;
    ``sg`` is 1 for a message that carries a signature. Times of records before position
    ``scale_end`` are corrected by :func:`scaled`, since the drift became known after them.
    """

    def __init__(self):
        self.fw = ""
        self.era = b""
        self.boot = self.seq = 0
        self.up = self.t = self.ts = self.ta = self.next = 0
        self.old_boot = self.old_seq = 0
        self.mv = self.rssi = 0
        self.k = 1
        self.sg = 0
        self.prev = self.digest = b""
        self.start = self.count = self.end = 0
        self.scale_end = self.scale_from = self.scale_ppm = 0
        self.pos = 0

    def packed(self):
        """The MESSAGE record, with ``fw``: a resend after an update must have the old one."""
        fixed = struct.pack(
            _MESSAGE,
            self.era,
            self.boot,
            self.seq,
            self.up,
            self.t,
            self.ts,
            self.ta,
            self.next,
            self.old_boot,
            self.old_seq,
            self.mv,
            self.rssi,
            self.k,
            self.prev,
            self.digest,
            self.start,
            self.count,
            self.end,
        )
        flags, scale = _PREV if self.prev else 0, b""
        if self.sg:
            flags |= _SG
        if self.scale_end:
            flags |= _SCALED
            scale = struct.pack(_SCALE, self.scale_end, self.scale_from, self.scale_ppm)
        return fixed + bytes((flags,)) + scale + self.fw.encode()

    def age_s(self, record):
        """``o`` of a SAMPLE or EVENT record in this message."""
        up = up_of(record)
        if record.pos < self.scale_end:
            up = scaled(up, self.scale_from, self.scale_ppm)
        return max(0, self.up - up)

    @property
    def identity(self):
        """(boot, seq): orders the messages of one era."""
        return self.boot, self.seq


def header(record):
    """The :class:`Header` of a MESSAGE record, with its position in ``pos``."""
    size = struct.calcsize(_MESSAGE)
    head = Header()
    (
        head.era,
        head.boot,
        head.seq,
        head.up,
        head.t,
        head.ts,
        head.ta,
        head.next,
        head.old_boot,
        head.old_seq,
        head.mv,
        head.rssi,
        head.k,
        head.prev,
        head.digest,
        head.start,
        head.count,
        head.end,
    ) = struct.unpack(_MESSAGE, record.payload[:size])
    flags = record.payload[size]
    size += 1
    if not flags & _PREV:
        head.prev = b""
    head.sg = 1 if flags & _SG else 0
    if flags & _SCALED:
        scale = struct.unpack_from(_SCALE, record.payload, size)
        head.scale_end, head.scale_from, head.scale_ppm = scale
        size += struct.calcsize(_SCALE)
    head.fw = bytes(record.payload[size:]).decode()
    head.pos = record.pos
    return head
