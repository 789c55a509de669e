"""Promises: which devices are late or silent (WIRE.md, Presence).

The promise in force is the newest message's; time in which the gateway did not receive is
credited to it.
"""

from gateway.domain.inputs import JournaledMessage, ListeningChange
from gateway.domain.outputs import TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, ListeningState, Promise

LONGEST_BACK_OFF_S = 8 * 3600.0
_DRAIN_LONGEST_S = 1800.0
_CONNECT_LONGEST_S = 120.0
_KEPT_ERAS = 4
_KEPT_OUTAGES = 8


def slack_s(next_s: float) -> float:
    """The tolerance of a promise: max(120 s, 5 %)."""
    return max(120.0, 0.05 * next_s)


def apply_listening_change(context: WatchContext, change: ListeningChange) -> bool:
    """Apply a change of the gateway's own reception; returns whether silence counts after it."""
    listening = context.listening
    context.touch(context.listening)
    if change.change == "clock":
        listening.credit_s += max(change.step_s, 0.0)
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


def infer_missed_stop(context: WatchContext, received: float) -> None:
    """For a start without a stop: the gateway was down since the last input."""
    listening = context.listening
    if not listening.gateway_stopped and 0 < listening.last_input_at < received:
        listening.gateway_stopped = True
        if listening.offline_since is None:
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
        listening.credit_s += outage + min(outage, LONGEST_BACK_OFF_S)
        listening.outages.append([listening.offline_since, listening.offline_since + outage])
        del listening.outages[:-_KEPT_OUTAGES]
        listening.offline_since = None


def is_deaf(context: WatchContext) -> bool:
    """Whether messages may be missing now, so that nothing may be concluded from their absence.

    True from the moment that the gateway or its broker stops until the broker's queue has drained.
    """
    return not context.listening.is_judging


def was_listening(context: WatchContext, start: float, end: float) -> bool:
    """Whether this gateway received all the time from ``start`` to ``end`` (receive time, Unix s).

    False when an outage of its own, one that lasts included, overlaps the span. It remembers the
    last eight: before the oldest of them it is taken to have listened. While a queue drains it
    receives; ask ``is_deaf`` too for a span that ends now.
    """
    listening = context.listening
    if listening.offline_since is not None and listening.offline_since <= end:
        return False
    return not any(begun <= end and start <= ended for begun, ended in listening.outages)


def end_settling(context: WatchContext) -> None:
    """The broker's queue is drained, or enough time has passed without that report."""
    if not context.listening.is_down:
        context.listening.settling = False
        context.set_timer(context.listening, "settled", None)


def renew(
    context: WatchContext, device: DeviceState, message: JournaledMessage, live: bool
) -> bool:
    """Put a newest message's promise in force; returns whether the device had been silent."""
    known = next((p for p in device.promises if p.era == message.era), None)
    promise = Promise(
        message.era, message.boot, message.seq, known.began if known else context.now, context.now,
        message.next_s, context.listening.credit_s, live,
    )  # fmt: skip
    if known is not None:
        device.promises[device.promises.index(known)] = promise
    else:
        device.promises.append(promise)
        del device.promises[:-_KEPT_ERAS]
    was_silent = device.presence == "silent"
    device.presence, device.presence_since, device.waiting = "speaking", context.now, False
    schedule(context, device)
    return was_silent


def active_promises(device: DeviceState) -> list[Promise]:
    """The promises that count: the newest era's, and those of older eras still active."""
    newest = device.promises[-1]
    return [p for p in device.promises[:-1] if p.live and p.received > newest.began] + [newest]


def promise_in_force(context: WatchContext, device: DeviceState) -> Promise:
    """The promise that is judged: of several active ones, the first to break."""
    if len(device.promises) == 1:  # the usual case, on the path of every message
        return device.promises[0]
    return min(active_promises(device), key=lambda p: _deadline(context, p, 3))


def last_received_at(device: DeviceState) -> float:
    """Receive time of the newest message of any era."""
    return max(p.received for p in device.promises)


def _deadline(context: WatchContext, promise: Promise, times: int) -> float:
    credit = context.listening.credit_s - promise.credit_s
    return promise.received + times * promise.next_s + slack_s(promise.next_s) + credit


def deadline(context: WatchContext, device: DeviceState, times: int) -> float:
    """Unix s at which the device becomes late (``times`` 1) or silent (3)."""
    return _deadline(context, promise_in_force(context, device), times)


def schedule(context: WatchContext, device: DeviceState) -> None:
    """Set the timers of the promise in force."""
    promise = promise_in_force(context, device)
    late = device.presence == "speaking"
    silent = device.presence != "silent"
    context.set_timer(device, "late", _deadline(context, promise, 1) if late else None)
    context.set_timer(device, "silent", _deadline(context, promise, 3) if silent else None)


def is_due(context: WatchContext, device: DeviceState, times: int) -> bool:
    """Whether the promise is broken now; otherwise sets the timer again.

    Nothing is due while silence does not count; the engine schedules all devices after that.
    """
    if not context.listening.is_judging:
        return False
    if deadline(context, device, times) > context.now:
        schedule(context, device)
        return False
    return True


def is_late(context: WatchContext, device: DeviceState) -> bool:
    """Whether its next message is overdue now, so that what it would report is not known.

    Its promise and the slack have passed, this gateway's outages excluded. While the gateway is
    deaf (``is_deaf``) the outage under way is not excluded yet. False before its first message.
    """
    return bool(device.promises) and context.now > deadline(context, device, 1)


def uplink_is_suspect(context: WatchContext, device: DeviceState, since: float) -> bool:
    """Whether nothing has shown that the device's uplink works since ``since`` (Unix s).

    True when it has neighbours on its uplink that still sent messages then, and none has sent one
    since. False when it shares its uplink with no such neighbour: then nobody could show it.
    """
    neighbours = context.neighbours(device.device)
    if any(last_received_at(neighbour) > since for neighbour in neighbours):
        return False
    return any(deadline(context, neighbour, 3) > since for neighbour in neighbours)


def mark_silent(context: WatchContext, device: DeviceState) -> bool:
    """Set the presence to *silent*: three times the promise have passed.

    False when another era of the device keeps its promise: then only the broken one is dropped.
    """
    if len(active_promises(device)) > 1:
        promise_in_force(context, device).live = False
        device.promises = [p for p in device.promises if p.live] or device.promises[-1:]
        device.presence = "speaking"
        schedule(context, device)
        return False
    device.presence, device.presence_since = "silent", context.now
    context.set_timer(device, "late", None)
    context.outputs.append(TankEvent(last_received_at(device), context.now, device.tank, "silent"))
    return True


def next_message_due(context: WatchContext, device: DeviceState) -> float | None:
    """When the next message is promised, plus the gateway's own downtime."""
    if not device.promises:
        return None
    promise = promise_in_force(context, device)
    return promise.received + promise.next_s + context.listening.credit_s - promise.credit_s
