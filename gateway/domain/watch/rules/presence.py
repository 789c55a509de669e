"""Promises: which devices are late or silent (WIRE.md, Presence).

The promise in force is the newest message's; time in which the gateway did not receive is
credited to it (``listening``). A node that may still back off after an outage is not silent yet.
"""

from gateway.domain.inputs import JournaledMessage
from gateway.domain.outputs import TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Promise
from gateway.domain.watch.rules import back_off

UNPROVEN_S = 3600.0
"""How long an outage that nothing proves delays a verdict on a silent device at most."""
_KEPT_ERAS = 4


def slack_s(next_s: float) -> float:
    """The tolerance of a promise: max(120 s, 5 %)."""
    return 120.0 if next_s <= 2400 else 0.05 * next_s


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


def renew(
    context: WatchContext, device: DeviceState, message: JournaledMessage, live: bool
) -> bool:
    """Put a newest message's promise in force; returns whether the device had been silent."""
    _note_quiet(context, device, message.received)
    for promise in device.promises:
        if promise.era == message.era:
            promise.boot, promise.seq, promise.received = message.boot, message.seq, context.now
            promise.next_s, promise.credit_s = message.next_s, context.listening.credit_s
            promise.live = live
            break
    else:
        device.promises.append(Promise(
            message.era, message.boot, message.seq, context.now, context.now, message.next_s,
            context.listening.credit_s, live,
        ))  # fmt: skip
        del device.promises[:-_KEPT_ERAS]
    was_silent = device.presence == "silent"
    device.presence, device.presence_since, device.waiting = "speaking", context.now, False
    device.silence_muted = False
    if "wait" in device.due:
        context.set_timer(device, "wait", None)
    schedule(context, device)
    return was_silent


def _note_quiet(context: WatchContext, device: DeviceState, received: float) -> None:
    """Keep the time without a message on the uplink that this newest message has ended.

    Unsigned messages prove nothing about an uplink: anybody can write them. The watch's time
    stands still after its clock was set back; ``received`` is the clock's.
    """
    name = context.uplink_of(device.device)
    if name is None or device.auth == "unsigned":
        return
    uplink = context.uplink(name)
    lasted_s = received - uplink.last_clock_at
    if uplink.last_at and lasted_s > back_off.SHORTEST_S:
        shortest_s = _shortest_promise_s(context, name)
        back_off.record(uplink.quiet, uplink.last_at, context.now, shortest_s / 2, lasted_s)
    if uplink.quiet and is_late(context, device):
        back_off.prove(uplink.quiet, last_received_at(device), late_at(context, device))
        while attempt_due(context, device) < context.now and back_off.prove(
            uplink.quiet, last_received_at(device), attempt_due(context, device)
        ):
            pass
    uplink.last_at, uplink.last_clock_at = context.now, received


def _shortest_promise_s(context: WatchContext, uplink: str) -> float:
    """Of the devices on an uplink that may be sending; 0 for none."""
    shortest: float | None = None
    for device in context.on_uplink(uplink):
        if device.presence == "silent" and not device.waiting:
            continue
        next_s = promise_in_force(context, device).next_s
        if shortest is None or next_s < shortest:
            shortest = next_s
    return shortest or 0.0


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
    credit, next_s = context.listening.credit_s - promise.credit_s, promise.next_s
    return promise.received + times * next_s + slack_s(next_s) + credit


def late_at(context: WatchContext, device: DeviceState) -> float:
    """When the device is late (Unix s): promise and slack have passed, own outages excluded."""
    return _deadline(context, promise_in_force(context, device), 1)


def attempt_due(context: WatchContext, device: DeviceState) -> float:
    """By when (Unix s) the device must have tried to send again after its last message.

    Its promise and the slack have passed, and the time for which it may back off after an outage
    of the gateway, or a proven one of its uplink, that it may have met.
    """
    return max(late_at(context, device), _back_off_until(context, device)[0])


def silent_at(context: WatchContext, device: DeviceState) -> float:
    """When the device is silent (Unix s).

    Three times the promise and the slack have passed, own outages excluded, and two promises
    since the end of its back-off after a proven outage of its uplink. A possible one delays it by
    an hour at most.
    """
    promise = promise_in_force(context, device)
    plain = _deadline(context, promise, 3)
    proven, possible = _back_off_until(context, device)
    after = proven + 2 * promise.next_s if proven else 0.0
    return max(plain, after, min(possible, plain + UNPROVEN_S))


def decided_by(context: WatchContext, device: DeviceState) -> float:
    """When (Unix s) to decide on a silent device even if its neighbours have shown nothing."""
    witnessed = _deadline(context, promise_in_force(context, device), 3) + UNPROVEN_S
    return max(silent_at(context, device), witnessed)


def _back_off_until(context: WatchContext, device: DeviceState) -> tuple[float, float]:
    """Until when it may back off after the outages that it may have met, as ``back_off`` says."""
    spans = [back_off.Quiet(start, end, "own") for start, end in context.listening.outages]
    name = context.uplink_of(device.device)
    if name is not None and (uplink := context.uplinks.get(name)):
        for start, end, proven, *hidden_s in uplink.quiet:
            kind = "proven" if proven else "possible"
            spans.append(back_off.Quiet(start, end, kind, *hidden_s))
    promise = promise_in_force(context, device)
    due, steps = _deadline(context, promise, 1), context.listening.steps_ahead
    return back_off.allowed_until(spans, promise.received, due, steps)


def schedule(context: WatchContext, device: DeviceState) -> None:
    """Set the timer of the promise in force: when the device is late, then when it is silent."""
    promise = promise_in_force(context, device)
    late_at, presence = _deadline(context, promise, 1), device.presence
    silent_at = late_at + 2 * promise.next_s
    context.set_timer(device, "late", late_at if presence == "speaking" else None)
    context.set_timer(device, "silent", silent_at if presence == "late" else None)


def check_late(context: WatchContext, device: DeviceState) -> None:
    """Set the presence to *late* when the promise is broken now."""
    if is_deaf(context):
        return  # the engine schedules all devices after that
    if late_at(context, device) > context.now:
        schedule(context, device)
    else:
        device.presence, device.presence_since = "late", context.now
        schedule(context, device)


def is_silent(context: WatchContext, device: DeviceState) -> bool:
    """Whether the device is silent now; otherwise sets the timer again.

    Nobody is while the gateway is deaf; the engine schedules all devices after that.
    """
    if is_deaf(context):
        return False
    at = silent_at(context, device)
    if at > context.now:
        context.set_timer(device, "silent", at)
    return at <= context.now


def is_late(context: WatchContext, device: DeviceState) -> bool:
    """Whether its next message is overdue now, so that what it would report is not known.

    Its promise and the slack have passed, this gateway's outages excluded. While the gateway is
    deaf (``is_deaf``) the outage under way is not excluded yet. False before its first message.
    """
    return bool(device.promises) and context.now > late_at(context, device)


def uplink_is_suspect(context: WatchContext, device: DeviceState, since: float) -> bool:
    """Whether nothing has shown that the device's uplink works since ``since`` (Unix s).

    True when it has neighbours on its uplink that still sent messages then, and none has sent one
    since. False when it shares its uplink with no such neighbour: then nobody could show it.
    """
    neighbours = context.neighbours(device.device)
    if any(last_received_at(neighbour) > since for neighbour in neighbours):
        return False
    return any(silent_at(context, neighbour) > since for neighbour in neighbours)


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
