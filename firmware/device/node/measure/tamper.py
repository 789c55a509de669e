"""Tamper detection: motion, tilt and lid, and the recovery mode that they begin."""

import time

from drivers import SensorError
from micropython import const
from node.measure import faults, motion
from node.policy import alarm_budget, schedule, wake_pins
from node.storage import clock, mishaps

_BUS = const(1)  # of mishaps.py
_MOTION = const(0)  # of wake_pins.py
_TILT = const(1)
_LID = const(2)

_DRAIN_MS = const(240)  # twelve samples of the FIFO's thirty-two
_STEP_MG = const(16)  # State.rest: a signed byte an axis
_UPRIGHT = 0, 0, 1000


class TamperWatch:
    """Watches ``board``'s accelerometer and lid; adds events to ``queue``.

    ``report`` is called when an event has to be reported in this wake.
    """

    def __init__(self, board, config, queue, report):
        self._board = board
        self._config = config
        self._queue = queue
        self._state = queue.state
        self._report = report
        self._wake_pins = wake_pins.WakePins(board, config, queue.state)
        self._chip = None

    def accelerometer(self):
        """The LIS3DH, or None when there is none; its failure is reported once."""
        if not self._config.motion:
            return None
        if self._chip is None:
            self._chip = self._board.accelerometer()
            self._report_missing(self._chip is None)
        return self._chip

    def _report_missing(self, missing):
        if missing == bool(self._state.motion_fault):
            return
        self._state.motion_fault = int(missing)
        self.add_event(faults.event("motion", "missing" if missing else faults.OVER))
        self._state.pending = 1

    def check(self):
        """Check lid, motion and tilt; five seconds of an alarm begin recovery mode."""
        state = self._state
        lid = state.lid
        lid_opened = self._lid()
        try:
            chip = self.accelerometer()
            if chip is not None:
                self._presence(chip, lid_opened)
        except SensorError:
            self._chip = None
            self._report_missing(True)
        except Exception as error:  # noqa: BLE001 - of a bus; the next wake looks again
            self._chip = None
            mishaps.add(state, _BUS, error)
        if self._config.motion and not self._chip and not state.recovery:
            self._check(self._board.woke_by_pin() and lid == state.lid)
        for given in self._wake_pins.report():
            self._report_fault(given)
        if state.recovery == schedule.RECOVERING and state.low:
            self._end("reserve")  # no recovery mode below the reserve voltage

    def _check(self, by):
        """Disarm an active line without motion, or without an answer from the accelerometer: it is
        broken. ``by``: one of them ended the sleep; if none is active, each armed one may be it.
        """
        pins = (_MOTION, self._board.motion), (_TILT, self._board.tilt)
        active = [pin for pin, line in pins if line.active()]
        if by and not active:
            active = [_TILT] + ([_MOTION] if self._wake_pins.may_look else [])
        for pin in active:
            self._pay(pin)

    def _pay(self, pin):
        if self._wake_pins.valid(pin):
            self._report_fault(self._wake_pins.add(pin))

    def _report_fault(self, given):
        """Report a line that is not armed any more now, one that is armed again by the schedule."""
        if given:
            self.add_event(faults.event(*given))
            if given[1] != faults.OVER:
                self._state.pending = 1

    def _presence(self, chip, lid_opened):
        state = self._state
        if not chip.armed:
            self.arm(chip)
        deg = motion.angle_deg(self.rest, chip.read_mg())
        tilted = deg > motion.TILT_DEG
        if state.recovery:
            self._recover(chip)
            return
        moves = self._board.motion.active() and self._wake_pins.may_look
        if lid_opened or moves or (tilted and not state.tilted) or self._board.woke_by_pin():
            self._confirm(chip)
        elif state.tilted and not tilted:
            alarm_budget.pay_look(state, self._up())
            if self._add_upright(self._watched(chip, 1)):
                self._pay_report()
        elif self._board.tilt.active() and 2 * deg < motion.TILT_DEG:
            self._pay(_TILT)  # near upright, its line cannot be high

    def _confirm(self, chip):
        """Five seconds of motion or tilt are an event to report; a bump waits for the schedule."""
        state = self._state
        alarm_budget.pay_look(state, self._up())
        watch = self._watched(chip, motion.LONGEST_S)
        self._add_motion(watch)
        upright = self._add_upright(watch)
        if not watch.confirmed:
            if not watch.lasted_ms and 2 * watch.deg < motion.TILT_DEG:
                self._check(self._board.woke_by_pin() and not self._wake_pins.may_look)
            if upright:
                self._pay_report()
            return
        if schedule.planned_move(state, self._up()):
            self._pay_report()
            return
        affordable = alarm_budget.may_recover(state, self._up()) and not state.low
        if affordable or not self._config.battery:
            self._enter()
        else:
            self._pay_report()

    def _watched(self, chip, longest_s):
        """The Watch over up to ``longest_s`` of samples; then the chip is armed again."""
        watch = motion.Watch(self.rest)
        chip.stream()
        for _ in range(longest_s * 1000 // _DRAIN_MS + 1):
            time.sleep_ms(_DRAIN_MS)
            watch.add(chip.samples())
            if watch.over:
                break
        self.arm(chip)
        return watch

    def _add_motion(self, watch):
        self.add_event('"k":"motion","ms":%d,"mg":%d' % (watch.lasted_ms, watch.peak_mg))
        tilted = watch.confirmed or self._state.recovery
        if tilted and watch.deg > motion.TILT_DEG and not self._state.tilted:
            self.add_event('"k":"tilt","deg":%d' % watch.deg)
            self._state.tilted = 1

    def _add_upright(self, watch):
        """After a reported tilt: report once that it is upright. Returns whether it was added."""
        if not self._state.tilted or not watch.seconds or watch.deg > motion.TILT_DEG:
            return False
        self.add_event('"k":"tilt","deg":%d' % watch.deg)
        self._state.tilted = 0
        return True

    def _pay_report(self):
        """Have the event reported in this wake if the budget allows, else with the next report."""
        if not self._config.battery or alarm_budget.pay_report(self._state, self._up()):
            self._state.pending = 1
            self._report()

    # Recovery mode

    def _enter(self):
        schedule.begin_recovery(self._state, self._up(), schedule.RECOVERING)
        alarm_budget.pay_report(self._state, self._up())
        self._report()

    def _recover(self, chip):
        state, up = self._state, self._up()
        watch = self._watched(chip, 1)
        self._add_upright(watch)
        tilts = watch.deg > motion.TILT_DEG and not state.tilted
        if watch.moved or tilts or self._board.motion.active():
            state.motion_up = up
            self._add_motion(watch)
        elif up - state.motion_up >= schedule.STILL_S or schedule.planned_move(state, up):
            self.add_event('"k":"still"')
            state.recovery, state.pending = 0, 1
            return
        if (
            state.recovery == schedule.RECOVERING
            and self._config.battery
            and not alarm_budget.pay_report(state, self._up())
        ):
            self._end("budget")

    def _end(self, code):
        self.add_event(faults.event("recovery", code))
        self._state.recovery, self._state.pending = 0, 1

    # Rest

    @property
    def rest(self):
        """Gravity (x, y, z) mg while the tank is in its rest orientation."""
        given = self._config.rest
        if given:
            return given
        learned = tuple(_signed(byte) * _STEP_MG for byte in self._state.rest)
        return learned if any(learned) else _UPRIGHT

    def arm(self, chip):
        """Let the chip watch by itself for motion and for tilt from the rest orientation."""
        chip.arm(self.rest)

    def set_up(self):
        """After a reset: learn the rest orientation, once, and arm the accelerometer."""
        try:
            chip = self.accelerometer()
            if chip is None:
                return
            if not self._config.rest and not any(self._state.rest):
                self._learn(chip)
            self.arm(chip)
        except SensorError:
            self._chip = None
            self._report_missing(True)
        except Exception as error:  # noqa: BLE001 - of a bus; ``check`` arms it
            self._chip = None
            mishaps.add(self._state, _BUS, error)

    def _learn(self, chip):
        """Average a still second; a tank that moves now is measured at the next reset."""
        chip.stream()
        samples = []
        while len(samples) < 1000 // 20:
            time.sleep_ms(_DRAIN_MS)
            found = chip.samples()
            if not found:
                return
            samples += found
        rest = motion.rest_of(samples)
        if rest:
            self._state.rest = bytes((axis + _STEP_MG // 2) // _STEP_MG & 0xFF for axis in rest)

    # Lid

    def _lid(self):
        """Report a lid that was opened or closed. Returns whether it was opened."""
        if not self._config.lid or not self._wake_pins.valid(_LID):
            return False
        state = self._state
        now = self._wake_pins.lid_now()
        if now == state.lid:
            return False
        if state.lid:
            self._pay(_LID)
        opened = (state.lid, now) == (wake_pins.CLOSED, wake_pins.OPEN)
        if state.lid:
            self.add_event('"k":"lid","open":%s' % ("true" if opened else "false"))
            self._pay_report()  # closing, too: somebody waits for an open lid to close
        state.lid = now
        return opened

    def add_event(self, fields):
        """Add an event to the queue, at the time now."""
        self._queue.add_event(self._up(), fields)

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())


def _signed(byte):
    return byte - 256 if byte & 0x80 else byte
