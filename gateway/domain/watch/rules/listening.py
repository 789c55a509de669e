"""The gateway's own reception: its outages, its clock, and its broker's queue.

What it did not receive says nothing about nodes: promises are credited with each outage and with
the time for which nodes back off after it (WIRE.md, Presence).
"""

from gateway.domain.inputs import ListeningChange
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import ListeningState
from gateway.domain.watch.rules import back_off

_DRAIN_LONGEST_S = 1800.0
_CONNECT_LONGEST_S = 120.0
_CLOCK_SET_S = 3600.0  # within this after its start, a gateway without a clock learns the time
_KEPT_OUTAGES = 8


def apply_listening_change(context: WatchContext, change: ListeningChange) -> bool:
    """Apply a change of the gateway's own reception; returns whether silence counts after it."""
    listening = context.listening
    context.touch(context.listening)
    if change.change == "clock":
        _step_clock(context, change)
    elif change.change in ("stop", "lost"):
        listening.gateway_stopped |= change.change == "stop"
        listening.broker_lost |= change.change == "lost"
        if listening.offline_since is None:
            listening.offline_since = change.received
    elif change.change in ("start", "back"):
        _resume(context, listening, change)
    else:
        listening.broker_lost = False
        _end_outage(listening, change.received)
        end_settling(context)
    return listening.is_judging


def _step_clock(context: WatchContext, change: ListeningChange) -> None:
    """Credit the seconds that only the clock has counted, or those that it has not counted.

    A step ahead soon after an outage is a part of it: without a battery, a clock goes on after a
    start where it was at the stop. Within an outage the times of its beginning and end contain
    the step; a step back hides a part of it, in which nodes backed off. So does one within a time
    without messages on an uplink.
    """
    listening = context.listening
    ahead, grace = max(change.step_s, 0.0), min(abs(change.step_s), back_off.LONGEST_S)
    if listening.offline_since is not None:
        listening.credit_s += 0.0 if ahead else grace
        return
    listening.credit_s += ahead
    if ahead:
        listening.steps_ahead.append([change.received, ahead])
        del listening.steps_ahead[:-_KEPT_OUTAGES]
    else:
        for uplink in context.uplinks.values():
            uplink.last_clock_at -= abs(change.step_s)
            context.touch(uplink)
    last = listening.outages[-1] if listening.outages else None
    if ahead and last is not None and change.received - last[1] <= _CLOCK_SET_S:
        listening.credit_s += grace
        last[1] = change.received + ahead


def infer_missed_stop(context: WatchContext, received: float) -> None:
    """For a start without a stop: the gateway was down since the last input."""
    listening = context.listening
    is_missed = not listening.gateway_stopped and 0 < listening.last_input_at < received
    if is_missed and listening.offline_since is None:
        listening.offline_since = listening.last_input_at


def _resume(context: WatchContext, listening: ListeningState, change: ListeningChange) -> None:
    if change.change == "start":
        listening.gateway_stopped = False
    else:
        listening.broker_lost = False
    if listening.is_down:
        return
    was_offline = listening.offline_since is not None
    _end_outage(listening, change.received)
    if not was_offline and change.change == "start":
        return
    listening.settling = True
    longest = _CONNECT_LONGEST_S if change.change == "start" else _DRAIN_LONGEST_S
    context.set_timer(listening, "settled", change.received + longest)


def _end_outage(listening: ListeningState, now: float) -> None:
    if listening.offline_since is not None and not listening.is_down:
        outage = max(now - listening.offline_since, 0.0)
        listening.credit_s += outage + min(outage, back_off.LONGEST_S)
        listening.outages.append([listening.offline_since, listening.offline_since + outage])
        del listening.outages[:-_KEPT_OUTAGES]
        listening.offline_since = None


def end_settling(context: WatchContext) -> None:
    """The broker's queue is drained, or enough time has passed without that report."""
    if not context.listening.is_down:
        context.listening.settling = False
        context.set_timer(context.listening, "settled", None)
