"""Which pins may end a sleep."""

from micropython import const
from node.policy import alarm_budget
from node.storage import clock

CLOSED, OPEN = 1, 2  # State.lid
_AGAIN_S = const(5)


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
        if not self._config.battery:
            return True
        return alarm_budget.may_look(self._state, clock.up(self._state, self._board.rtc_s()))

    def sleep_s(self, seconds):
        """``seconds``, or a few when a pin is active already: it could not wake the board."""
        if self._state.recovery:
            return seconds
        lid = self._config.lid and self.lid_now() != self._state.lid
        moves = self._config.motion and self._board.motion.active() and self.may_look
        return min(seconds, _AGAIN_S) if lid or moves else seconds

    def armed(self):
        """The names of the pins that are to end the sleep: none in recovery mode."""
        if self._state.recovery:
            return ()
        names = ["lid"] if self._config.lid else []
        if self._config.motion:
            names.append("tilt")
            if self.may_look:
                names.append("motion")
        return tuple(names)
