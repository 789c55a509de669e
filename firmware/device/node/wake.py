"""One wake of the node, from the watchdog to deep sleep."""

import gc

from lib import unload
from micropython import const

from node import FW
from node.policy import schedule
from node.storage import clock, mishaps
from node.storage.queue import FULL_COUNT, Queue
from node.storage.ring import Ring
from node.update.status import UpdateStatus

_RADIO = const(0)  # of mishaps.py
_BUS = const(1)
_HEALTHY_MV = const(3700)
_AGAIN_S = const(120)
_SENSING = "node.measure", "drivers.battery", "node.policy.wake_pins", "node.policy.alarm_budget"
_REPORTING = "node.exchange", "lib.mqtt", "lib.packets"


class Findings:
    """Results of :class:`node.measure.measurement.Measurement`, kept after it is unloaded."""

    def __init__(self, value, moved, event, mv):
        self.value = value
        self.moved = moved
        self.event = event
        self.mv = mv


class Wake:
    """One wake on ``board`` with ``config``. ``run`` returns (seconds to sleep, wake pins).

    ``slots`` and ``feed``: node/start.py.
    """

    def __init__(self, board, config, slots, feed):
        self._board = board
        self._config = config
        self._slots = slots
        self._feed = feed
        try:
            board.prepare(config)
        except Exception as error:  # noqa: BLE001 - the level is null then, all else goes on
            print(repr(error))
        self._queue = Queue(Ring(board.ring_device()), FW, config.k)
        self._state = self._queue.state
        self._plan = schedule.Plan(config, self._state)
        self._update_status = UpdateStatus(slots, self._queue, feed)
        self._loaded_uplink = None
        self.reboot = False
        """Whether to reset instead of sleeping, as orders asked."""
        self.release = None
        """Arguments of ``Download.run`` for an ordered release, or None."""
        self.fresh = False
        """Whether this wake is a boot by power-on."""
        gc.collect()  # what the scan left would fragment the heap before the sensors load

    def _new_measurement(self):
        from node.measure.measurement import Measurement

        return Measurement(self._board, self._config, self._queue, self._plan)

    @property
    def _uplink(self):
        """Loaded when there is something to send: most wakes only measure."""
        if self._loaded_uplink is None:
            from node.exchange.uplink import Uplink

            self._loaded_uplink = Uplink(
                self._board, self._config, self._queue, self._plan, self._update_status
            )
        return self._loaded_uplink

    def run(self):
        """Measure, store, report if due. ``reboot`` and ``release`` say how to continue."""
        before_up, found = self._measure()
        if self.fresh and not 0 < found.mv < _HEALTHY_MV:
            # Power-on by hand: a healthy cell does not fail under the radio, so starts that were
            # cut short on the bench let it wait for two minutes, not for hours.
            state = self._state
            state.fails, state.retry_up = min(state.fails, 1), min(state.retry_up, _AGAIN_S)
        self._place(before_up)
        if self._plan.should_report(self._up(), found.moved, found.event, found.mv):
            self._report(found)
        elif self._state.unsealed_count >= FULL_COUNT:
            self._uplink.seal(found.mv)
        self._queue.save()
        seconds = self._plan.sleep_s(self._up())
        try:
            from node.policy.wake_pins import WakePins

            pins = WakePins(self._board, self._config, self._state)
            return pins.sleep_s(seconds), pins.armed()
        except Exception as error:  # noqa: BLE001 - of a pin: the timer wakes it
            mishaps.add(self._state, _BUS, error)
            return seconds, ()

    def _report(self, found):
        """Report. After any exception the next attempt waits longer, and an event is sealed."""
        state = self._state
        self._unload_sensing()
        # Counted before the attempt: if it ends in a reset, the next attempt still waits.
        state.fails = min(state.fails + 1, 255)
        self._count()
        self._queue.save()
        try:
            self._uplink.report(found)
            self._unload_uplink()
            return
        except Exception as error:  # noqa: BLE001 - radios raise RuntimeError and MemoryError, too
            mishaps.add(state, _RADIO, error)
        self._update_status.record_attempt(False, self._up(), self._plan)
        self._count()
        if self._loaded_uplink is None:  # it could not be loaded
            return
        self._uplink.release = None
        if found.event and state.unsealed_count:
            self._uplink.seal(found.mv)
        self._unload_uplink()

    def _count(self):
        state = self._state
        lte = bool(self._config.lte)
        state.retry_up = self._up() + schedule.retry_s(state.fails, state.recovery, lte)

    def _measure(self):
        """(``up`` of the wake before, :class:`Findings`); no reference to Measurement remains."""
        measurement = self._new_measurement()
        self._boot(measurement)
        before_up = self._state.last_up
        self._update_status.report(self._up(), self._plan)
        self._check()
        measurement.level()
        self._slots.kept()
        self._feed()
        measurement.check_tamper()
        measurement.battery()
        return before_up, Findings(
            measurement.value, measurement.moved, measurement.event, measurement.mv
        )

    def _check(self):
        """Once, when the last good configuration runs in place of the file's; and its end."""
        state, field = self._state, self._config.fault
        if bool(field) != bool(state.config):
            state.config, state.pending = int(bool(field)), 1
            fields = '"k":"fault","s":"config","c":"%s"' % (field or "ok")
            self._queue.add_event(self._up(), fields)

    def _unload_sensing(self):
        """The uplink needs the heap of what measures."""
        unload(*_SENSING)
        gc.collect()

    def _unload_uplink(self):
        """Keep the results; a release keeps its connection and what that needs."""
        self.reboot, self.release = self._uplink.reboot, self._uplink.release
        self._loaded_uplink = None
        unload(*_REPORTING)
        gc.collect()

    def _place(self, before_up):
        """Locate the board when recovery mode asks for it, before the report that carries it."""
        up = self._up()
        if not self._state.recovery or schedule.planned_move(self._state, up):
            return
        from node.policy import location

        if not location.due(self._state, before_up, up):
            return
        fix = None
        try:
            receiver = self._board.receiver(self._config)
            fix = receiver and receiver.fix(location.LOOK_MS)
            self._board.receiver_off()
        except Exception as error:  # noqa: BLE001 - the report matters more than the place
            mishaps.add(self._state, _RADIO, error)
        self._feed()
        if fix:
            self._uplink.set_time(fix.unix_s, clock.GNSS)
            self._queue.add_event(self._up(), location.event(fix))

    @property
    def held_back(self):
        """Whether the radio waits after failed starts."""
        return bool(self._slots.radio_wait_s) and self._state.retry_up > self._up()

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())

    def _boot(self, measurement):
        """Count a boot, unless this is a wake from deep sleep whose clock did not go back."""
        state, rtc_s = self._state, self._board.rtc_s()
        cause = self._board.cause()
        if cause == "wake" and state.boot and not clock.went_back(state, rtc_s):
            return
        from node import booting

        self.fresh = cause == "power"
        booting.boot(rtc_s, self._config, self._queue, self._plan, self._ensure_era)
        del booting
        unload("node.booting")
        # The accelerometer may have lost its settings with the reset.
        measurement.set_up()
        state.retry_up = max(state.retry_up, self._slots.radio_wait_s)
        self._queue.add_event(0, self._update_status.boot_fields(cause))

    def _ensure_era(self):
        self._uplink.ensure_era()
