"""Counts a boot: every reset but a wake from deep sleep, and a clock that went back."""

import time

from node.policy import alarm_budget, schedule
from node.storage import clock


def boot(rtc_s, config, queue, plan, ensure_era):
    """Begin a boot at ``rtc_s`` of the board's clock.

    ``slots``: node/start.py; ``plan``: schedule.Plan; ``status``: update.status.UpdateStatus;
    ``seal_former()`` draws an era, if there is none, for records of the boot before.
    """
    state = queue.state
    if state.unsealed_count and not queue.only_boots():
        # Records of the boot before are sealed under its number, at its last record's time.
        ensure_era()
        queue.seal(state.last_up, plan.promise_s(state.last_up))
    if not state.boot or state.seq:  # a boot without a reading never counted
        state.boot, state.seq = state.boot + 1, 0
    state.unsealed, state.unsealed_count = queue.ring.tail, 0
    _begin(state, rtc_s - time.ticks_diff(time.ticks_ms(), 0) // 1000, bool(config.lte))
    queue.save()


def _begin(state, rtc_s, lte):
    alarm_budget.carry_over(state, state.last_up)
    clock.begin(state, rtc_s)
    state.promise_up = state.recovery = state.recovery_up = state.motion_up = 0
    # An attempt that the power cut short counts as failed: a weak cell under the radio's load
    # would reset the board endlessly.
    state.retry_up = schedule.retry_s(state.fails, 0, lte) if state.fails else 0
    state.fault_up = state.good_up = state.same_up = 0
    state.pending = 1
