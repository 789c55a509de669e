"""Device time in Unix seconds, its source and its age.

``up`` includes sleep. It is the board's clock since its *mark* (the boot, or the last time it was
set), corrected by the drift that earlier settings showed: asleep, ESP32 clocks run +-2 %. Setting
the clock moves the mark, so ``up`` never jumps. It also corrects the times of unsealed records for
the drift (``records.scaled``); sealed ones stay.
"""

from micropython import const
from node.storage import records

BUILT = 1_795_564_800
"""2026-11-25, Unix s, of this build: TLS checks no certificate by an earlier clock."""

NONE, NTP, GNSS, NET, GW = range(5)
SOURCES = ("none", "ntp", "gnss", "net", "gw")

_EARLIEST = const(1_767_225_600)  # 2026-01-01: an earlier time is certainly wrong
_LATEST = const(4_102_444_800)  # 2100-01-01
FRESH_S = 6 * 3600  # asleep the ESP32's clock runs +-2 %: seven minutes by then
_STEP_S = const(5)  # smaller corrections are drift, not an event
_LEARN_S = const(3600)  # a whole second of error is 280 ppm of an hour: shorter spans teach nothing
_DRIFT_PPM = const(50_000)  # a larger difference is a step, not drift
_AGREED_S = const(300)  # WIRE.md, Event time: so far the gateway believes a clock
_SLACK_S = const(2)  # whole seconds, and the network's delay


def begin(state, rtc_s):
    """A boot at ``rtc_s`` of the board's clock: ``up`` 0, time unknown, the drift kept."""
    state.base = state.mark_rtc = rtc_s
    state.clock_source, state.clock_up = NONE, 0
    state.mark_up = state.sealed_up = state.last_up = 0
    state.scale_end = state.scale_from = state.scale_ppm = 0


def up(state, rtc_s):
    """Seconds since the boot, sleep included."""
    passed = max(0, rtc_s - state.mark_rtc)
    return state.mark_up + passed + passed * state.rate_ppm // 1_000_000


def went_back(state, rtc_s):
    """Whether the board's clock is behind its last value: it lost its power, or was reset."""
    return rtc_s < state.mark_rtc or up(state, rtc_s) < state.last_up


def stamp(state, up_s):
    """(t, ts, ta) of a message sealed ``up_s`` after its boot; t is 0 exactly when ts is none."""
    if state.clock_source == NONE:
        return 0, NONE, 0
    return state.base + up_s, state.clock_source, max(0, up_s - state.clock_up)


def wants(state, rtc_s):
    """Whether the clock is unset or stale; sooner while its drift is not known."""
    age = up(state, rtc_s) - state.clock_up
    return state.clock_source == NONE or not 0 <= age < (FRESH_S if state.rate_ppm else _LEARN_S)


def step(state, rtc_s, unix_s, source, tail=0):
    """Use ``unix_s`` as the time now; the caller sets the board's clock. ``tail`` is the ring's.

    Returns by how many seconds ``t`` was stepped when that is an event, else 0.
    """
    known = state.clock_source != NONE
    up_s = up(state, rtc_s)
    if known:
        _learn(state, rtc_s, unix_s)
        up_s = _placed(state, up_s, unix_s, tail)
    by = unix_s - up_s - state.base
    state.base += by
    state.mark_rtc, state.mark_up = unix_s, up_s
    state.clock_source, state.clock_up = source, up_s
    return by if known and abs(by) >= _STEP_S else 0


def _learn(state, rtc_s, unix_s):
    """Estimate the drift: between two settings the clock ran ``ran`` s while ``true`` s passed."""
    ran, true = rtc_s - state.mark_rtc, unix_s - state.base - state.mark_up
    if ran < _LEARN_S or not _drifted(true, ran):
        return
    rate = (true - ran) * 1_000_000 // ran
    if state.rate_ppm:
        rate = (state.rate_ppm + rate) // 2  # temperature moves it from day to night
    state.rate_ppm = max(-_DRIFT_PPM, min(rate, _DRIFT_PPM))


def _drifted(true, ran):
    return abs(true - ran) <= ran * _DRIFT_PPM // 1_000_000 + _SLACK_S


def _placed(state, up_s, unix_s, tail):
    """``up`` now, after the time since the last setting is scaled to the true time."""
    ran, true = up_s - state.mark_up, unix_s - state.base - state.mark_up
    start = max(state.mark_up, state.sealed_up)
    if state.scale_end or ran <= 0 or not _drifted(true, ran):
        return up_s
    ppm = max(-_DRIFT_PPM, min((true - ran) * 1_000_000 // ran, _DRIFT_PPM))
    if ppm and state.unsealed_count:
        state.scale_end, state.scale_from, state.scale_ppm = tail, start, ppm
        state.last_up = records.scaled(state.last_up, start, ppm)
    return records.scaled(up_s, start, ppm)


def at_least(state, rtc_s, unix_s):
    """Move a clock that is behind ``unix_s`` there, for certificates' dates alone: its source and
    ``up`` do not change. Returns the time to set the board's clock to, or 0.
    """
    if rtc_s >= unix_s:
        return 0
    state.mark_rtc += unix_s - rtc_s
    return unix_s


def differs(state, rtc_s, unix_s):
    """Whether the clock is set, and more than five minutes from ``unix_s``."""
    return state.clock_source != NONE and abs(_now(state, rtc_s) - unix_s) > _AGREED_S


def contradicted(state, rtc_s, unix_s):
    """Whether the gateway's acks contradict ``unix_s``, an unsigned time such as that of NTP.

    It is before an ack, or far from a clock with which an ack agreed since it was set: an hour
    back would hide when a tank was taken. Acks themselves set the clock where it differs.
    """
    if unix_s < state.ack_top:
        return True
    if state.clock_source == NONE or state.ack_t < state.base + state.clock_up - _AGREED_S:
        return False
    age = up(state, rtc_s) - state.clock_up
    return abs(_now(state, rtc_s) - unix_s) > _AGREED_S + age // 50


def _now(state, rtc_s):
    return state.base + up(state, rtc_s)


def plausible(unix_s):
    """Whether ``unix_s`` can be a time at all."""
    return isinstance(unix_s, int) and _EARLIEST <= unix_s < _LATEST
