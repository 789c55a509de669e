"""NOR flash in a file: programming clears bits, only erasing a sector sets them.

``cut`` in the host's greeting is the number of bytes after which the power fails: programming stops
in the middle of a byte, erasing in the middle of a sector.
"""

from micropython import const

import _hal

_STEP = const(64)  # the board's heap is small, and holds these shims as well
_BLANK = b"\xff" * _STEP


class Flash:
    """One partition in a file beside the board's file system. Blank bytes read 0xFF."""

    SECTOR = 4096

    def __init__(self, name, size):
        self._size = size
        self._path = "../" + name
        try:
            self._file = open(self._path, "r+b")
        except OSError:
            with open(self._path, "wb") as blank:
                for _ in range(size // self.SECTOR):
                    blank.write(b"\xff" * self.SECTOR)
            self._file = open(self._path, "r+b")

    def read(self, address, buffer):
        """Fill ``buffer``."""
        self._check(address, len(buffer))
        self._file.seek(address)
        self._file.readinto(buffer)

    def program(self, address, data):
        """Clear the bits that are 0 in ``data``; bits that are 0 already stay 0."""
        self._check(address, len(data))
        whole, torn = _power_lasts(len(data))
        if torn and whole < len(data):
            # The byte under way keeps some of its ones: half of its bits were programmed.
            self._clear(address, bytes(data[:whole]) + bytes([data[whole] | 0x55]))
        else:
            self._clear(address, data)
        if torn:
            _hal.last_word("power_lost")

    def erase(self, sector):
        """Set a sector's bits to 1."""
        self._check(sector * self.SECTOR, self.SECTOR)
        whole, torn = _power_lasts(self.SECTOR)
        self._file.seek(sector * self.SECTOR)
        for at in range(0, whole, len(_BLANK)):
            self._file.write(_BLANK[: whole - at])
        self._file.flush()
        if torn:
            _hal.last_word("power_lost")

    def write(self, block, data, offset):
        """As a Partition's ``writeblocks``: without ``offset`` the blocks are erased first."""
        if offset is None:
            for sector in range(-(-len(data) // self.SECTOR)):
                self.erase(block + sector)
            offset = 0
        self.program(block * self.SECTOR + offset, data)

    def ioctl(self, operation, argument):
        """As a Partition's. 4: number of blocks; 5: their size; 6: erase block ``argument``."""
        if operation == 4:
            return self._size // self.SECTOR
        if operation == 5:
            return self.SECTOR
        if operation == 6:
            self.erase(argument)
            return 0
        return None

    def _clear(self, address, data):
        held = bytearray(min(len(data), _STEP))
        for at in range(0, len(data), _STEP):
            part = memoryview(held)[: min(_STEP, len(data) - at)]
            self._file.seek(address + at)
            self._file.readinto(part)
            for i in range(len(part)):
                part[i] &= data[at + i]
            self._file.seek(address + at)
            self._file.write(part)
        self._file.flush()

    def _check(self, address, count):
        if address < 0 or address + count > self._size:
            raise OSError(0x102)  # ESP_ERR_INVALID_ARG


def _power_lasts(count):
    """(bytes of ``count`` done before the power fails, whether it fails among or after them)."""
    left = _hal.boot.get("cut")
    if left is None:
        return count, False
    _hal.boot["cut"] = left - count
    return (left, True) if left < count else (count, False)
