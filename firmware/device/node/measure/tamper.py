"""Hands on the tank: motion, tilt and lid, and the recovery mode that they begin."""

import time

from drivers import SensorError
from micropython import const
from node.measure import faults, motion
from node.policy import alarm_budget, schedule, wake_pins
from node.storage import clock

_DRAIN_MS = const(240)  # twelve samples of the FIFO's thirty-two
_STEP_MG = const(16)  # State.rest: a signed byte an axis
_UPRIGHT = 0, 0, 1000


class Hands:
    """Watches ``board``'s accelerometer and lid; tells what it sees into ``queue``.

    ``spoken`` is called when an event must be told in this wake.
    """

    def __init__(self, board, config, queue, spoken):
        self._board = board
        self._config = config
        self._queue = queue
        self._state = queue.state
        self._spoken = spoken
        self._vigil = wake_pins.Vigil(board, config, queue.state)
        self._chip = None

    def accelerometer(self):
        """The LIS3DH, or None when there is none; that it fell silent is told once."""
        if not self._config.motion:
            return None
        if self._chip is None:
            self._chip = self._board.accelerometer()
            self._told_missing(self._chip is None)
        return self._chip

    def _told_missing(self, missing):
        if missing == bool(self._state.motion_fault):
            return
        self._state.motion_fault = int(missing)
        self._tell(faults.event("motion", "missing" if missing else faults.OVER))
        self._state.pending = 1

    def look(self):
        """Look at lid, motion and tilt; confirmed by five seconds, recovery mode begins."""
        state = self._state
        lid_opened = self._lid()
        try:
            chip = self.accelerometer()
            if chip is not None:
                self._presence(chip, lid_opened)
        except SensorError:
            self._chip = None
            self._told_missing(True)
        if state.recovery == schedule.RECOVERING and state.low:
            self._end("reserve")  # never below the reserve voltage

    def _presence(self, chip, lid_opened):
        state = self._state
        if not chip.armed:
            self.arm(chip)
        leans = motion.angle_deg(self.rest, chip.read_mg()) > motion.TILT_DEG
        if state.recovery:
            self._recover(chip)
            return
        moves = self._board.motion.active() and self._vigil.may_look
        if lid_opened or moves or (leans and not state.tilted) or self._board.woke_by_pin():
            self._confirm(chip)
        elif state.tilted and not leans:
            alarm_budget.pay_look(state, self._up())
            if self._tell_upright(self._watched(chip, 1)):
                self._speak()

    def _confirm(self, chip):
        """Five seconds of motion or tilt are an event that speaks; one bump is a quiet one."""
        state = self._state
        alarm_budget.pay_look(state, self._up())
        watch = self._watched(chip, motion.LONGEST_S)
        self._tell_motion(watch)
        upright = self._tell_upright(watch)
        if not watch.confirmed:
            if upright:
                self._speak()
            return
        if schedule.moved_by_us(state, self._up()):
            self._speak()
            return
        affordable = alarm_budget.may_recover(state, self._up()) and not state.low
        if affordable or not self._config.battery:
            self._enter()
        else:
            self._speak()

    def _watched(self, chip, longest_s):
        """Up to ``longest_s`` of samples, fewer when it is over; the chip watches alone again."""
        watch = motion.Watch(self.rest)
        chip.stream()
        for _ in range(longest_s * 1000 // _DRAIN_MS + 1):
            time.sleep_ms(_DRAIN_MS)
            watch.add(chip.samples())
            if watch.over:
                break
        self.arm(chip)
        return watch

    def _tell_motion(self, watch):
        self._tell('"k":"motion","ms":%d,"mg":%d' % (watch.lasted_ms, watch.peak_mg))
        tilted = watch.confirmed or self._state.recovery
        if tilted and watch.deg > motion.TILT_DEG and not self._state.tilted:
            self._tell('"k":"tilt","deg":%d' % watch.deg)
            self._state.tilted = 1

    def _tell_upright(self, watch):
        """After a tilt that was told: that it stands again, once. Returns whether it was told."""
        if not self._state.tilted or not watch.seconds or watch.deg > motion.TILT_DEG:
            return False
        self._tell('"k":"tilt","deg":%d' % watch.deg)
        self._state.tilted = 0
        return True

    def _speak(self):
        """Have the event told in this wake when that can be afforded, else with the next."""
        if not self._config.battery or alarm_budget.pay_report(self._state, self._up()):
            self._state.pending = 1
            self._spoken()

    # Recovery mode

    def _enter(self):
        schedule.begin_recovery(self._state, self._up(), schedule.RECOVERING)
        alarm_budget.pay_report(self._state, self._up())
        self._spoken()

    def _recover(self, chip):
        state, up = self._state, self._up()
        watch = self._watched(chip, 1)
        self._tell_upright(watch)
        tilts = watch.deg > motion.TILT_DEG and not state.tilted
        if watch.stirred or tilts or self._board.motion.active():
            state.motion_up = up
            self._tell_motion(watch)
        elif up - state.motion_up >= schedule.STILL_S or schedule.moved_by_us(state, up):
            self._tell('"k":"still"')
            state.recovery, state.pending = 0, 1
            return
        if (
            state.recovery == schedule.RECOVERING
            and self._config.battery
            and not alarm_budget.pay_report(state, self._up())
        ):
            self._end("budget")

    def _end(self, code):
        self._tell(faults.event("recovery", code))
        self._state.recovery, self._state.pending = 0, 1

    # Rest

    @property
    def rest(self):
        """Gravity (x, y, z) mg while the tank stands as it was left."""
        given = self._config.rest
        if given:
            return given
        kept = tuple(_signed(byte) * _STEP_MG for byte in self._state.rest)
        return kept if any(kept) else _UPRIGHT

    def arm(self, chip):
        """Have the chip watch alone from the rest orientation."""
        chip.arm(self.rest)

    def started(self):
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
            self._told_missing(True)

    def _learn(self, chip):
        """A second of standing still; a tank that moves now is asked at the next reset."""
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
        """Tell a lid that was opened or closed. Returns whether it was opened."""
        if not self._config.lid:
            return False
        state = self._state
        now = self._vigil.lid_now()
        if now == state.lid:
            return False
        opened = (state.lid, now) == (wake_pins.CLOSED, wake_pins.OPEN)
        if state.lid:
            self._tell('"k":"lid","open":%s' % ("true" if opened else "false"))
            self._speak()  # that it is closed again, too: an open lid is waited for
        state.lid = now
        return opened

    def _tell(self, fields):
        self._queue.add_event(self._up(), fields)

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())


def _signed(byte):
    return byte - 256 if byte & 0x80 else byte
