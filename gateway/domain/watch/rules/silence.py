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
_WAIT_S = 3600.0  # for neighbours with long promises to show whether the uplink works


def judge(context: WatchContext, device: DeviceState) -> None:
    """Decide on a silent device: its uplink is out, it is at fault, or neighbours will show."""
    until = _plan_explains_until(context, device)
    if until > context.now:
        _wait(context, device, until)
        return
    uplink = context.uplink_of(device.device)
    if uplink is None:
        _report_device(context, device)
        return
    if outage := context.open_incident(UPLINK, uplink):
        incidents.amend(context, outage, figures=_affected(context, uplink, outage.at))
        return
    if context.uplink(uplink).muted:
        return
    group = _silent_group(context, device)
    active = _active_neighbours(context, device, group)
    if len(group) > 1 and (not active or len(group) > max(2, 2 * len(active))):
        _report_uplink(context, uplink, group, active)
    elif active or all(d.presence == "silent" for d in context.neighbours(device.device)):
        _report_device(context, device)
    else:
        _wait(context, device, context.now + _WAIT_S)


def _plan_explains_until(context: WatchContext, device: DeviceState) -> float:
    """Until when (Unix s) a planned move or cleaning explains the silence; 0 for no such plan.

    It explains it when it overlaps the span from the last message to the last time at which the
    promise could be kept: a node that fell silent before or after that has another reason.
    """
    since, until = presence.last_received_at(device), presence.deadline(context, device, 3)
    plans = context.registry.plans_during(device.tank, since, until)
    ends = [plan.end + _AFTER_PLAN_S for plan in plans if plan.kind in _NODE_OFF_PLANS]
    return max(ends, default=0.0)


def _wait(context: WatchContext, device: DeviceState, until: float) -> None:
    device.waiting = True
    context.touch(device)
    context.set_timer(device, "wait", until)


def judge_after_wait(context: WatchContext, device: DeviceState) -> None:
    """Decide after the wait: neighbours that are late by now count as silent."""
    if not device.waiting or device.presence != "silent":
        return
    uplink = context.uplink_of(device.device)
    if uplink is None or context.open_incident(UPLINK, uplink):
        _report_device(context, device)
        return
    group = _silent_group(context, device, ("late", "silent"))
    active = _active_neighbours(context, device, group)
    if len(group) > 1 and not active:
        _report_uplink(context, uplink, group, active)
    else:
        _report_device(context, device)


def end_silence(context: WatchContext, device: DeviceState) -> None:
    """A device sent a newest message: close its silence and its uplink's outage."""
    if incident := context.open_incident(FAMILY, device.device):
        incidents.close(context, incident, why="speaks")
    uplink = context.uplink_of(device.device)
    if uplink is None:
        return
    outage = context.open_incident(UPLINK, uplink)
    if outage is not None:
        _end_outage(context, uplink, outage)
    else:
        context.uplink(uplink).muted = False
    for other in context.neighbours(device.device):
        if other.waiting and outage is None:
            _shorten_wait(context, other)


def _shorten_wait(context: WatchContext, other: DeviceState) -> None:
    """The uplink works: wait for one more interval of a waiting device, not for neighbours."""
    promise = presence.promise_in_force(context, other)
    until = context.now + min(float(promise.next_s), 900.0) + 120.0
    due = other.due.get("wait")
    if due is None or until < due:
        context.set_timer(other, "wait", until)


def _span(context: WatchContext, device: DeviceState) -> tuple[float, float]:
    """From its last message to the latest time of the next one."""
    promise = presence.promise_in_force(context, device)
    return promise.received, presence.deadline(context, device, 1)


def _silent_group(
    context: WatchContext, device: DeviceState, absent: tuple[str, ...] = ("silent",)
) -> list[DeviceState]:
    """The absent devices of this uplink whose silence one moment explains, ``device`` first."""
    after, before = _span(context, device)
    group = [device]
    for other in context.neighbours(device.device):
        if other.presence not in absent:
            continue
        other_after, other_before = _span(context, other)
        if max(after, other_after) < min(before, other_before):
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
    neighbours = context.neighbours(device.device)
    active = len(_active_neighbours(context, device, [device]))
    silent = sum(1 for n in neighbours if n.presence == "silent")
    if active:
        against = {"network_out": -3.0}
        found.append(Term("neighbours_speaking", "measured", against, {"devices": active}))
    elif silent:
        towards = {"network_out": 2.0 + silent}
        found.append(Term("neighbours_silent", "measured", towards, {"devices": silent}))
    if context.listening.credit_s > promise.credit_s:
        since = {"seconds": context.listening.credit_s - promise.credit_s}
        found.append(Term("own_downtime", "measured", {"network_out": 0.7}, since))
    return found


def _report_device(context: WatchContext, device: DeviceState) -> None:
    """Report one device as *silent*, or as *battery* when that is the probable cause."""
    device.waiting = False
    context.set_timer(device, "wait", None)
    causes, leader, because = weigh(terms(context, device))
    flat = leader == "battery"
    if flat:
        power.close_warning(context, device)
    incidents.report(
        context, FAMILY, device.device, at=presence.last_received_at(device),
        kind="battery" if flat else "silent", probability=causes["battery"] if flat else 1.0,
        causes=causes, because=because, auth=device.auth, tank=device.tank,
        figures={
            "last_word_at": presence.last_received_at(device), "battery_mv": device.battery_mv,
        },
    )  # fmt: skip


def _report_uplink(
    context: WatchContext, uplink: str, group: list[DeviceState], active: list[DeviceState]
) -> None:
    towards = {"network_out": 3.5 + len(group) / 2}
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
        device.waiting = False
        context.touch(device)
        context.set_timer(device, "wait", None)
        if incident := context.open_incident(FAMILY, device.device):
            incidents.close(context, incident, why="network_out")


def _weakest_auth(group: list[DeviceState]) -> Auth:
    proofs = {d.auth for d in group}
    return "unsigned" if "unsigned" in proofs else "mac" if "mac" in proofs else "sig"


def _affected(context: WatchContext, uplink: str, lost_at: float) -> dict[str, int]:
    """Devices without a message since, including those whose promise still runs."""
    affected = [d for d in context.on_uplink(uplink) if presence.last_received_at(d) <= lost_at]
    return {"devices": len(affected), "tanks": len({d.tank for d in affected})}


def _end_outage(context: WatchContext, uplink: str, outage: Incident) -> None:
    """Close an outage; devices still silent have their back-off to reconnect before judgement."""
    lasted = context.now - outage.at
    incidents.close(context, outage, why="speaks", figures={"lasted_s": lasted})
    grace = min(lasted, presence.LONGEST_BACK_OFF_S)
    for other in context.on_uplink(uplink):
        if other.presence == "silent":
            _wait(context, other, context.now + max(grace, 900.0))
