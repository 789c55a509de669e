"""ESP32's ``esp32``: flash partitions that behave as NOR flash, NVS, and wake pins."""

import json
import os

from micropython import const

import _hal
from _flash import Flash

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

_NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND


def wake_on_ext0(pin=None, level=WAKEUP_ANY_HIGH):
    """Let one pin end deep sleep, at a level of its own."""
    _hal.wake["ext0"] = None if pin is None else [pin.number, 1 if level else 0]


def wake_on_ext1(pins=None, level=WAKEUP_ANY_HIGH):
    """Let pins end deep sleep: any high, or all low; the chip has no other mode."""
    _hal.wake["pins"] = [pin.number for pin in pins or ()]
    _hal.wake["level"] = 1 if level else 0


class Partition:
    """A partition of the flash, by label. Only the data partitions that the host names exist."""

    TYPE_DATA = 1

    def __init__(self, id):
        found = _hal.boot["partitions"].get(id)
        if found is None:
            raise OSError(2)  # ENOENT
        self._label = id
        self._address, self._size = found
        self._flash = Flash(id + ".bin", self._size)

    @classmethod
    def find(cls, type=0, label=None):
        """The partitions that match."""
        if type != cls.TYPE_DATA:
            return []
        names = _hal.boot["partitions"]
        return [cls(name) for name in sorted(names) if label in (None, name)]

    def info(self):
        """(type, subtype, address, size, label, encrypted)."""
        return (self.TYPE_DATA, 0x40, self._address, self._size, self._label, False)

    def readblocks(self, block, data, offset=0):
        """Fill ``data`` from a block on."""
        self._flash.read(block * Flash.SECTOR + offset, data)

    def writeblocks(self, block, data, offset=None):
        """Erase the blocks, then write; with ``offset`` only write: bits go from 1 to 0."""
        self._flash.write(block, data, offset)

    def ioctl(self, operation, argument):
        """4: number of blocks; 5: their size; 6: erase block ``argument``."""
        return self._flash.ioctl(operation, argument)


class NVS:
    """Named numbers and blobs in flash. Without ``commit`` they are lost with the power."""

    def __init__(self, name):
        self._path = "../nvs-" + name + ".json"
        try:
            with open(self._path) as stored:
                self._values = json.load(stored)
        except OSError:
            self._values = {}

    def set_i32(self, key, value):
        """Set a 32-bit number."""
        self._values[key] = value

    def get_i32(self, key):
        """A number; OSError when there is none."""
        value = self._values.get(key)
        if not isinstance(value, int):
            raise OSError(_NOT_FOUND)
        return value

    def set_blob(self, key, value):
        """Set bytes."""
        self._values[key] = bytes(value).hex()

    def get_blob(self, key, buffer):
        """Fill ``buffer``; the blob's length; OSError when there is none."""
        value = self._values.get(key)
        if not isinstance(value, str):
            raise OSError(_NOT_FOUND)
        data = bytes.fromhex(value)
        buffer[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        """Delete a key; OSError when there is none."""
        if self._values.pop(key, None) is None:
            raise OSError(_NOT_FOUND)

    def commit(self):
        """Write to flash."""
        with open(self._path + ".new", "w") as stored:
            json.dump(self._values, stored)
        os.rename(self._path + ".new", self._path)
