"""Flash that is memory: this module mounts the other shims from such an image, and starts them.

The host runs it where MicroPython has ROMFS (``-c "import _rom"``, the wire's descriptor and the
image's path behind it). What the chip has built in then takes as little of the heap as it can here.
"""

import sys

import ffi
import uctypes
import vfs

_libc = ffi.open(None)
_open = _libc.func("i", "open", "si")
_mmap = _libc.func("p", "mmap", "piiiil")


def mapped(path, size):
    """The first ``size`` bytes of a file as they stand, now and later; nothing can be written."""
    address = _mmap(0, size, 1, 1, _open(path, 0), 0)  # PROT_READ, MAP_SHARED
    if address == -1:
        raise OSError(12)  # ENOMEM
    return uctypes.bytearray_at(address, size)


if "/shims" not in sys.path:
    vfs.mount(vfs.VfsRom(mapped(sys.argv[3], int(sys.argv[4]))), "/shims")
    sys.path.insert(0, "/shims")
    __import__(sys.argv[2])
