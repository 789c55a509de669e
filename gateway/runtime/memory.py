"""What the C library keeps of freed memory, which a small machine needs back.

glibc gives every thread a heap of its own and raises by itself the size from which memory goes
back to the kernel: after one long batch, each of some fifteen threads holds on to what it used.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BYTES = 1 << 18


def limit_arenas() -> None:
    """Two heaps for all threads, whose free ends go back; call it before threads start.

    With one, SQLite, which works without the interpreter's lock, waits for whoever holds that.
    Where the C library has no ``mallopt`` (musl, macOS), nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for what, value in (
            (_M_ARENA_MAX, 2),
            (_M_MMAP_THRESHOLD, _KEPT_BYTES),
            (_M_TRIM_THRESHOLD, _KEPT_BYTES),
        ):
            mallopt(what, value)
