"""When to look for a GNSS fix: in recovery mode only, and never during a planned move.

A fix costs up to a minute of receiver (25 mA): once at the start of the mode, then every five
minutes. It is stored as an event and erased once it is acknowledged.
"""

EVERY_S = 300
LOOK_MS = 45_000


def due(state, before_up, up):
    """Whether this wake looks. ``before_up``: ``up`` of the last record before this wake.

    The wake that enters the mode does not: it reports at once.
    """
    if not state.recovery or up <= state.recovery_up:
        return False
    return _turn(state, up) != _turn(state, before_up)


def _turn(state, up):
    return (max(0, up - state.recovery_up) + EVERY_S - 1) // EVERY_S


def event(fix):
    """The JSON members of the ``fix`` event."""
    return '"k":"fix","lat":%d,"lon":%d,"acc":%d' % (fix.lat, fix.lon, fix.acc)
