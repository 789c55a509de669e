"""Measures the level, tamper sensors and the battery in one wake, and stores the results."""

import time

from drivers import SensorError
from lib import unload
from micropython import const
from node.measure import faults
from node.policy import schedule
from node.storage import clock, mishaps, records

_BUS = const(1)  # of mishaps.py

_LONG_S = const(3600)  # since a good value before this boot


class Measurement:
    """Reads ``board``'s sensors into ``queue``; the results are also in its attributes."""

    def __init__(self, board, config, queue, plan):
        self._board = board
        self._config = config
        self._queue = queue
        self._state = queue.state
        self._plan = plan
        self._loaded_tamper = None
        self.value = None
        """The level measured in this wake, in the sensor's unit."""
        self.moved = False
        """Whether it differs from the last reported value by the threshold."""
        self.event = False
        """Whether an event was confirmed in this wake."""
        self.mv = 0
        """Battery in millivolts, 0 on mains."""

    @property
    def _tamper(self):
        """Loaded when needed: the level is measured without it in most wakes."""
        if self._loaded_tamper is None:
            from node.measure.tamper import TamperWatch

            self._loaded_tamper = TamperWatch(
                self._board, self._config, self._queue, self._request_report
            )
        return self._loaded_tamper

    def set_up(self):
        """After a reset: set the chips up again."""
        self._tamper.set_up()

    def level(self):
        """Measure the level and store it; an implausible value is stored as null, with a fault.

        Then the modules for it are unloaded."""
        self._level()
        self._board.unload_driver()
        unload("node.measure.sampling", "node.measure.plausibility")

    def _level(self):
        from node.measure import plausibility, sampling

        tc = self._temperature()
        quantity = records.QUANTITIES[{"hx711": 1, "probe": 2}.get(self._config.sensor, 0)]
        try:
            sensor = self._board.sensor(self._config)
            sensor.tc = tc
            burst = sampling.take_burst(sensor, time.ticks_ms, time.ticks_diff)
            if burst.error:
                mishaps.add(self._state, _BUS, burst.error)
            code = burst.code or self._judged(plausibility, sensor, burst.value)
        except Exception as error:  # noqa: BLE001 - of a bus: the reading is null, and they go on
            mishaps.add(self._state, _BUS, error)
            burst = sampling.Burst(None, None, 0, 0, "fault")
            code = burst.code
        self._board.sensor_off()
        if burst.code:
            self._state.blind_n = 0
        value = None if code and code != plausibility.STUCK else burst.value
        self._queue.add_sample(
            records.Sample(self._up(), quantity, value, burst.spread, burst.valid, burst.tried, tc)
        )
        self._report_fault(code)
        self.value = value
        if value is not None:
            change = abs(value - self._state.reported)
            self.moved = not self._state.reported_set or change >= self._plan.change(quantity)

    def _judged(self, plausibility, sensor, value):
        state, up = self._state, self._up()
        last = state.good if state.good_set else None
        since_s = up - state.good_up if state.good_up else _LONG_S
        history = sensor.blind_mm, last, since_s, state.blind_n
        bounds = plausibility.limits(self._config, sensor)
        code = plausibility.judged(value, bounds, *history)
        state.blind_n = state.blind_n + 1 if code and plausibility.fell(value, *history) else 0
        if not code and value == last and up - state.same_up >= plausibility.STUCK_S:
            return plausibility.STUCK
        return code

    def _report_fault(self, code):
        changed = faults.update(self._state, code)
        if changed is None:
            return
        self._queue.add_event(self._up(), faults.event("sensor", changed))
        if changed != faults.OVER and faults.should_report(self._state, self._up()):
            self._state.pending = 1

    def _temperature(self):
        """Tenths of a degree C; None without an accelerometer whose zero is known."""
        if self._config.temp_zero is None:
            return None
        try:
            chip = self._tamper.accelerometer()
            return None if chip is None else (chip.read_temperature() + self._config.temp_zero) * 10
        except SensorError:
            return None  # check_tamper reports it as a fault
        except Exception as error:  # noqa: BLE001 - of a bus
            mishaps.add(self._state, _BUS, error)
            return None

    def check_tamper(self):
        """Check lid, motion and tilt; a confirmed alarm begins recovery mode. Then the modules for
        it are unloaded."""
        self._tamper.check()
        self._loaded_tamper = None
        unload("node.measure.tamper", "node.measure.motion", "drivers.lis3dh")

    def battery(self):
        """Measure the cell; a change between low and well is an event."""
        if self._config.battery:
            try:
                self.mv = self._board.battery_mv() * self._config.battery_permille // 1000
            except Exception as error:  # noqa: BLE001 - of a bus: the battery's state is unknown
                mishaps.add(self._state, _BUS, error)
                return
        low = schedule.low_battery(self._state, self.mv)
        if low != self._state.low:
            self._state.low, self._state.pending = low, 1
            self._queue.add_event(
                self._up(), faults.event("battery", "low" if low else faults.OVER)
            )

    def _request_report(self):
        self.event = True

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())
