"""A ring of records on raw flash sectors that survives a power cut at any byte.

NOR flash: an erase sets a sector's bits to 1, a write only clears bits. A sector opens with a
header (magic, sequence number, CRC) and a first record from the ring's owner, in one write;
records follow without gaps: kind, length, CRC32, payload. The CRC is seeded with the sector's
number, so that remains of an incomplete erase fail it. A record whose CRC fails is a torn tail: it
closes its sector, and the next append opens a new one.

A record may be zeroed in place: kind 0, which no torn write can leave, keeps only its length.

A sector counts once its first record is complete; with that the oldest sector leaves the ring. It
is erased only when the next one opens, so its loss is always recorded first, in that first record;
after a cut in between the ring is as before.

A *position* is sequence number x 4096 + offset: it only grows, so positions order records.
"""

import binascii
import struct

from micropython import const

SECTOR = 4096
_MAGIC = const(b"NOR2")
_HEADER = const("<4sII")
_HEADER_SIZE = const(12)
_RECORD = const("<BHI")
RECORD_SIZE = 7
PAYLOAD_LIMIT = 500
ZEROED = 0
_ZEROABLE = const(3)  # the only kind that is zeroed, records.EVENT
_ERASED = const(0xFF)
_MARK = const(15)
_IOCTL_COUNT = const(4)
_IOCTL_ERASE = const(6)
_STEP = const(512)  # longer than any record with its head
_WINDOW = const(1024)  # bytes of one read: they contain the whole record that begins in a step


class Record:
    """One record: its position, that of the next one, its kind and payload (bytes)."""

    def __init__(self, pos, end, kind, payload):
        self.pos = pos
        self.end = end
        self.kind = kind
        self.payload = payload


class Ring:
    """A ring of records over ``device``, an ``esp32.Partition``.

    ``opening`` (settable) is called before a sector opens, with the first position that the ring
    then has; it returns that sector's first record, (kind, payload). ``damaged``: the newest sector
    has intact records behind one that cannot be read, which no power cut causes.
    """

    sector = SECTOR

    def __init__(self, device):
        self._device = device
        self._sectors = device.ioctl(_IOCTL_COUNT, 0)
        if self._sectors < 4:
            raise ValueError("the ring has %d sectors: 4 are the least" % self._sectors)
        self._buffer = bytearray(_WINDOW)
        self._buffered = 0  # its position
        self.opening = _mark
        self.damaged = False
        self.last = self._newest()
        self.first = self._oldest()
        self._offset = self._tail() if self.last else SECTOR

    def _forget(self, number):
        """A sector was written to: the buffered part of it is read again."""
        if self._buffered // SECTOR == number:
            self._buffered = 0

    def _read(self, index, buffer, offset):
        """Fill ``buffer``; a read that fails is repeated once. Raises OSError for any exception
        of the flash: a walk must not take the end of an iterator for the end of the ring."""
        try:
            self._device.readblocks(index, buffer, offset)
        except Exception:  # noqa: BLE001 - of any class
            try:
                self._device.readblocks(index, buffer, offset)
            except Exception as error:  # noqa: BLE001
                raise OSError("flash failed: %r" % error)  # noqa: B904 - MicroPython warns of chains

    def _read_number(self, index):
        """The sequence number of the sector at ``index``, 0 if it has none."""
        head = bytearray(_HEADER_SIZE)
        self._read(index, head, 0)
        magic, number, crc = struct.unpack(_HEADER, head)
        if magic != _MAGIC or crc != _crc(head[:8], 0) or number % self._sectors != index:
            return 0
        return number

    def _newest(self):
        number = max(self._read_number(index) for index in range(self._sectors))
        if not number or self._counts(number):
            return number
        number -= 1  # the power failed while it opened
        return number if self._read_number(number % self._sectors) == number else 0

    def _counts(self, number):
        for _ in self._in_sector(number, _HEADER_SIZE):
            return True
        # More is written than a torn first record: the sector counted, and is damaged.
        return self._dirty(number, _HEADER_SIZE + RECORD_SIZE + PAYLOAD_LIMIT)

    def _oldest(self):
        number = self.last
        while number > 1 and number > self._stays(self.last):
            if self._read_number((number - 1) % self._sectors) != number - 1:
                break
            number -= 1
        return number

    def _stays(self, number):
        """The oldest sector of a ring whose newest is ``number``."""
        return number - self._sectors + 2

    def _tail(self):
        """The offset in the newest sector to append at; SECTOR when it is torn or full."""
        end = _HEADER_SIZE
        for record in self._in_sector(self.last, _HEADER_SIZE):
            end = record.end - self.last * SECTOR
        if not self._dirty(self.last, end):
            return end
        self.damaged = self._goes_on(end + 1)
        return SECTOR

    def _goes_on(self, start):
        """Whether there is an intact record behind ``start`` of the newest sector."""
        for offset in range(start, SECTOR - RECORD_SIZE):
            buffer, at = self._load(self.last, offset)
            # Most bytes cannot begin a record; a full check of each would fill the heap.
            may_be = ZEROED < buffer[at] <= _MARK and buffer[at + 2] <= PAYLOAD_LIMIT >> 8
            if may_be and self._whole(self.last, offset):
                return True
        return False

    def _dirty(self, number, start):
        """Whether a byte of a sector from ``start`` on is no longer erased."""
        for step in range(start // _STEP * _STEP, SECTOR, _STEP):
            buffer, at = self._load(number, step)
            if bytes(buffer[at + max(start - step, 0) : at + _STEP]).strip(b"\xff"):
                return True
        return False

    def _load(self, number, offset):
        """(bytes read, index of a sector's ``offset`` in them), with all of a record there."""
        begin = min(offset // _STEP * _STEP, SECTOR - _WINDOW)
        if self._buffered != number * SECTOR + begin:
            self._buffered = 0  # should the read fail half-way
            self._read(number % self._sectors, self._buffer, begin)
            self._buffered = number * SECTOR + begin
        return self._buffer, offset - begin

    def _whole(self, number, offset, kinds=None):
        """The intact :class:`Record` at ``offset`` of a sector, else None; ``kinds``: records."""
        if offset + RECORD_SIZE > SECTOR:
            return None
        buffer, at = self._load(number, offset)  # again: another walk may have used the buffer
        kind, length, crc = struct.unpack_from(_RECORD, buffer, at)
        end = offset + RECORD_SIZE + length
        if kind == _ERASED or length > PAYLOAD_LIMIT or end > SECTOR:
            return None
        payload = memoryview(buffer)[at + RECORD_SIZE : at + RECORD_SIZE + length]
        if kind != ZEROED:
            kind = _kind(kind, buffer[at + 1 : at + 3], payload, crc, number)
        if kind is None:
            return None
        copied = kinds is None or kind == ZEROED or kind in kinds
        payload = bytes(payload) if copied else b""
        return Record(number * SECTOR + offset, number * SECTOR + end, kind, payload)

    def _in_sector(self, number, offset, kinds=None):
        record = self._whole(number, offset, kinds)
        while record:
            yield record
            record = self._whole(number, record.end - number * SECTOR, kinds)

    def records(self, start=0, kinds=None):
        """Every intact record at or after position ``start``, oldest first.

        With ``kinds`` the payload of others is left out: a snapshot of the state is 330 bytes.
        ``start`` need not be a record's: its sector is read from the front.
        """
        number = max(start // SECTOR, self.first)
        while 0 < number <= self.last:
            for record in self._in_sector(number, _HEADER_SIZE, kinds):
                if record.pos >= start:
                    yield record
            number += 1

    @property
    def tail(self):
        """The position of the next record."""
        return self.last * SECTOR + self._offset

    @property
    def oldest(self):
        """The first position that is still on flash."""
        return self.first * SECTOR

    def append(self, kind, payload):
        """Write one record; it is on flash on return. Returns its position.

        Opens a new sector when this one is full, which drops the oldest of a full ring. Raises
        ValueError for a payload over PAYLOAD_LIMIT, OSError when the flash fails.
        """
        if len(payload) > PAYLOAD_LIMIT:
            raise ValueError("record of %d bytes: %d at most" % (len(payload), PAYLOAD_LIMIT))
        self.make_room(RECORD_SIZE + len(payload))
        pos = self.tail
        record = _packed(kind, payload, self.last)
        self._device.writeblocks(self.last % self._sectors, record, self._offset)
        self._forget(self.last)
        self._offset += len(record)
        return pos

    def zero(self, record):
        """Clear every bit of a record but its length. May be cut short and repeated."""
        number, offset = record.pos // SECTOR, record.pos % SECTOR
        index = number % self._sectors
        self._device.writeblocks(index, bytes((ZEROED,)), offset)
        self._device.writeblocks(index, bytes(RECORD_SIZE - 3 + len(record.payload)), offset + 3)
        self._forget(number)

    def make_room(self, size):
        """Open a new sector unless ``size`` more bytes, record heads included, fit this one."""
        if self._offset + size > SECTOR:
            self._open_sector()

    def _open_sector(self):
        number = self.last + 1
        index = number % self._sectors
        first = max(self.first or number, self._stays(number))
        self._device.ioctl(_IOCTL_ERASE, index)  # it left the ring when the last sector opened
        self._buffered = 0
        kind, payload = self.opening(first * SECTOR)
        head = struct.pack("<4sI", _MAGIC, number)
        opened = head + struct.pack("<I", _crc(head, 0)) + _packed(kind, payload, number)
        self._device.writeblocks(index, opened, 0)
        self.last, self.first, self._offset, self._buffered = number, first, len(opened), 0


def _mark(_first):
    return _MARK, b""


def _packed(kind, payload, number):
    head = struct.pack("<BH", kind, len(payload))
    return head + struct.pack("<I", _crc(payload, _crc(head, number))) + payload


def _kind(kind, length, payload, crc, number):
    """The kind of an intact record, else None. A cut while zeroing may have cleared some bits."""
    for meant in (kind, _ZEROABLE):
        # Without a copy of the payload, in a heap that is nearly full.
        head = bytes((meant,)) + length
        if meant & kind == kind and crc == _crc(payload, _crc(head, number)):
            return meant
    return None


def _crc(data, seed):
    return binascii.crc32(data, seed & 0xFFFFFFFF) & 0xFFFFFFFF
