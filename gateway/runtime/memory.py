"""Limits what the C library's allocator and Python keep, for machines with little memory.

glibc has a heap for every thread, and raises by itself the size above which it returns freed memory
to the kernel: after one long batch, each of some fifteen threads keeps what it used.
"""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BYTES = 1 << 18


def limit_arenas() -> None:
    """Limit glibc to two heaps, and have it return free memory; call it before threads start.

    With a single heap, SQLite, which runs without the GIL, waits for the thread that has the GIL.
    Without ``mallopt`` (musl, macOS) this has no effect.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for what, value in (
            (_M_ARENA_MAX, 2),
            (_M_MMAP_THRESHOLD, _KEPT_BYTES),
            (_M_TRIM_THRESHOLD, _KEPT_BYTES),
        ):
            mallopt(what, value)


def freeze() -> None:
    """Exclude all that exists from later collections; call it once a program has started.

    A collection of the server then takes 4 ms instead of 100 ms.
    """
    gc.collect()
    gc.freeze()


def release() -> None:
    """Free cyclic garbage, and return the C library's free memory to the kernel."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
