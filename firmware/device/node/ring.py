"""Records on raw flash, in a ring of sectors, that survive a power cut at any byte.

NOR flash: an erase sets a sector's bits to 1, a write only clears bits. A sector opens with a
header (magic, sequence number, CRC); records follow without gaps: kind, length, CRC32, payload.
The CRC is seeded with the sector's number, so that what an incomplete erase left cannot pass. A
record whose CRC fails is a torn tail: it seals its sector, and the next append opens a new one.
A record may be zeroed in its place: kind 0, which no torn write can leave, keeps only its length.

A *position* is sequence number x 4096 + offset: it only grows, so positions order records.
"""

import binascii
import struct

SECTOR = 4096
_MAGIC = b"NOR1"
_HEADER = "<4sII"
HEADER_SIZE = 12
_RECORD = "<BBI"
RECORD_SIZE = 6
PAYLOAD_LIMIT = 250
RESERVE = 72  # a sector's last bytes: for one record that declares what the next erase drops
ZEROED = 0
_ZEROABLE = 3  # the one kind that is ever zeroed, records.EVENT
_ERASED = 0xFF
_IOCTL_COUNT, _IOCTL_ERASE = 4, 6


class Record:
    """One record: its position, that of the next one, its kind and payload (bytes)."""

    def __init__(self, pos, end, kind, payload):
        self.pos = pos
        self.end = end
        self.kind = kind
        self.payload = payload


class Ring:
    """A ring of records over ``device``, an ``esp32.Partition`` or any like it.

    ``leaving`` (settable) is called with a sector number before that sector is erased, and
    ``opened`` after a new sector is there: the owner declares the loss, then writes its state.
    """

    sector = SECTOR

    def __init__(self, device):
        self._device = device
        self._sectors = device.ioctl(_IOCTL_COUNT, 0)
        if self._sectors < 4:
            raise ValueError("the ring has %d sectors: 4 are the least" % self._sectors)
        self._buffer = bytearray(SECTOR)
        self._buffered = 0
        self.leaving = None
        self.opened = None
        self._index, self.last = self._newest()
        self.first = self._oldest()
        self._offset = self._tail() if self.last else SECTOR

    def _read_number(self, index):
        """The sequence number of the sector at ``index``, 0 if it carries none."""
        head = bytearray(HEADER_SIZE)
        self._device.readblocks(index, head, 0)
        magic, number, crc = struct.unpack(_HEADER, head)
        if magic != _MAGIC or crc != _crc(head[:8], 0) or number % self._sectors != index:
            return 0
        return number

    def _newest(self):
        newest = 0, 0
        for index in range(self._sectors):
            number = self._read_number(index)
            if number > newest[1]:
                newest = index, number
        return newest

    def _oldest(self):
        number = self.last
        while number > 1 and self.last - number < self._sectors - 1:
            if self._read_number((number - 1) % self._sectors) != number - 1:
                break
            number -= 1
        return number

    def _tail(self):
        """Where the newest sector can be appended to; SECTOR when it is torn or full."""
        end = HEADER_SIZE
        for record in self._in_sector(self.last, HEADER_SIZE):
            end = record.end - self.last * SECTOR
        return SECTOR if _dirty(self._load(self.last), end) else end

    def _load(self, number):
        if self._buffered != number:
            self._device.readblocks(number % self._sectors, self._buffer, 0)
            self._buffered = number
        return self._buffer

    def _in_sector(self, number, offset):
        while offset + RECORD_SIZE <= SECTOR:
            buffer = self._load(number)  # again: another walk may have used the buffer
            kind, length, crc = struct.unpack_from(_RECORD, buffer, offset)
            end = offset + RECORD_SIZE + length
            if kind == _ERASED or end > SECTOR:
                return
            payload = bytes(buffer[offset + RECORD_SIZE : end])
            if kind != ZEROED:
                kind = _kind(kind, length, payload, crc, number)
            if kind is None:
                return
            yield Record(number * SECTOR + offset, number * SECTOR + end, kind, payload)
            offset = end

    def records(self, start=0):
        """Every intact record at or after position ``start``, oldest first.

        ``start`` need not be a record's: its sector is walked from the front.
        """
        number = max(start // SECTOR, self.first)
        while 0 < number <= self.last:
            for record in self._in_sector(number, HEADER_SIZE):
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

        Opens a new sector when this one is full, erasing the ring's oldest when it has to.
        Raises ValueError for a payload over PAYLOAD_LIMIT, OSError when the flash fails.
        """
        if len(payload) > PAYLOAD_LIMIT:
            raise ValueError("record of %d bytes: %d at most" % (len(payload), PAYLOAD_LIMIT))
        self.make_room(len(payload))
        return self._write(kind, payload)

    def make_room(self, size):
        """Open a new sector now when a payload of ``size`` bytes would need one."""
        if self._offset + RECORD_SIZE + size > SECTOR - RESERVE:
            self._turn()

    def append_reserved(self, kind, payload):
        """Write into the reserve of the newest sector. Returns whether there was room."""
        if self._offset + RECORD_SIZE + len(payload) > SECTOR:
            return False
        self._write(kind, payload)
        return True

    def zero(self, record):
        """Clear every bit of a record but its length, in its place. May be cut off and repeated."""
        number, offset = record.pos // SECTOR, record.pos % SECTOR
        index = number % self._sectors
        self._device.writeblocks(index, bytes((ZEROED,)), offset)
        self._device.writeblocks(index, bytes(RECORD_SIZE - 2 + len(record.payload)), offset + 2)
        if self._buffered == number:
            self._buffered = 0  # read again

    def _write(self, kind, payload):
        head = bytes((kind, len(payload)))
        crc = _crc(head + payload, self.last)
        pos = self.tail
        record = struct.pack(_RECORD, kind, len(payload), crc) + payload
        self._device.writeblocks(self._index, record, self._offset)
        if self._buffered == self.last:
            self._buffer[self._offset : self._offset + len(record)] = record
        self._offset += len(record)
        return pos

    def _turn(self):
        """Open the next sector: say what goes, erase, write its header, tell the owner."""
        if self.last and self.last - self.first + 1 >= self._sectors:
            if self.leaving:
                self.leaving(self.first)
            self.first += 1
        number = self.last + 1
        index = number % self._sectors
        self._device.ioctl(_IOCTL_ERASE, index)
        head = struct.pack("<4sI", _MAGIC, number)
        self._device.writeblocks(index, head + struct.pack("<I", _crc(head, 0)), 0)
        self._index, self.last, self._offset = index, number, HEADER_SIZE
        self.first = self.first or number
        self._buffered = 0
        if self.opened:
            self.opened()


def _kind(kind, length, payload, crc, number):
    """The kind of an intact record, else None. A cut while zeroing may have cleared some bits."""
    for meant in (kind, _ZEROABLE):
        if meant & kind == kind and crc == _crc(bytes((meant, length)) + payload, number):
            return meant
    return None


def _crc(data, seed):
    return binascii.crc32(data, seed & 0xFFFFFFFF) & 0xFFFFFFFF


def _dirty(buffer, start):
    """Whether a byte from ``start`` on is no longer erased."""
    return bytes(buffer[start:]).strip(b"\xff") != b""
