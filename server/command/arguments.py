"""Secrets on a command line, which every user of the machine can read (``ps``)."""

import contextlib
import ctypes
from pathlib import Path


def hide(secret: str) -> None:
    """Overwrite ``secret`` in this process's own command line. Linux alone; else does nothing.

    The kernel shows the memory in which the arguments were handed over; its bounds are fields 48
    and 49 of /proc/self/stat (proc_pid_stat(5)), for ourselves alone.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        if not 0 < start < end:
            return
        shown = Path("/proc/self/cmdline").read_bytes()
        raw = secret.encode()
        if raw and len(shown) == end - start:
            ctypes.memmove(start, shown.replace(raw, b"x" * len(raw)), len(shown))
