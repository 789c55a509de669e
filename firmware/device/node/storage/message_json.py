"""Builds an OBJECT from its header and the records of its range, each time byte for byte the same.

Formatted by hand: ``json.dumps`` of a full message needs 32 KB of heap, and does not guarantee
key order and spaces.
"""

from micropython import const
from node.storage import clock, envelope, records

OBJECT_LIMIT = 2048
_PART = const(160)


def head_text(head):
    """The members before ``r``, from ``{`` to the comma."""
    parts = [
        '{"v":1,"fw":"%s","era":"%s","boot":%d,"seq":%d,"prev":"%s","up":%d'
        % (
            head.fw,
            head.era.decode(),
            head.boot,
            head.seq,
            envelope.b64url(head.prev).decode() if head.prev else "",
            head.up,
        ),
        '"t":%d,"ts":"%s"' % (head.t, clock.SOURCES[head.ts]),
    ]
    if head.ts != clock.NONE:
        parts.append('"ta":%d' % head.ta)
    parts.append('"next":%d,"old":[%d,%d]' % (head.next, head.old_boot, head.old_seq))
    if head.k != 1:
        parts.append('"k":%d' % head.k)
    if head.sg:
        parts.append('"sg":1')
    if head.mv:
        parts.append('"mv":%d' % head.mv)
    if head.rssi:
        parts.append('"rssi":%d' % head.rssi)
    return ",".join(parts)


def reading_text(sample, age_s):
    """One member of ``r``, ``age_s`` seconds before sealing."""
    parts = ['"o":%d' % age_s]
    if sample.value is None:
        parts.append('"%s":null' % sample.quantity)
    else:
        parts.append('"%s":%d,"sp":%d' % (sample.quantity, sample.value, sample.spread))
    parts.append('"n":%d,"of":%d' % (sample.valid, sample.tried))
    if sample.tc is not None:
        parts.append('"tc":%d' % sample.tc)
    if sample.channel:
        parts.append('"ch":%d' % sample.channel)
    return "{" + ",".join(parts) + "}"


def event_text(payload, age_s):
    """One member of ``e``, ``age_s`` seconds before sealing."""
    return '{"o":%d,%s}' % (age_s, records.event_parts(payload)[1])


class Body:
    """The ``r`` and ``e`` of a message, filled while they fit beside the head."""

    def __init__(self, head_length, limit=OBJECT_LIMIT):
        self._room = limit - head_length - len(',"r":[],"e":[]}')
        self._readings = _Text()
        self._events = _Text()
        self.count = 0

    def add(self, record, age_s):
        """Add a SAMPLE or EVENT record, ``age_s`` before sealing. Returns whether it fitted."""
        if record.kind == records.SAMPLE:
            text, into = reading_text(records.sample(record.payload), age_s), self._readings
        else:
            text, into = event_text(record.payload, age_s), self._events
        if len(text) + 1 > self._room:
            return False
        self._room -= len(text) + 1
        into.add(text)
        self.count += 1
        return True

    def object(self, head):
        """The OBJECT in parts (bytes), beginning with ``head``."""
        parts = [head.encode() + b',"r":['] + self._readings.closed()
        if self._events.count:
            parts.append(b'],"e":[')
            parts += self._events.closed()
        parts.append(b"]}")
        return parts


class _Text:
    """Members of a list, joined a few at a time: all in one piece would not fit a heap of many
    small ones, and each part is one write to TLS."""

    def __init__(self):
        self.count = 0
        self._parts = []
        self._open = []
        self._size = 0

    def add(self, text):
        """Add a member, with a comma before all but the first."""
        if self.count:
            text = "," + text
        self.count += 1
        self._open.append(text.encode())
        self._size += len(text)
        if self._size >= _PART:
            self.closed()

    def closed(self):
        """The parts (bytes)."""
        if self._open:
            self._parts.append(b"".join(self._open))
            self._open, self._size = [], 0
        return self._parts


def content(ring, start):
    """The SAMPLE and EVENT records from position ``start`` on."""
    for record in ring.records(start, (records.SAMPLE, records.EVENT)):
        if record.kind == records.SAMPLE or record.kind == records.EVENT:
            yield record


def rebuild(ring, head):
    """The OBJECT of a sealed message in parts (bytes), or None when its records are no longer
    intact."""
    text = head_text(head)
    body = Body(len(text), limit=envelope.OBJECT_LIMIT)
    if head.count:
        for record in content(ring, head.start):
            body.add(record, head.age_s(record))
            if body.count == head.count:
                break
    obj = body.object(text)
    return obj if envelope.digest(*obj) == head.digest else None
