"""Whose fault a silence is: one device, or the way that several share.

A network that went away explains every device behind it with one moment: after each one's last
word, before each one's next. Silence alone is never theft.
"""

from gateway.domain.inputs import Auth
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident
from gateway.domain.watch.rules import power, presence
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY, UPLINK = "silent", "uplink"
_AFTER_MOVE_S = 1800.0  # after a planned move a node may need a while to find its network
_WAIT_S = 3600.0  # for neighbours with long promises to show whether the way is open


def judge(scene: WatchContext, device: DeviceState) -> None:
    """A device is silent: blame its uplink, itself, or wait for the neighbours to speak."""
    if moving := [p for p in scene.registry.plans_at(device.tank, scene.now) if p.kind == "move"]:
        _wait(scene, device, max(p.end for p in moving) + _AFTER_MOVE_S)
        return
    uplink = scene.uplink_of(device.device)
    if uplink is None:
        blame_device(scene, device)
        return
    if outage := incidents.find(scene, UPLINK, uplink):
        _join(scene, outage)
        return
    if scene.uplink(uplink).muted:
        return
    group = _together(scene, device)
    alive = _alive(scene, device, group)
    if len(group) > 1 and (not alive or _most(group, alive)):
        _blame_uplink(scene, uplink, group, alive)
    elif alive or not _open_question(scene, device):
        blame_device(scene, device)
    else:
        _wait(scene, device, scene.now + _WAIT_S)


def _wait(scene: WatchContext, device: DeviceState, until: float) -> None:
    device.waiting = True
    scene.touch(f"device:{device.device}")
    scene.set_timer(f"device:{device.device}", "wait", until)


def waited(scene: WatchContext, device: DeviceState) -> None:
    """No neighbour settled it in time: those that are late by now count as silent too."""
    if not device.waiting or device.presence != "silent":
        return
    uplink = scene.uplink_of(device.device)
    if uplink is None or incidents.find(scene, UPLINK, uplink):
        blame_device(scene, device)
        return
    group = _together(scene, device, ("late", "silent"))
    alive = _alive(scene, device, group)
    if len(group) > 1 and not alive:
        _blame_uplink(scene, uplink, group, alive)
    else:
        blame_device(scene, device)


def spoke(scene: WatchContext, device: DeviceState) -> None:
    """A device is heard live: its own silence ends, and so does its uplink's."""
    if incident := incidents.find(scene, FAMILY, device.device):
        incidents.close(scene, incident, why="speaks")
    uplink = scene.uplink_of(device.device)
    if uplink is None:
        return
    outage = incidents.find(scene, UPLINK, uplink)
    if outage is not None:
        _end_outage(scene, uplink, outage)
    elif scene.uplink(uplink).muted:
        scene.uplink(uplink).muted = False
    for other in scene.neighbours(device.device):
        if other.waiting and outage is None:
            _settle(scene, other)


def _settle(scene: WatchContext, other: DeviceState) -> None:
    """A neighbour spoke: the way is open, so the waiting one gets one more turn, then is alone."""
    promise = presence.in_force(scene, other)
    turn = min(float(promise.next_s), 900.0) + 120.0
    wait = scene.now + turn
    due = other.due.get("wait")
    if due is None or wait < due:
        scene.set_timer(f"device:{other.device}", "wait", wait)


def _span(scene: WatchContext, device: DeviceState) -> tuple[float, float]:
    """From its last word to when it should have spoken at the latest."""
    promise = presence.in_force(scene, device)
    return promise.received, presence.expected_at(scene, device, 1)


def _together(
    scene: WatchContext, device: DeviceState, absent: tuple[str, ...] = ("silent",)
) -> list[DeviceState]:
    """The absent devices of this uplink whose silence one moment explains."""
    after, before = _span(scene, device)
    group = [device]
    for other in scene.neighbours(device.device):
        if other.presence not in absent:
            continue
        other_after, other_before = _span(scene, other)
        if max(after, other_after) < min(before, other_before):
            after, before = max(after, other_after), min(before, other_before)
            group.append(other)
    return group


def _alive(scene: WatchContext, device: DeviceState, group: list[DeviceState]) -> list[DeviceState]:
    """Neighbours heard after the latest moment at which the network could have gone."""
    gone_by = min(_span(scene, d)[1] for d in group)
    return [
        other
        for other in scene.neighbours(device.device)
        if other.presence != "silent" and presence.last_received_at(other) > gone_by
    ]


def _most(group: list[DeviceState], alive: list[DeviceState]) -> bool:
    return len(group) > 2 and len(group) > 2 * len(alive)


def _open_question(scene: WatchContext, device: DeviceState) -> bool:
    """Whether some neighbour has neither spoken since nor broken its promise."""
    return any(other.presence != "silent" for other in scene.neighbours(device.device))


def terms(scene: WatchContext, device: DeviceState) -> list[Term]:
    """What a silence says of its cause, apart from any handling before it."""
    promise = presence.in_force(scene, device)
    found = [
        Term(
            "silence",
            "measured",
            {"battery": 1.0, "network_out": 1.0, "sensor_fault": 0.3, "seized": 0.3},
            {"last_word_at": promise.received, "promised_s": promise.next_s},
        )
    ]
    found += power.terms(device)
    neighbours = scene.neighbours(device.device)
    speaking = len(_alive(scene, device, [device]))
    silent = sum(1 for n in neighbours if n.presence == "silent")
    if speaking:
        against = {"network_out": -3.0}
        found.append(Term("neighbours_speaking", "measured", against, {"devices": speaking}))
    elif silent:
        towards = {"network_out": 2.0 + silent}
        found.append(Term("neighbours_silent", "measured", towards, {"devices": silent}))
    if scene.ears.credit_s > promise.credit_s:
        since = {"seconds": scene.ears.credit_s - promise.credit_s}
        found.append(Term("own_downtime", "measured", {"network_out": 0.7}, since))
    return found


def blame_device(scene: WatchContext, device: DeviceState) -> None:
    """One silent device: *silent*, or *battery* when that is what it was about to be."""
    device.waiting = False
    scene.set_timer(f"device:{device.device}", "wait", None)
    causes, leader, because = weigh(terms(scene, device))
    flat = leader == "battery"
    if flat:
        power.merge(scene, device)
    incidents.report(
        scene, FAMILY, device.device, at=presence.last_received_at(device),
        kind="battery" if flat else "silent", probability=causes["battery"] if flat else 1.0,
        causes=causes, because=because, auth=device.auth, tank=device.tank,
        figures={
            "last_word_at": presence.last_received_at(device), "battery_mv": device.battery_mv,
        },
    )  # fmt: skip


def _blame_uplink(
    scene: WatchContext, uplink: str, group: list[DeviceState], alive: list[DeviceState]
) -> None:
    towards = {"network_out": 3.5 + len(group) / 2}
    found = [Term("silent_together", "measured", towards, {"devices": len(group)})]
    if alive:
        against = {"network_out": -1.5}
        found.append(Term("neighbours_speaking", "measured", against, {"devices": len(alive)}))
    causes, _, because = weigh(found)
    gone_at = max(presence.last_received_at(d) for d in group)
    incidents.report(
        scene, UPLINK, uplink, at=gone_at, kind="network_out",
        probability=causes["network_out"], causes=causes, because=because, auth=_weakest(group),
        uplink=uplink, figures=_behind(scene, uplink, gone_at),
    )  # fmt: skip
    for device in group:
        device.waiting = False
        scene.touch(f"device:{device.device}")
        scene.set_timer(f"device:{device.device}", "wait", None)
        if incident := incidents.find(scene, FAMILY, device.device):
            incidents.close(scene, incident, why="network_out")


def _weakest(group: list[DeviceState]) -> Auth:
    """What rests on several is proved no better than the least of them."""
    proofs = {d.auth for d in group}
    return "unsigned" if "unsigned" in proofs else "mac" if "mac" in proofs else "sig"


def _behind(scene: WatchContext, uplink: str, gone_at: float) -> dict[str, int]:
    """All that was not heard since: those whose promise still runs are unknown just as well."""
    behind = [d for d in scene.on_uplink(uplink) if presence.last_received_at(d) <= gone_at]
    return {"devices": len(behind), "tanks": len({d.tank for d in behind})}


def _join(scene: WatchContext, outage: Incident) -> None:
    """One more device is silent behind a network that is known to be out: told to nobody."""
    assert outage.uplink is not None
    incidents.amend(scene, outage, figures=_behind(scene, outage.uplink, outage.at))


def _end_outage(scene: WatchContext, uplink: str, outage: Incident) -> None:
    """The way is open again: what stays silent gets its own back-off before it is judged."""
    lasted = scene.now - outage.at
    incidents.close(scene, outage, why="speaks", figures={"lasted_s": lasted})
    grace = min(lasted, presence.LONGEST_BACK_OFF_S)
    for other in scene.on_uplink(uplink):
        if other.presence == "silent":
            _wait(scene, other, scene.now + max(grace, 900.0))
