"""The number of files and connections that this process, and those it starts, may have open."""

import contextlib
import resource


def raise_limit() -> int:
    """Raise it to what the system permits; returns the limit. 1,024, the usual one, is too few:
    connections that do nothing use it up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS: its kernel's own limit is lower
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            return hard
    return soft
