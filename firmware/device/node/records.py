"""What the ring's records hold: STATE, SAMPLE, EVENT and MESSAGE, as packed bytes."""

import struct

STATE, SAMPLE, EVENT, MESSAGE = 1, 2, 3, 4
ZEROED = 0  # what a fix leaves once it was signed for: no torn write can, see ring.py

QUANTITIES = ("mm", "g", "pa")
NO_ECHO = -(2**31)  # the value of a sample in which nothing came back
NO_TEMPERATURE = -(2**15)

_SAMPLE = "<IiHBBhBB"
_MESSAGE = "<8sIIIIBIIIIHbB16s16sQHQ"
_PREV, _SG = 1, 2  # flags of a MESSAGE record
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
        """22 bytes on flash, with the record's head: 63 days at 10 minutes in 256 KB."""
        value = NO_ECHO if self.value is None else self.value
        spread = min(self.spread or 0, _LIMITS["H"])
        tc = NO_TEMPERATURE if self.tc is None else self.tc
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
        None if tc == NO_TEMPERATURE else tc,
        channel,
    )


def event(up, fields):
    """An EVENT record: seconds since the boot, and its JSON members without ``o``, as text."""
    return struct.pack("<I", up) + fields.encode()


def event_parts(payload):
    """(up, fields) of an EVENT record."""
    return struct.unpack_from("<I", payload)[0], bytes(payload[4:]).decode()


def is_tamper(record):
    """Whether a record is an event of hands on the tank."""
    return record.kind == EVENT and any(bytes(record.payload[4:]).startswith(k) for k in _TAMPER)


def is_gap(payload):
    """Whether an EVENT record declares dropped readings."""
    return bytes(payload[4:]).startswith(b'"k":"gap"')


class Header:
    """What sealing fixed of a message: with the range of its records it rebuilds the OBJECT.

    ``start`` and ``count`` name the range, ``end`` the position after it. ``prev`` and ``digest``
    are 16 bytes (``prev`` empty for the era's first). ``mv`` and ``rssi`` are 0 when absent;
    ``sg`` is 1 for a message that carries a signature.
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
        self.pos = 0

    def packed(self):
        """The MESSAGE record. ``fw`` ends it: a resend after an update must not change it."""
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
        return (
            fixed
            + bytes(((_PREV if self.prev else 0) | (_SG if self.sg else 0),))
            + self.fw.encode()
        )

    @property
    def identity(self):
        """(boot, seq): orders the messages of one era."""
        return self.boot, self.seq


def header(record):
    """The :class:`Header` of a MESSAGE record, with ``pos`` set to where it stands."""
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
    if not record.payload[size] & _PREV:
        head.prev = b""
    head.sg = 1 if record.payload[size] & _SG else 0
    head.fw = bytes(record.payload[size + 1 :]).decode()
    head.pos = record.pos
    return head
