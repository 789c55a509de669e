"""Device time in Unix seconds, its source and its age.

``up`` is the board's clock less its value at the boot, so it counts sleep. Setting the clock
therefore moves that base along: ``up`` never jumps.
"""

import time

NONE, NTP, GNSS, NET, GW = range(5)
SOURCES = ("none", "ntp", "gnss", "net", "gw")

# The ESP32 port counts from 2000, CPython and the unix port from 1970.
_EPOCH = 946_684_800 if time.gmtime(0)[0] == 2000 else 0

EARLIEST = 1_767_225_600  # 2026-01-01: before it no clock of ours was ever right
LATEST = 4_102_444_800  # 2100-01-01
FRESH_S = 6 * 3600  # asleep the ESP32's clock runs +-2 %: seven minutes by then
STEP_S = 5  # smaller corrections are drift, not an event


def unix(local_s):
    """The port's seconds as whole Unix seconds."""
    return int(local_s) + _EPOCH


def local(unix_s):
    """Unix seconds as the port counts them."""
    return unix_s - _EPOCH


def up(state, rtc_s):
    """Seconds since the boot, sleep included."""
    return max(0, rtc_s - state.base)


def stamp(state, up_s):
    """(t, ts, ta) of a message sealed ``up_s`` after its boot; t is 0 exactly when ts is none."""
    if state.clock_source == NONE:
        return 0, NONE, 0
    return state.base + up_s, state.clock_source, max(0, up_s - state.clock_up)


def wants(state, rtc_s):
    """Whether the clock is unset or stale."""
    age = up(state, rtc_s) - state.clock_up
    return state.clock_source == NONE or not 0 <= age < FRESH_S


def step(state, rtc_s, unix_s, source):
    """Take ``unix_s`` as the time now. Returns the step in s when it is an event, else 0."""
    by = unix_s - rtc_s
    known = state.clock_source != NONE
    state.base += by
    state.clock_source = source
    state.clock_up = up(state, unix_s)
    return by if known and abs(by) >= STEP_S else 0


def at_least(state, rtc_s, unix_s):
    """Move a clock that is behind ``unix_s`` there, for certificates' dates alone: its source and
    ``up`` stay what they are. Returns what to set the board's clock to, or 0.
    """
    if rtc_s >= unix_s:
        return 0
    state.base += unix_s - rtc_s
    return unix_s


def plausible(unix_s):
    """Whether ``unix_s`` can be a time at all."""
    return isinstance(unix_s, int) and EARLIEST <= unix_s < LATEST


def unix_of(year, month, day, hour, minute, second):
    """Unix seconds of a date in UTC, by the civil calendar's own rule."""
    shifted = year - (1 if month <= 2 else 0)  # years from March: the leap day comes last
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719468
    return days * 86400 + hour * 3600 + minute * 60 + second
