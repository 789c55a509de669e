"""Which pins may end a sleep, and how often each may do so in vain.

A line can lie: INT1 high beside a silent accelerometer, a broken wire that floats. Each has a
budget of wakes that proved nothing; when it is empty the line is not armed, which a fault reports,
until the budget is full again and the line rests. Over a year a broken line costs one wake an hour.
"""

from micropython import const
from node.policy import alarm_budget
from node.storage import clock

CLOSED, OPEN = 1, 2  # State.lid
_MOTION = const(0)  # each module has its own const, which takes no heap
_TILT = const(1)
_LID = const(2)
_NAMES = const("motion tilt lid")
_STATES = const("stuck floating")
_AGAIN_S = const(5)
_VAIN = const(12)  # wakes that proved nothing
_CHANGES = const(24)  # of the lid, which people open, too
_REFILL_S = const(3600)  # for one of either
_LOOKS = const(3)  # the bit that reports motion's own budget, alarm_budget.py's


class WakePins:
    """The pins of ``board`` that may end a sleep, by ``config`` and ``state``."""

    def __init__(self, board, config, state):
        self._board = board
        self._config = config
        self._state = state

    def lid_now(self):
        """CLOSED or OPEN."""
        # Reed: without its magnet the pin is pulled up. Light: a lit transistor pulls it down.
        is_open = self._board.lid.active() == (self._config.lid == "reed")
        return OPEN if is_open else CLOSED

    @property
    def may_look(self):
        """Whether motion may still wake the board."""
        if not self.valid(_MOTION):
            return False
        return not self._config.battery or alarm_budget.may_look(self._state, self._up())

    def valid(self, pin):
        """Whether the line of ``pin`` (0 motion, 1 tilt, 2 lid) did not prove itself broken."""
        return not self._state.pins[3] >> pin & 1

    def add(self, pin):
        """Count a wake of a line in vain, or a change of the lid. Returns (part, code) of a fault
        when that used up its budget, else None."""
        pins = self._refilled()
        pins[pin] = min(pins[pin] + 1, 255)
        broken = self.valid(pin) and pins[pin] >= (_CHANGES if pin == _LID else _VAIN)
        if broken:
            pins[3] |= 1 << pin
        self._state.pins = bytes(pins)
        if not broken:
            return None
        name = _NAMES.split()[pin]
        high = pin != _LID and getattr(self._board, name).active()
        return name, _STATES.split()[not high]

    def report(self):
        """Arm again what has rested for long enough. Returns (part, code) of each fault: ``ok`` of
        these, ``budget`` once bumps used up the checks after motion."""
        found, state = [], self._state
        if any(state.pins):
            pins = self._refilled()
            for pin, name in enumerate(_NAMES.split()):
                high = pin != _LID and getattr(self._board, name).active()
                if pins[3] >> pin & 1 and not pins[pin] and not high:
                    pins[3] &= ~(1 << pin)
                    found.append((name, "ok"))
            if alarm_budget.may_look(state, self._up(), 2):
                pins[3] &= ~(1 << _LOOKS)
            state.pins = bytes(pins) if any(pins[:4]) else bytes(8)
        watches = self._config.motion and self.valid(_MOTION) and self.valid(_LOOKS)
        if watches and not self.may_look:
            pins = self._refilled()
            pins[3] |= 1 << _LOOKS
            state.pins = bytes(pins)
            found.append(("motion", "budget"))
        return found

    def _refilled(self):
        """State.pins now: counts of motion, tilt and lid, bits of those not armed, and since when
        the next refill counts (``up``, which restarts at a boot)."""
        pins, up = bytearray(self._state.pins), self._up()
        since = int.from_bytes(pins[4:], "little")
        if up < since:
            since = 0
        times = (up - since) // _REFILL_S
        for pin in range(3):
            pins[pin] = max(0, pins[pin] - times)
        pins[4:] = (since + times * _REFILL_S).to_bytes(4, "little")
        return pins

    def sleep_s(self, seconds):
        """``seconds``, or a few when a pin is active already: it could not wake the board."""
        if self._state.recovery:
            return seconds
        lid = self._config.lid and self.valid(_LID) and self.lid_now() != self._state.lid
        moves = self._config.motion and self._board.motion.active() and self.may_look
        return min(seconds, _AGAIN_S) if lid or moves else seconds

    def armed(self):
        """The names of the pins that are to end the sleep: none in recovery mode."""
        if self._state.recovery:
            return ()
        names = ["lid"] if self._config.lid and self.valid(_LID) else []
        if self._config.motion:
            if self.valid(_TILT):
                names.append("tilt")
            if self.may_look:
                names.append("motion")
        return tuple(names)

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())
