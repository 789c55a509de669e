"""Removal: was a tank taken, drained, slashed, opened? One incident for each episode.

A knock is only an event. Tilt, or handling followed by silence or loss, opens an incident; what
it is called follows the weights, and may change as more is known.
"""

from gateway.domain.outputs import THEFT_KINDS, EventKind, IncidentKind, TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident, TankState
from gateway.domain.watch.rules import evidence, presence
from gateway.domain.watch.tracks import flow
from gateway.domain.watch.tracks.cause import weigh
from gateway.domain.watch.tracks.tamper import Episode, Fall

FAMILY = "removal"
TOO_OLD_S = 48 * 3600.0
_LATE_S = 1800.0
_TOGETHER_S = 3600.0  # evidence this far apart still belongs to one episode
_CALM_S = 6 * 3600.0
_SPOKE_AFTER_S = 600.0
_ENOUGH, _ENOUGH_ALONE = 0.5, 0.7
"""Probability of theft that opens an incident; more where nothing but the level speaks."""
_FALLING_S = 900.0
_REFILL_PART = 0.2


def is_handled(scene: WatchContext, tank: str) -> bool:
    """Whether the tank is being moved or is losing its water: its level says nothing for now."""
    incident = incidents.find(scene, FAMILY, tank)
    episode = scene.tank(tank).episode
    if incident is None or episode is None:
        return False
    if incident.kind in ("seized", "moved_by_us"):
        return True
    is_over = episode.fall_told or scene.now >= episode.last_at + _FALLING_S
    return episode.fall is not None and not is_over


def lid_closed(scene: WatchContext, tank: TankState, why: str) -> None:
    """The lid is shut, or a refill explains it: nothing is open any more."""
    if tank.episode is None or tank.episode.lid_at is None:
        return
    tank.episode.lid_at, tank.episode.lid_stayed = None, False
    scene.set_timer(f"tank:{tank.tank}", "lid", None)
    incident = incidents.find(scene, FAMILY, tank.tank)
    if incident is not None and incident.kind == "lid_open":
        incidents.close(scene, incident, why=why)


def fell(scene: WatchContext, tank: TankState, row: Tank, device: DeviceState, fall: Fall) -> None:
    """A fast fall was found: part of the episode, or its beginning."""
    if device.auth == "unsigned":
        return
    episode = episode_of(scene, tank, device, fall.at)
    episode.last_at = max(episode.last_at, fall.until)
    if episode.fall_told:
        return
    if episode.fall is not None and fall.at <= episode.fall.until:
        _go_on(fall, episode.fall)
    episode.fall = fall
    review(scene, tank, row, device)
    _tell_loss(scene, tank, episode, fall)


def _go_on(fall: Fall, before: Fall) -> None:
    """The same fall, seen further: it keeps its beginning and its fastest part."""
    fall.at, fall.from_l = min((fall.at, fall.from_l), (before.at, before.from_l))
    fall.lpm = max(fall.lpm, before.lpm)
    fall.taps_ratio = max(fall.taps_ratio, before.taps_ratio)


def _tell_loss(scene: WatchContext, tank: TankState, episode: Episode, fall: Fall) -> None:
    """Once the fall is over and its cause named: what was lost, apart from what was drawn."""
    incident = incidents.find(scene, FAMILY, tank.tank)
    if incident is None or incident.kind not in ("drained", "slashed"):
        return
    if fall.emptied or fall.plateau:
        kind: EventKind = "drain" if incident.kind == "drained" else "slash"
        litres = round(fall.from_l - fall.to_l, 1)
        scene.told.append(TankEvent(fall.at, fall.until, tank.tank, kind, litres))
        episode.fall_told = True
        if not episode.late:
            flow.lost(tank.flow, fall.to_l, fall.until)


def silent(scene: WatchContext, device: DeviceState) -> bool:
    """A node broke its promise; True when an episode of handling explains it."""
    tank = scene.records.get(f"tank:{device.tank}")
    row = scene.tank_row(device.tank)
    if tank is None or row is None or tank.episode is None or tank.episode.device != device.device:
        return False
    episode, promise = tank.episode, presence.in_force(scene, device)
    if promise.received - episode.last_at > _TOGETHER_S or not _was_moved(episode):
        return False  # too long ago to explain it
    scene.touch(f"tank:{tank.tank}")
    episode.silent_since, episode.promised_s = promise.received, promise.next_s
    review(scene, tank, row, device)
    return incidents.find(scene, FAMILY, tank.tank) is not None


def _was_moved(episode: Episode) -> bool:
    return episode.motion_ms > 0 or episode.tilt_deg > 0


def spoke(scene: WatchContext, device: DeviceState) -> None:
    """A newest message of a node: an episode that was silent, or is over, is seen anew."""
    tank = scene.records.get(f"tank:{device.tank}")
    row = scene.tank_row(device.tank)
    if tank is None or row is None or tank.episode is None:
        return
    episode = tank.episode
    well_after = scene.now > episode.last_at + _SPOKE_AFTER_S
    if episode.silent_since is None and not (well_after and episode.spoke_at is None):
        return
    episode.silent_since = None
    if well_after:
        episode.spoke_at = scene.now
    scene.touch(f"tank:{tank.tank}")
    review(scene, tank, row, device)


def reconsider(scene: WatchContext, neighbours: list[DeviceState]) -> None:
    """One more node fell silent: that may explain the silence of those that were handled."""
    for neighbour in neighbours:
        tank = scene.records.get(f"tank:{neighbour.tank}")
        if tank is not None and tank.episode and tank.episode.silent_since is not None:
            review_tank(scene, neighbour.tank, neighbour)


def refilled(scene: WatchContext, tank: TankState) -> None:
    """A refill explains an open lid, and ends what was drained or slashed."""
    lid_closed(scene, tank, "refilled")
    incident = incidents.find(scene, FAMILY, tank.tank)
    row = scene.tank_row(tank.tank)
    if incident is None or row is None or incident.kind not in ("drained", "slashed"):
        return
    if (tank.flow.refill_l or 0.0) >= _REFILL_PART * row.capacity_l:
        incidents.close(scene, incident, why="refilled")
        tank.episode = None


def review_tank(scene: WatchContext, tank: str, device: DeviceState) -> None:
    """``review`` for a tank by its id."""
    row = scene.tank_row(tank)
    if row is not None:
        review(scene, scene.tank(tank), row, device)


def review(scene: WatchContext, tank: TankState, row: Tank, device: DeviceState) -> None:
    """Weigh an episode as it now stands; open its incident, or update it."""
    episode = tank.episode
    incident = incidents.find(scene, FAMILY, tank.tank)
    if episode is None or (incident is None and episode.witnessed):
        return
    causes, leader, because = weigh(evidence.terms(scene, tank, row, device, episode))
    theft = sum(causes[kind] for kind in THEFT_KINDS)
    enough = _ENOUGH if _is_handled(episode) else _ENOUGH_ALONE
    if incident is None and theft < enough and not _is_strong(episode):
        return
    kind: IncidentKind = leader
    if theft >= _ENOUGH and leader not in THEFT_KINDS:
        kind = max(THEFT_KINDS, key=lambda k: causes[k])  # pyright: ignore[reportAssignmentType]
    incidents.report(
        scene, FAMILY, tank.tank, at=episode.at, kind=kind, probability=causes[kind],
        causes=causes, because=because, auth=device.auth, tank=tank.tank,
        alert=kind != "moved_by_us", learned_late=episode.late,
        figures=_figures(tank, episode),
    )  # fmt: skip


def _is_strong(episode: Episode) -> bool:
    """Evidence that people should hear of whatever it turns out to be."""
    fell_silent = episode.silent_since is not None and not episode.calm
    return episode.tilt_deg > 0 or (fell_silent and _was_moved(episode))


def _is_handled(episode: Episode) -> bool:
    return _was_moved(episode) or episode.lid_at is not None


def _figures(tank: TankState, episode: Episode) -> dict[str, float | int | None]:
    return {
        "volume_l": episode.before_l,
        "volume_at": tank.level.at,
        "motion_s": episode.motion_ms / 1000,
        "tilt_deg": episode.tilt_deg,
        "silent_since": episode.silent_since,
        "lost_l": episode.fall.from_l - episode.fall.to_l if episode.fall else None,
        "left_l": episode.fall.to_l if episode.fall else None,
    }


def witnessed(scene: WatchContext, incident: Incident, op: str) -> None:
    """A person knows: *we moved it*, or *I see it there*."""
    tank, row = scene.tank(incident.subject), scene.tank_row(incident.subject)
    device = handled_device(scene, tank)
    if tank.episode is None or row is None or device is None:
        incidents.close(scene, incident, why=op)
        return
    tank.episode.witnessed = op
    tank.aslant = None
    review(scene, tank, row, device)
    if op == "moved_by_us" or incident.kind not in ("drained", "slashed", "lid_open"):
        incidents.close(scene, incident, why=op)


def dismiss(scene: WatchContext, incident: Incident) -> None:
    """A person closed it: the same episode opens nothing again."""
    episode = scene.tank(incident.subject).episode
    if episode is not None:
        episode.witnessed = episode.witnessed or "close"


def calm(scene: WatchContext, tank: TankState) -> None:
    """Nothing more happened: forget the episode, or close it when all is as before."""
    episode = tank.episode
    if episode is None:
        return
    scene.touch(f"tank:{tank.tank}")
    incident = incidents.find(scene, FAMILY, tank.tank)
    if incident is None and episode.lid_at is None:
        tank.episode = tank.aslant = None
        return
    device = handled_device(scene, tank)
    speaks = device is not None and device.presence == "speaking"
    lasted = scene.now - episode.last_at >= _CALM_S
    if incident is not None and speaks and lasted and episode.fall is None:
        tank.episode = tank.aslant = None
        incidents.close(scene, incident, why="calm")
    else:
        scene.set_timer(f"tank:{tank.tank}", "episode", scene.now + _TOGETHER_S)


def episode_of(scene: WatchContext, tank: TankState, device: DeviceState, at: float) -> Episode:
    """The episode that evidence at ``at`` belongs to, made when it is new."""
    episode = tank.episode
    is_open = incidents.find(scene, FAMILY, tank.tank) is not None
    near = episode is not None and episode.at - _TOGETHER_S <= at <= episode.last_at + _TOGETHER_S
    if episode is None or not (near or is_open):
        late = scene.now - at > _LATE_S
        episode = Episode(at, at, device.device, tank.level.volume_l, late)
        tank.episode = episode
    episode.at, episode.last_at = min(episode.at, at), max(episode.last_at, at)
    due = max(episode.last_at + _TOGETHER_S, scene.now + _TOGETHER_S)
    scene.set_timer(f"tank:{tank.tank}", "episode", due)
    return episode


def handled_device(scene: WatchContext, tank: TankState) -> DeviceState | None:
    """The node whose evidence the episode rests on, else the one that feeds the level."""
    if tank.episode is None:
        return scene.source(tank)
    return scene.records.get(f"device:{tank.episode.device}")
