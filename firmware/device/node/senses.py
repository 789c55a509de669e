"""What goes on at the tank in one wake: its level, hands on it, the cell; kept at once."""

import time

from drivers import SensorError

from node import clock, faults, measure, plausible, policy, records
from node.hands import Hands

_LONG_S = 3600  # since a good value before this boot


class Senses:
    """Reads ``board``'s sensors into ``queue``; what it found stands in its attributes."""

    def __init__(self, board, config, queue, plan):
        self._board = board
        self._config = config
        self._queue = queue
        self._state = queue.state
        self._plan = plan
        self._hands = Hands(board, config, queue, self._must_speak)
        self.value = None
        """The level measured in this wake, in the sensor's unit."""
        self.moved = False
        """Whether it left the last told value by the threshold."""
        self.event = False
        """Whether an event was confirmed in this wake."""
        self.mv = 0
        """Battery in millivolts, 0 on mains."""

    def started(self):
        """After a reset: what the chips forgot is set up again."""
        self._hands.started()

    def level(self):
        """Measure the level and keep it; what cannot be believed is kept as null, and told."""
        tc = self._temperature()
        sensor = self._board.sensor(self._config)
        sensor.tc = tc
        burst = measure.taken(sensor, time.ticks_ms, time.ticks_diff)
        self._board.sensor_off()
        code = burst.code or self._judged(sensor, burst.value)
        value = None if code and code != plausible.STUCK else burst.value
        self._queue.add_sample(
            records.Sample(
                self._up(), sensor.quantity, value, burst.spread, burst.valid, burst.tried, tc
            )
        )
        self._tell_fault(code)
        self.value = value
        if value is not None:
            self._good(value)
            change = abs(value - self._state.spoken)
            self.moved = not self._state.spoken_set or change >= self._plan.change(sensor.quantity)

    def _judged(self, sensor, value):
        state, up = self._state, self._up()
        last = state.good if state.good_set else None
        code = plausible.judged(
            value,
            plausible.limits(self._config, sensor),
            sensor.blind_mm,
            last,
            up - state.good_up if state.good_up else _LONG_S,
            faults.CODES[state.fault] == plausible.BLIND,
        )
        if code:
            return code
        if value != last:
            state.same_up = up
        return plausible.STUCK if up - state.same_up >= plausible.STUCK_S else ""

    def _good(self, value):
        state = self._state
        state.good, state.good_set, state.good_up = value, 1, self._up()

    def _tell_fault(self, code):
        told = faults.heard(self._state, code)
        if told is None:
            return
        self._queue.add_event(self._up(), faults.event("sensor", told))
        if told != faults.OVER and faults.speaks(self._state, self._up()):
            self._state.pending = 1

    def _temperature(self):
        """Tenths of a degree C, or None: only an accelerometer whose zero is known tells it."""
        if self._config.temp_zero is None:
            return None
        try:
            chip = self._hands.accelerometer()
            return None if chip is None else (chip.read_temperature() + self._config.temp_zero) * 10
        except SensorError:
            return None  # told as a fault by the look that follows

    def presence(self):
        """Look at lid, motion and tilt; confirmed, recovery mode begins."""
        self._hands.look()

    def enter_recovery(self):
        """Report often from now on, and at once: an order."""
        self._hands.order_recovery()

    def armed(self):
        """The board's pins that shall end the coming sleep."""
        return self._hands.armed()

    def battery(self):
        """Measure the cell; a change between low and well is an event."""
        if self._config.battery:
            self.mv = self._board.battery_mv() * self._config.battery_permille // 1000
        low = policy.low_battery(self._state, self.mv)
        if low != self._state.low:
            self._state.low, self._state.pending = low, 1
            self._queue.add_event(
                self._up(), faults.event("battery", "low" if low else faults.OVER)
            )

    def _must_speak(self):
        self.event = True

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())
