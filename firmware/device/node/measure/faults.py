"""Reports a failing part once, and once when it is back, instead of at every wake."""

from micropython import const

CODES = (
    "",
    "missing",  # it does not answer
    "garbage",  # it answers nonsense
    "no_echo",
    "disagree",  # samples of one burst contradict each other
    "near",  # above the highest possible level: a wet face, an object
    "far",  # below the floor
    "blind",  # perhaps nearer than the sensor can measure
    "wire",  # 4-20 mA: the loop is broken
    "over",  # more current than a probe gives
    "saturated",
    "stuck",  # the same value for too long
    "timing",
    "fault",  # any other code
)
OVER = "ok"
_AT_ONCE = ("missing", "near", "far", "blind", "wire", "over", "saturated", "stuck")
_TIMES = const(2)  # in a row, for any other; and good readings, for its end
_REPORT_S = const(6 * 3600)  # an intermittent part does not cost a report each time


def update(state, code):
    """Count one outcome of the level sensor, "" for good. Returns the code to report, or None."""
    if bool(code) == bool(state.fault):
        state.fault_n = 0
        return None
    state.fault_n += 1
    if code:
        if state.fault_n < _TIMES and code not in _AT_ONCE:
            return None
        state.fault = CODES.index(code if code in CODES else "fault")
    else:
        if state.fault_n < _TIMES:
            return None
        state.fault = 0
    state.fault_n = 0
    return code or OVER


def should_report(state, up):
    """Whether a new fault is worth a report of its own; ``up`` is now."""
    if state.fault_up and up - state.fault_up < _REPORT_S:
        return False
    state.fault_up = max(1, up)
    return True


def event(part, code):
    """The members of an event ``fault``."""
    return '"k":"fault","s":"%s","c":"%s"' % (part, code)
