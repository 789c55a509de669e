"""What goes on at the tank in one wake: its level, hands on it, the cell; kept at once."""

import time

from drivers import presence

from node import clock, measure, policy, records

_SAMPLES = 7
_SENSE_MS = 3000
_GLANCE_MS = 200
_SHAKES = 8


class Senses:
    """Reads ``board``'s sensors into ``queue``; what it found stands in its attributes."""

    def __init__(self, board, config, queue, plan):
        self._board = board
        self._config = config
        self._queue = queue
        self._state = queue.state
        self._plan = plan
        self.value = None
        """The level measured in this wake, in the sensor's unit."""
        self.moved = False
        """Whether it left the last told value by the threshold."""
        self.event = False
        """Whether an event was confirmed in this wake."""
        self.mv = 0
        """Battery in millivolts, 0 on mains."""

    def level(self):
        """Measure the level and keep it."""
        sensor = self._board.sensor(self._config)
        samples = measure.sampled(sensor.read, time.ticks_ms, time.ticks_diff, _SAMPLES, _SENSE_MS)
        self._board.sensor_off()
        burst = measure.burst(samples)
        state, quantity = self._state, sensor.quantity
        self._queue.add_sample(
            records.Sample(
                self._up(), quantity, burst.value, burst.spread, burst.valid, burst.tried
            )
        )
        self.value = burst.value
        if burst.value is not None:
            change = abs(burst.value - state.spoken)
            self.moved = not state.spoken_set or change >= self._plan.change(quantity)

    def presence(self):
        """Look whether somebody moves or tilts the tank; confirmed, recovery mode begins."""
        motion, tilt = self._board.motion, self._board.tilt
        if not tilt.active():
            self._state.tilted = 0
        if self._state.recovery:
            self._recover()
            return
        pins = (motion,) if self._state.tilted else (motion, tilt)
        if self._board.woke_by_pin() or any(pin.active() for pin in pins):
            self._confirm(pins)

    def _confirm(self, pins):
        """Five seconds of motion or tilt are an event that speaks; one bump is a quiet one."""
        confirmed, lasted_ms = presence.watch(pins)
        self._tell_motion(lasted_ms)
        if confirmed:
            self.enter_recovery()

    def _tell_motion(self, lasted_ms):
        accelerometer = self._board.accelerometer()
        shaken = [accelerometer.read_mg() for _ in range(_SHAKES)] if accelerometer else []
        gravity = measure.mean(shaken)  # shaking averages out, gravity stays
        peak = ',"mg":%d' % max(measure.magnitude(axes) for axes in shaken) if shaken else ""
        self._queue.add_event(self._up(), '"k":"motion","ms":%d%s' % (lasted_ms, peak))
        if self._board.tilt.active():
            # Without the chip's own figures the pin says: at least its threshold.
            deg = measure.tilt_deg(gravity) if gravity else presence.TILT_DEG
            self._queue.add_event(self._up(), '"k":"tilt","deg":%d' % deg)
            self._state.tilted = 1

    def enter_recovery(self):
        """Report often from now on, and at once; during a planned move only at once."""
        state = self._state
        self.event, state.pending = True, 1
        if self._plan.moved_by_us(self._up()):
            return
        state.recovery = 1
        state.recovery_up = state.motion_up = self._up()

    def _recover(self):
        state, up = self._state, self._up()
        _, lasted_ms = presence.watch((self._board.motion,), _GLANCE_MS)
        if lasted_ms or self._board.motion.active():
            state.motion_up = up
            self._tell_motion(lasted_ms)
        elif up - state.motion_up >= policy.STILL_S or self._plan.moved_by_us(up):
            self._queue.add_event(up, '"k":"still"')
            state.recovery, state.pending = 0, 1

    def battery(self):
        """Measure the cell; a change between low and well is an event."""
        self.mv = self._board.battery_mv() if self._config.battery else 0
        low = policy.low_battery(self._state, self.mv)
        if low != self._state.low:
            self._state.low, self._state.pending = low, 1
            code = "low" if low else "ok"
            self._queue.add_event(self._up(), '"k":"fault","s":"battery","c":"%s"' % code)

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())
