"""The chip's ``vfs``: the interpreter's own, with a memory-mapped flash partition."""

import sys

import vfs as _real
from micropython import const

import _hal
from _flash import Flash
from _rom import mapped

_LABEL = const("romfs")

mount = _real.mount
umount = _real.umount
VfsRom = _real.VfsRom
VfsPosix = _real.VfsPosix


class _Partition(memoryview):
    """As an ``esp32.Partition``; on the chip only this one can be read as memory."""

    def open(self, flash):
        """The flash behind it."""
        self._flash = flash

    def writeblocks(self, block, data, offset=None):
        """Erase the blocks, then write; with ``offset`` only write: bits go from 1 to 0."""
        self._flash.write(block, data, offset)

    def ioctl(self, operation, argument):
        """4: number of blocks; 5: their size; 6: erase block ``argument``."""
        return self._flash.ioctl(operation, argument)


_found = None


def rom_ioctl(operation, *arguments):
    """1: number of partitions; 2: the partition numbered so, else a negative error number."""
    global _found
    if _LABEL not in _hal.boot["partitions"]:
        return 0 if operation == 1 else -22
    if operation == 1:
        return 1
    if operation != 2 or arguments != (0,):
        return -22  # EINVAL
    if _found is None:
        size = _hal.boot["partitions"][_LABEL][1]
        flash = Flash(_LABEL + ".bin", size)
        _found = _Partition(mapped("../" + _LABEL + ".bin", size))
        _found.open(flash)
    return _found


def start():
    """Replace ``vfs`` and mount the partition's image, as the chip does first."""
    sys.modules["vfs"] = sys.modules[__name__]
    try:
        mount(VfsRom(rom_ioctl(2, 0)), "/rom")
        sys.path.append("/rom")
    except (OSError, TypeError):
        pass  # blank, or there is no such partition
