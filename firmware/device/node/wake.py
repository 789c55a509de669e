"""One wake of the node, from the watchdog to deep sleep (DESIGN.md, *The node*)."""

import gc
import time

from lib import unload

from node import FW
from node.policy import alarm_budget, location, schedule
from node.policy.wake_pins import Vigil
from node.storage import clock
from node.storage.queue import FULL_COUNT, Queue
from node.storage.ring import Ring
from node.update.status import Care

_SENSING = "node.measure", "drivers.lis3dh", "drivers.battery"


class Found:
    """What a wake measured, once what measured it is gone: as Senses has it."""

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
        board.prepare(config)
        self._queue = Queue(Ring(board.ring_device()), FW, config.k)
        self._state = self._queue.state
        self._plan = schedule.Plan(config, self._state)
        self._care = Care(slots, self._queue, feed)
        self._vigil = Vigil(board, config, self._state)
        self._speaker = None
        gc.collect()  # what the scan left lies between what stays: sensors are loaded after it

    def _sensing(self):
        from node.measure.measurement import Senses

        return Senses(self._board, self._config, self._queue, self._plan)

    @property
    def _speaking(self):
        """What speaks, loaded when there is something to say: most wakes only measure."""
        if self._speaker is None:
            from node.exchange.uplink import Speaking

            self._speaker = Speaking(self._board, self._config, self._queue, self._plan, self._care)
        return self._speaker

    def run(self):
        """Sense, keep, speak when there is reason to; ``reboot`` tells how it goes on."""
        before_up, found = self._sense()
        self._place(before_up)
        if self._plan.speaks(self._up(), found.moved, found.event, found.mv):
            self._make_room()
            self._speaking.speak(found)
        elif self._state.unsealed_count >= FULL_COUNT:
            self._speaking.seal(found.mv)
        self._queue.save()
        return self._vigil.sleep_s(self._plan.sleep_s(self._up())), self._vigil.armed()

    def _sense(self):
        """(``up`` of the wake before, what was found); what senses is held by nothing else."""
        senses = self._sensing()
        self._boot(senses)
        before_up = self._state.last_up
        self._care.tell(self._up(), self._plan)
        senses.level()
        self._slots.kept()
        self._feed()
        senses.presence()
        senses.battery()
        return before_up, Found(senses.value, senses.moved, senses.event, senses.mv)

    def _make_room(self):
        """What measured leaves the heap to what speaks."""
        self._board.sensed()
        unload(*_SENSING)
        gc.collect()

    def _place(self, before_up):
        """Look where we are, when recovery mode asks for it; before speaking, which tells it."""
        up = self._up()
        if schedule.moved_by_us(self._state, up) or not location.due(self._state, before_up, up):
            return
        receiver = self._board.receiver(self._config)
        fix = receiver and receiver.fix(location.LOOK_MS)
        self._board.receiver_off()
        self._feed()
        if fix:
            self._speaking.take_time(fix.unix_s, clock.GNSS)
            self._queue.add_event(self._up(), location.event(fix))

    @property
    def reboot(self):
        """Whether the board shall reset instead of sleeping: an order, or an update."""
        return self._speaker is not None and self._speaker.reboot

    @property
    def release(self):
        """What node.update needs to go on with a release that was ordered; None: there is none."""
        return self._speaker and self._speaker.release

    @property
    def held_back(self):
        """Whether the radio waits, after starts that died."""
        return bool(self._slots.radio_wait_s) and self._state.retry_up > self._up()

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())

    def _boot(self, senses):
        """Every reset but a wake from deep sleep is a boot; so is a clock that went back."""
        state, rtc_s = self._state, self._board.rtc_s()
        cause = self._board.cause()
        if cause == "wake" and state.boot and not clock.went_back(state, rtc_s):
            return
        if state.unsealed_count and not self._queue.only_boots():
            # What that boot left is sealed under its number, with its last record's times.
            self._speaking.need_era()
            self._queue.seal(state.last_up, self._plan.promise_s(state.last_up))
        if not state.boot or state.seq:  # a boot without a reading never counted
            state.boot, state.seq = state.boot + 1, 0
        state.unsealed, state.unsealed_count = self._queue.ring.tail, 0
        self._begin(rtc_s - time.ticks_diff(time.ticks_ms(), 0) // 1000)
        self._queue.save()
        # A board that resets has lost its accelerometer's settings too.
        senses.started()
        state.retry_up = max(state.retry_up, self._slots.radio_wait_s)
        self._queue.add_event(0, self._care.boot_fields(cause))

    def _begin(self, rtc_s):
        state = self._state
        alarm_budget.carry_over(state, state.last_up)
        clock.begin(state, rtc_s)
        state.promise_up = state.recovery = state.recovery_up = state.motion_up = 0
        # An attempt under way when the power failed was one that failed: a weak cell under the
        # radio's load would reset for ever.
        lte = bool(self._config.lte)
        state.retry_up = schedule.retry_s(state.fails, 0, lte) if state.fails else 0
        state.fault_up = state.good_up = state.same_up = 0
        state.pending = 1
