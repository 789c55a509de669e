"""When a node reports, when it promises to, how long it sleeps. Times are seconds of ``up``."""

from micropython import const
from node.storage import clock

RECOVERING, ORDERED = 1, 2  # State.recovery: by itself, or by an order, which no budget limits

LOW_MV = const(3400)  # a cell has little left
_NO_RADIO_MV = const(3300)
_WELL_MV = const(3500)  # hysteresis

_LOW_INTERVAL_S = const(1800)  # measuring is half of a quiet day's charge
_PROMISE_LOW_S = const(604_800)  # the longest promise: below LOW_MV only events are reported
_RECOVERY_FAST_S = const(30)
_RECOVERY_SLOW_S = const(300)
_RECOVERY_FAST_FOR_S = const(30 * 60)
STILL_S = const(10 * 60)

_RETRY_S = const(60)
_RETRY_LONGEST_S = const(4 * 3600)
_RETRY_LONGEST_LTE_S = const(8 * 3600)
# Connections in a row without an ack, and the shortest report interval from then on: unanswered
# messages cost flash and charge, and the gateway allows for it after its own outages.
_AWAY_MISSES = const(12)
_AWAY_REPORT_S = const(3600)
_LONG_MISSES = const(36)
_LONG_REPORT_S = const(7200)
_EARLY = const(97)  # percent of the time to the promise: asleep the clock runs +-2 %


class Plan:
    """The intervals in force: ``down`` overrides the configuration, recovery mode both."""

    def __init__(self, config, state):
        self._config = config
        self._state = state

    @property
    def interval_s(self):
        """Seconds between readings."""
        state = self._state
        wanted = state.interval_s or self._config.interval_s
        return max(wanted, _LOW_INTERVAL_S) if state.low and not state.recovery else wanted

    @property
    def report_s(self):
        """Seconds between messages while all is quiet."""
        wanted = self._state.report_s or self._config.report_s
        if not self.away:
            return wanted
        return max(wanted, _LONG_REPORT_S if self._state.misses >= _LONG_MISSES else _AWAY_REPORT_S)

    @property
    def away(self):
        """Whether no gateway answered for long: changes wait for the schedule, events do not."""
        return self._state.misses >= _AWAY_MISSES

    def promise_s(self, up):
        """``next`` of a message sealed now."""
        if self._state.recovery:
            return recovery_s(self._state, up)
        if self._state.low:
            return _PROMISE_LOW_S
        return self.report_s

    def change(self, quantity):
        """The change of the value that is reported at once, in the unit of ``quantity``."""
        name = "change_" + quantity
        return getattr(self._state, name, 0) or getattr(self._config, name)

    def should_report(self, up, moved, event, mv):
        """Whether to report now.

        ``moved``: the value differs from the last reported one by the threshold; ``event``: one
        was confirmed in this wake, which does not wait for the back-off; ``mv``: battery, 0 on
        mains.
        """
        state = self._state
        if 0 < mv < _NO_RADIO_MV:
            return False
        if event:
            return True
        if up < state.retry_up:
            return False
        if state.pending:
            return True
        return not state.low and ((moved and not self.away) or self._due(up))

    def _due(self, up):
        remaining = self._state.promise_up - up
        step = recovery_s(self._state, up) if self._state.recovery else self.interval_s
        return remaining * 2 <= step

    def sleep_s(self, up):
        """Seconds to sleep from now, at least one."""
        state = self._state
        until = [self.interval_s]
        if state.recovery:
            until.append(recovery_s(state, up) * _EARLY // 100)
        if state.promise_up > up and not state.low:
            until.append((state.promise_up - up) * _EARLY // 100)
        if state.retry_up > up:
            until.append(state.retry_up - up)
        return max(1, min(until))


def planned_move(state, up):
    """Whether a planned move is in force; never without a clock."""
    return state.move_from <= clock.stamp(state, up)[0] < state.move_to


def begin_recovery(state, up, how):
    """Report often from ``up`` on; ``how``: RECOVERING or ORDERED."""
    state.recovery, state.pending = how, 1
    state.recovery_up = state.motion_up = up


def recovery_s(state, up):
    """Seconds between reports in recovery mode: fast for half an hour, then slow."""
    fast = up - state.recovery_up < _RECOVERY_FAST_FOR_S
    return _RECOVERY_FAST_S if fast else _RECOVERY_SLOW_S


def retry_s(fails, recovery, lte=False):
    """Seconds until the next attempt after ``fails`` in a row that reached no broker.

    A failed attempt by LTE costs six of Wi-Fi's, hence the longer wait.
    """
    longest = _RETRY_LONGEST_LTE_S if lte else _RETRY_LONGEST_S
    return min(_RECOVERY_SLOW_S if recovery else longest, _RETRY_S * 2 ** min(fails, 10))


def ack_wait_ms(misses, lte=False):
    """How long to wait for the live ack; after three wakes without one, briefly."""
    return 300 if misses >= 3 else 4000 if lte else 2000


def low_battery(state, mv):
    """1 while the battery is low, 0 while well, with hysteresis; ``mv`` 0 is mains."""
    if mv == 0:
        return 0
    return 1 if mv < (_WELL_MV if state.low else LOW_MV) else 0
