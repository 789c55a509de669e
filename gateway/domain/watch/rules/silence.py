"""The cause of a silence: one device, or the uplink that several share.

An outage of the uplink explains the silent devices on it when one moment is after the last
message of each and before the next promised one. Silence alone is never theft.
"""

from gateway.domain.inputs import Auth
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident
from gateway.domain.watch.rules import power, presence
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY, UPLINK = "silent", "uplink"
_NODE_OFF_PLANS = ("move", "cleaning")  # the node may be out of reach, or switched off
_AFTER_PLAN_S = 1800.0  # for a node to find its network after a planned move or cleaning


def judge(context: WatchContext, device: DeviceState) -> None:
    """Decide on a silent device: its uplink is out, it is at fault, or it is too early to say."""
    excused_until = max(presence.silent_at(context, device), _plan_explains_until(context, device))
    if excused_until > context.now:
        _wait(context, device, excused_until)
        return
    uplink = context.uplink_of(device.device)
    if uplink is None:
        _report_device(context, device)
    elif outage := context.open_incident(UPLINK, uplink):
        _stop_waiting(context, device)
        incidents.amend(context, outage, figures=_affected(context, uplink, outage.at))
    elif context.uplink(uplink).muted:
        _stop_waiting(context, device)
    else:
        _compare(context, device, uplink)


def _compare(context: WatchContext, device: DeviceState, uplink: str) -> None:
    """Decide by the neighbours, or wait for them to show whether the uplink works.

    Without a message since it must have tried to send, another silent neighbour makes an outage;
    after the wait a late one does.
    """
    neighbours = context.neighbours(device.device)
    newest = max(presence.last_received_at(d) for d in (device, *neighbours))
    if presence.attempt_due(context, device) <= newest:
        group = _silent_together(context, device)
        active = _active_neighbours(context, device, group)
        if len(group) > max(2, 2 * len(active)):
            _report_uplink(context, uplink, group, active)
        else:
            _report_device(context, device)
        return
    until = presence.decided_by(context, device)
    waited = context.now >= until
    lost = [d for d in neighbours if d.presence != "speaking"]
    together = [d for d in lost if presence.attempt_due(context, d) > newest]
    if together and (waited or any(d.presence == "silent" for d in together)):
        _report_uplink(context, uplink, [device, *together], [])
    elif waited or all(d.presence == "silent" for d in neighbours):
        _report_device(context, device)
    else:
        _wait(context, device, until)


def _plan_explains_until(context: WatchContext, device: DeviceState) -> float:
    """Until when (Unix s) a planned move or cleaning explains the silence; 0 for no such plan.

    It explains it when it overlaps the span from the last message to the last time at which the
    promise could be kept: a node that fell silent before or after that has another reason.
    """
    since, until = presence.last_received_at(device), presence.silent_at(context, device)
    plans = context.registry.plans_during(device.tank, since, until)
    ends = [plan.end + _AFTER_PLAN_S for plan in plans if plan.kind in _NODE_OFF_PLANS]
    return max(ends, default=0.0)


def _wait(context: WatchContext, device: DeviceState, until: float) -> None:
    device.waiting = True
    context.touch(device)
    context.set_timer(device, "wait", until)
    if uplink := context.uplink_of(device.device):
        context.uplink(uplink).undecided = True


def _stop_waiting(context: WatchContext, device: DeviceState) -> None:
    device.waiting = False
    context.touch(device)
    context.set_timer(device, "wait", None)


def end_silence(context: WatchContext, device: DeviceState, was_silent: bool) -> None:
    """A device sent a newest message: close its silence and its uplink's outage.

    The devices on its uplink about which nothing was decided are judged at the next timer.
    """
    if incident := context.open_incident(FAMILY, device.device):
        incidents.close(context, incident, why="speaks")
    uplink = context.uplink_of(device.device)
    if uplink is None:
        return
    outage = context.open_incident(UPLINK, uplink)
    if outage is not None:
        if not _shows_end(outage, device, was_silent):
            return
        figures = {"lasted_s": context.now - outage.at}
        incidents.close(context, outage, why="speaks", figures=figures)
    record = context.uplink(uplink)
    is_over = outage is not None or record.muted
    if not (is_over or record.undecided):
        return  # the usual case, on the path of every message
    record.muted = record.undecided = False
    for other in context.on_uplink(uplink):
        if other.waiting or (is_over and _is_undecided(context, other)):
            _wait(context, other, context.now)


def _shows_end(outage: Incident, device: DeviceState, was_silent: bool) -> bool:
    """Whether a message of the device shows that the outage is over.

    Where some neighbours kept sending all the time, only a message of a silent device does. An
    unsigned one, which anybody can write, shows nothing about devices that sign.
    """
    if device.auth == "unsigned" and outage.auth != "unsigned":
        return False
    return was_silent or all(b.term != "neighbours_speaking" for b in outage.because)


def _is_undecided(context: WatchContext, device: DeviceState) -> bool:
    """Whether a device is silent, and neither reported nor closed by a person."""
    reported = context.open_incident(FAMILY, device.device) is not None
    return device.presence == "silent" and not reported and not device.silence_muted


def _span(context: WatchContext, device: DeviceState) -> tuple[float, float]:
    """From its last message to the latest time of its next attempt to send."""
    return presence.last_received_at(device), presence.attempt_due(context, device)


def _silent_together(context: WatchContext, device: DeviceState) -> list[DeviceState]:
    """The late and silent devices whose silence one moment explains, ``device`` first."""
    after, before = _span(context, device)
    group = [device]
    for other in context.neighbours(device.device):
        other_after, other_before = _span(context, other)
        if other.presence != "speaking" and max(after, other_after) < min(before, other_before):
            after, before = max(after, other_after), min(before, other_before)
            group.append(other)
    return group


def _active_neighbours(
    context: WatchContext, device: DeviceState, group: list[DeviceState]
) -> list[DeviceState]:
    """Neighbours with a message after the latest moment at which the uplink can have failed."""
    lost_by = min(_span(context, d)[1] for d in group)
    return [
        other
        for other in context.neighbours(device.device)
        if other.presence != "silent" and presence.last_received_at(other) > lost_by
    ]


def terms(context: WatchContext, device: DeviceState) -> list[Term]:
    """The evidence for the cause of a silence, without that of handling before it."""
    promise = presence.promise_in_force(context, device)
    towards = {"battery": 1.0, "network_out": 1.0, "sensor_fault": 0.3, "seized": 0.3}
    values = {"last_word_at": promise.received, "promised_s": promise.next_s}
    found = [Term("silence", "measured", towards, values), *power.terms(device)]
    active = len(_active_neighbours(context, device, [device]))
    together = _silent_together(context, device)[1:]
    silent = sum(1 for neighbour in together if neighbour.presence == "silent")
    if active:
        against = {"network_out": -3.0}
        found.append(Term("neighbours_speaking", "measured", against, {"devices": active}))
    elif silent:
        towards = {"network_out": 2.0 + silent}
        found.append(Term("neighbours_silent", "measured", towards, {"devices": silent}))
    outages = context.listening.outages
    if deaf_s := sum(end - start for start, end in outages if end > promise.received):
        found.append(Term("own_downtime", "measured", {"network_out": 0.7}, {"seconds": deaf_s}))
    return found


def _report_device(context: WatchContext, device: DeviceState) -> None:
    """Report one device as *silent*, or as *battery* when that is the probable cause.

    *Silent* claims that the device is the cause, not the network that it has to itself or shares.
    """
    _stop_waiting(context, device)
    causes, leader, because = weigh(terms(context, device))
    flat = leader == "battery"
    if flat:
        power.close_warning(context, device)
    probability = causes["battery"] if flat else 1.0 - causes["network_out"]
    incidents.report(
        context, FAMILY, device.device, at=presence.last_received_at(device),
        kind="battery" if flat else "silent", probability=probability,
        causes=causes, because=because, auth=device.auth, tank=device.tank,
        figures={
            "last_word_at": presence.last_received_at(device), "battery_mv": device.battery_mv,
        },
    )  # fmt: skip


def _report_uplink(
    context: WatchContext, uplink: str, group: list[DeviceState], active: list[DeviceState]
) -> None:
    towards = {"network_out": 4.5 + len(group) / 2, "theft": -1.0}
    found = [Term("silent_together", "measured", towards, {"devices": len(group)})]
    if active:
        against = {"network_out": -1.5}
        found.append(Term("neighbours_speaking", "measured", against, {"devices": len(active)}))
    causes, _, because = weigh(found)
    lost_at = max(presence.last_received_at(d) for d in group)
    incidents.report(
        context, UPLINK, uplink, at=lost_at, kind="network_out",
        probability=causes["network_out"], causes=causes, because=because,
        auth=_weakest_auth(group), uplink=uplink, figures=_affected(context, uplink, lost_at),
    )  # fmt: skip
    for device in group:
        _stop_waiting(context, device)
        if incident := context.open_incident(FAMILY, device.device):
            incidents.close(context, incident, why="network_out")


def _weakest_auth(group: list[DeviceState]) -> Auth:
    proofs = {d.auth for d in group}
    return "unsigned" if "unsigned" in proofs else "mac" if "mac" in proofs else "sig"


def _affected(context: WatchContext, uplink: str, lost_at: float) -> dict[str, int]:
    """Devices without a message since, including those whose promise still runs."""
    affected = [d for d in context.on_uplink(uplink) if presence.last_received_at(d) <= lost_at]
    return {"devices": len(affected), "tanks": len({d.tank for d in affected})}
