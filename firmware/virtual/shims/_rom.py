"""Mounts the other shims from a memory-mapped ROMFS image, and starts one of them.

The host runs it if MicroPython has ROMFS (``-c "import _rom"``, then the socket's descriptor, the
shim, the image's path and size). The chip's own modules then take little of the heap.
"""

import sys

import ffi
import uctypes
import vfs

_libc = ffi.open(None)
_open = _libc.func("i", "open", "si")
_mmap = _libc.func("p", "mmap", "piiiil")


def mapped(path, size):
    """The first ``size`` bytes of a file, mapped: later changes of the file show. Read only."""
    address = _mmap(0, size, 1, 1, _open(path, 0), 0)  # PROT_READ, MAP_SHARED
    if address == -1:
        raise OSError(12)  # ENOMEM
    return uctypes.bytearray_at(address, size)


if "/shims" not in sys.path:
    vfs.mount(vfs.VfsRom(mapped(sys.argv[3], int(sys.argv[4]))), "/shims")
    sys.path.insert(0, "/shims")
    __import__(sys.argv[2])
