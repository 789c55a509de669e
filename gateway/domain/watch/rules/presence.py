"""Promises: who should have spoken by now (WIRE.md, Presence).

The promise in force is the newest message's, counted in time that we were listening.
"""

from gateway.domain.inputs import JournaledMessage, ListeningChange
from gateway.domain.outputs import TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, ListeningState, Promise

LONGEST_BACK_OFF_S = 8 * 3600.0
_DRAIN_LONGEST_S = 1800.0
_CONNECT_LONGEST_S = 120.0
_KEPT_ERAS = 4


def slack_s(next_s: float) -> float:
    """max(120 s, 5 %)."""
    return max(120.0, 0.05 * next_s)


def listen(scene: WatchContext, change: ListeningChange) -> bool:
    """Take a change of our own ears in; True when promises may be judged again from now on."""
    ears = scene.ears
    scene.touch("ears")
    if change.change == "clock":
        ears.credit_s += max(change.step_s, 0.0)
    elif change.change in ("stop", "lost"):
        ears.stopped |= change.change == "stop"
        ears.lost |= change.change == "lost"
        if ears.deaf_since is None:
            ears.deaf_since = change.received
    elif change.change in ("start", "back"):
        _hear_again(scene, ears, change)
    else:
        ears.lost = False
        _end_outage(ears, change.received)
        _settled(scene, ears)
    return is_judging(ears)


def missed_stop(scene: WatchContext, received: float) -> None:
    """A start without a stop: we were down since the last thing that we heard."""
    ears = scene.ears
    if not ears.stopped and 0 < ears.heard_at < received:
        ears.stopped = True
        if ears.deaf_since is None:
            ears.deaf_since = ears.heard_at


def is_judging(ears: ListeningState) -> bool:
    """Whether silence counts now: we listen, and the broker's queue has drained."""
    return ears.deaf_since is None and not ears.settling


def _hear_again(scene: WatchContext, ears: ListeningState, change: ListeningChange) -> None:
    if change.change == "start":
        ears.stopped = False
    else:
        ears.lost = False
    if ears.stopped or ears.lost:
        return
    was_deaf = ears.deaf_since is not None
    _end_outage(ears, change.received)
    if not was_deaf and change.change == "start":
        return
    ears.settling = True
    longest = _CONNECT_LONGEST_S if change.change == "start" else _DRAIN_LONGEST_S
    scene.set_timer("ears", "settled", change.received + longest)


def _end_outage(ears: ListeningState, now: float) -> None:
    if ears.deaf_since is not None and not (ears.stopped or ears.lost):
        outage = max(now - ears.deaf_since, 0.0)
        ears.credit_s += outage + min(outage, LONGEST_BACK_OFF_S)
        ears.deaf_since = None


def _settled(scene: WatchContext, ears: ListeningState) -> None:
    if not (ears.stopped or ears.lost):
        ears.settling = False
        scene.set_timer("ears", "settled", None)


def settled(scene: WatchContext) -> None:
    """Nobody said that the queue has drained, but it has had the time."""
    _settled(scene, scene.ears)


def renew(scene: WatchContext, device: DeviceState, heard: JournaledMessage, live: bool) -> bool:
    """Put a newest message's promise in force; True when the device had been silent."""
    known = next((p for p in device.promises if p.era == heard.era), None)
    promise = Promise(
        heard.era, heard.boot, heard.seq, known.began if known else scene.now, scene.now,
        heard.next_s, scene.ears.credit_s, live,
    )  # fmt: skip
    if known is not None:
        device.promises[device.promises.index(known)] = promise
    else:
        device.promises.append(promise)
        del device.promises[:-_KEPT_ERAS]
    was_silent = device.presence == "silent"
    device.presence, device.presence_since, device.waiting = "speaking", scene.now, False
    schedule(scene, device)
    return was_silent


def speaking(device: DeviceState) -> list[Promise]:
    """The promises that count: the newest era's, and older ones that spoke live beside it."""
    newest = device.promises[-1]
    return [p for p in device.promises[:-1] if p.live and p.received > newest.began] + [newest]


def in_force(scene: WatchContext, device: DeviceState) -> Promise:
    """The promise that is judged: the one that breaks first, while two eras speak."""
    if len(device.promises) == 1:  # nearly always, and asked for with every message
        return device.promises[0]
    return min(speaking(device), key=lambda p: _broken_at(scene, p, 3))


def last_received_at(device: DeviceState) -> float:
    """Receive time of the newest message of any era."""
    return max(p.received for p in device.promises)


def _broken_at(scene: WatchContext, promise: Promise, times: int) -> float:
    credit = scene.ears.credit_s - promise.credit_s
    return promise.received + times * promise.next_s + slack_s(promise.next_s) + credit


def expected_at(scene: WatchContext, device: DeviceState, times: int) -> float:
    """Unix s at which the device is late (``times`` 1) or silent (3), as now known."""
    return _broken_at(scene, in_force(scene, device), times)


def schedule(scene: WatchContext, device: DeviceState) -> None:
    """Set the timers of the promise in force."""
    key, promise = f"device:{device.device}", in_force(scene, device)
    late = device.presence == "speaking"
    silent = device.presence != "silent"
    scene.set_timer(key, "late", _broken_at(scene, promise, 1) if late else None)
    scene.set_timer(key, "silent", _broken_at(scene, promise, 3) if silent else None)


def is_due(scene: WatchContext, device: DeviceState, times: int) -> bool:
    """Whether the promise is really broken now; sets the timer anew when it is not.

    While we do not listen nothing is judged: ``listen`` schedules everything again.
    """
    if not is_judging(scene.ears):
        return False
    if expected_at(scene, device, times) > scene.now:
        schedule(scene, device)
        return False
    return True


def mark_late(scene: WatchContext, device: DeviceState) -> None:
    """Past the promise: *late*."""
    device.presence, device.presence_since = "late", scene.now


def mark_silent(scene: WatchContext, device: DeviceState) -> bool:
    """Past three times the promise: *silent*, and the tank's level unknown.

    False when another era of the device still keeps its promise: only the broken one is dropped.
    """
    counted = speaking(device)
    if len(counted) > 1:
        in_force(scene, device).live = False
        device.promises = [p for p in device.promises if p.live] or device.promises[-1:]
        device.presence = "speaking"
        schedule(scene, device)
        return False
    device.presence, device.presence_since = "silent", scene.now
    scene.set_timer(f"device:{device.device}", "late", None)
    scene.told.append(TankEvent(last_received_at(device), scene.now, device.tank, "silent"))
    return True


def report_back(scene: WatchContext, device: DeviceState) -> None:
    """A silent device speaks again."""
    scene.told.append(TankEvent(scene.now, scene.now, device.tank, "back"))


def expected_next(scene: WatchContext, device: DeviceState) -> float | None:
    """When the device promised to speak again, own downtime added."""
    if not device.promises:
        return None
    promise = in_force(scene, device)
    return promise.received + promise.next_s + scene.ears.credit_s - promise.credit_s
