"""How much of a time we listened, by our own notes in the journal. Pure."""

from collections.abc import Iterable

Run = tuple[float, str, float]
"""A ``run`` entry: its time, what it says, and the time of the entry before it (Unix s)."""


def listened_s(runs: Iterable[Run], begin: float, end: float) -> float:
    """Seconds between ``begin`` and ``end`` (Unix s) in which a broker was heard.

    From ``broker_back`` to ``broker_lost`` or ``stop``; a ``start`` without a ``stop`` says that
    we were down since the entry before it. ``end`` is now where the gateway runs, else its last
    entry.
    """
    total, since = 0.0, None
    for at, what, before in runs:
        if since is not None and what in ("start", "stop", "broker_lost"):
            until = before if what == "start" else at
            total += _within(since, until, begin, end)
            since = None
        elif since is None and what == "broker_back":
            since = at
    if since is not None:
        total += _within(since, end, begin, end)
    return total


def _within(start: float, until: float, begin: float, end: float) -> float:
    return max(0.0, min(until, end) - max(start, begin))
