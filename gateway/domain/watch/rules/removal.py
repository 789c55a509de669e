"""Removal: a tank taken, drained, slashed or opened. One incident for each episode.

A knock is only an event. Tilt, or handling followed by silence or loss, opens an incident; its
kind follows the weights of the evidence and may change with more of it.
"""

from gateway.domain.outputs import THEFT_KINDS, EventKind, TankEvent, Verdict
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident, TankState
from gateway.domain.watch.rules import closing, evidence, presence
from gateway.domain.watch.tracks import flow, tamper
from gateway.domain.watch.tracks.cause import judge_episode, review_of
from gateway.domain.watch.tracks.tamper import Episode, Fall

FAMILY = "removal"
TOO_OLD_S = 48 * 3600.0
_LATE_S = 1800.0
_EPISODE_GAP_S = 3600.0  # evidence within this gap belongs to one episode
_CALM_S = 6 * 3600.0
_RESUMED_AFTER_S = 600.0
ENOUGH = 0.7
"""Probability of theft that opens an incident, or makes an open one a theft."""
_NO_LONGER = 0.3
"""An incident of theft stays one until its probability is below this."""
_BEFORE_FALL_S = 900.0
_FALLING_S = 900.0
_REFILL_PART = 0.2
_REVIEW_S = 1800.0  # while an incident is open: a node that goes on for hours was not carried off
_HARMLESS: tuple[Verdict, ...] = (
    "moved_by_us", "battery", "network_out", "sensor_fault", "unknown",
)  # fmt: skip


def is_disturbed(context: WatchContext, tank: TankState) -> bool:
    """Whether the tank is being moved or is losing its water, so that its level means nothing."""
    incident = context.open_incident(FAMILY, tank.tank)
    episode = tank.episode
    if incident is None or episode is None:
        return False
    if incident.kind in ("seized", "moved_by_us"):
        return True
    is_over = episode.loss_reported or context.now >= episode.last_at + _FALLING_S
    return episode.fall is not None and not is_over


def close_lid(context: WatchContext, tank: TankState, why: str) -> None:
    """End the lid's evidence: it was closed, or a refill explains it."""
    if tank.episode is None or tank.episode.lid_at is None:
        return
    tank.episode.lid_at, tank.episode.lid_stayed, tank.episode.lid_as = None, False, "stayed"
    context.set_timer(tank, "lid", None)
    incident = context.open_incident(FAMILY, tank.tank)
    if incident is not None and incident.kind == "lid_open":
        incidents.close(context, incident, why=why)


def add_fall(context: WatchContext, tank: TankState, device: DeviceState, fall: Fall) -> None:
    """Add a fast fall to the episode, or begin one with it."""
    if device.auth == "unsigned":
        return
    episode = episode_at(context, tank, device, fall.at)
    episode.last_at = max(episode.last_at, fall.until)
    if episode.loss_reported:
        return
    if episode.fall is not None and fall.at <= episode.fall.until:
        tamper.extend(fall, episode.fall)
    row = context.tank_row(tank.tank)
    if row is not None:
        evidence.count_neighbours(context, tank, row, fall)
    episode.fall = fall
    review(context, tank, device)
    _report_loss(context, tank, episode, fall)


def _report_loss(context: WatchContext, tank: TankState, episode: Episode, fall: Fall) -> None:
    """Emit the loss once the fall has ended and the incident names its cause."""
    incident = context.open_incident(FAMILY, tank.tank)
    row = context.tank_row(tank.tank)
    if incident is None or row is None or incident.kind not in ("drained", "slashed"):
        return
    if fall.emptied or fall.plateau:
        kind: EventKind = "drain" if incident.kind == "drained" else "slash"
        litres = round(fall.from_l - fall.to_l, 1)
        context.outputs.append(TankEvent(fall.at, fall.until, tank.tank, kind, litres))
        episode.loss_reported = True
        if not episode.late:
            context.outputs += flow.book_loss(
                tank.flow, row, fall.from_l, fall.to_l, fall.at, fall.until, 0.005 * row.capacity_l
            )


def explains_silence(context: WatchContext, device: DeviceState) -> bool:
    """Add a broken promise to the tank's episode; True when an incident of handling is open."""
    tank = context.tanks.get(device.tank)
    row = context.tank_row(device.tank)
    if tank is None or row is None or tank.episode is None or tank.episode.device != device.device:
        return False
    episode, promise = tank.episode, presence.promise_in_force(context, device)
    if promise.received - episode.last_at > _EPISODE_GAP_S or not _was_moved(episode):
        return False
    incident = context.open_incident(FAMILY, tank.tank)
    if incident is None and _may_be_the_network(context, device):
        return False  # the silence waits for the neighbours, and asks again
    context.touch(tank)
    episode.silent_since, episode.promised_s = promise.received, promise.next_s
    closing.note_evidence(context, incident, context.now)
    review(context, tank, device)
    return context.open_incident(FAMILY, tank.tank) is not None


def _may_be_the_network(context: WatchContext, device: DeviceState) -> bool:
    """Whether the neighbours on its uplink, none of which has sent since, must show it first."""
    since = presence.last_received_at(device)
    is_suspect = presence.uplink_is_suspect(context, device, since)
    return is_suspect and context.now < presence.decided_by(context, device)


def _was_moved(episode: Episode) -> bool:
    return episode.motion_ms > 0 or episode.tilt_deg > 0


def record_message(context: WatchContext, device: DeviceState) -> None:
    """Review the episode after a newest message: its device is not silent, or has resumed."""
    tank = context.tanks.get(device.tank)
    if tank is None or tank.episode is None or context.tank_row(device.tank) is None:
        return
    episode = tank.episode
    well_after = context.now > episode.last_at + _RESUMED_AFTER_S
    is_news = episode.silent_since is not None or (well_after and episode.resumed_at is None)
    is_open = context.open_incident(FAMILY, tank.tank) is not None
    is_due = is_open and context.now - (episode.reviewed_at or 0.0) >= _REVIEW_S
    if not is_news and not is_due:
        return
    episode.silent_since = None
    if well_after and episode.resumed_at is None:
        episode.resumed_at = context.now
    context.touch(tank)
    review(context, tank, device)


def review_silent(context: WatchContext, neighbours: list[DeviceState]) -> None:
    """Review the silent, handled neighbours after one more device fell silent."""
    for neighbour in neighbours:
        tank = context.tanks.get(neighbour.tank)
        if tank is not None and tank.episode and tank.episode.silent_since is not None:
            review(context, context.tank(neighbour.tank), neighbour)


def close_refilled(context: WatchContext, tank: TankState) -> None:
    """After a refill: close an open lid, and an incident of kind drained or slashed."""
    close_lid(context, tank, "refilled")
    incident = context.open_incident(FAMILY, tank.tank)
    row = context.tank_row(tank.tank)
    if incident is None or row is None or incident.kind not in ("drained", "slashed"):
        return
    if (tank.flow.refill_l or 0.0) >= _REFILL_PART * row.capacity_l:
        incidents.close(context, incident, why="refilled")
        tank.episode = None


def review(context: WatchContext, tank: TankState, device: DeviceState) -> None:
    """Weigh the evidence of an episode; open its incident, or update it."""
    episode, row = tank.episode, context.tank_row(tank.tank)
    incident = context.open_incident(FAMILY, tank.tank)
    if episode is None or row is None or (incident is None and episode.operator_action):
        return
    episode.reviewed_at = context.now
    found = evidence.terms(context, tank, row, device, episode)
    if context.observe is not None:
        context.observe(review_of(tank.tank, episode.at, episode.last_at, found))
    verdict = judge_episode(found, context.weights)
    if incident is None and verdict.theft < ENOUGH and not _is_strong(episode):
        return
    was_theft = incident is not None and incident.kind in THEFT_KINDS
    is_theft = verdict.theft >= (_NO_LONGER if was_theft else ENOUGH)
    group = THEFT_KINDS if is_theft else _HARMLESS
    kind: Verdict = max(group, key=lambda k: verdict.causes[k])
    incidents.report(
        context, FAMILY, tank.tank, at=_onset(episode, kind), kind=kind,
        probability=verdict.theft if is_theft else verdict.causes[kind],
        causes=verdict.causes, because=verdict.because, auth=device.auth, tank=tank.tank,
        alert=kind != "moved_by_us", learned_late=episode.late,
        figures=_figures(tank, episode),
    )  # fmt: skip


def _onset(episode: Episode, kind: str) -> float:
    """When what is reported began: handling long before a fall is another matter."""
    handled = [at for at in (episode.motion_at, episode.tilt_at) if at is not None]
    if kind in ("drained", "slashed") and episode.fall is not None:
        began = episode.fall.at
        return min([began, *(at for at in handled if began - _BEFORE_FALL_S <= at <= began)])
    if kind == "lid_open" and episode.lid_at is not None:
        return episode.lid_at
    return min(handled, default=episode.at)


def _is_strong(episode: Episode) -> bool:
    """Whether the evidence opens an incident of any kind."""
    fell_silent = episode.silent_since is not None and not episode.has_resumed
    is_handled = episode.tilt_deg > 0 or evidence.is_carried(episode)
    return is_handled or (fell_silent and _was_moved(episode))


def _figures(tank: TankState, episode: Episode) -> dict[str, float | int | None]:
    return {
        "volume_l": episode.before_l, "volume_at": tank.level.at,
        "motion_s": episode.motion_ms / 1000, "tilt_deg": episode.tilt_deg,
        "silent_since": episode.silent_since,
        "lost_l": episode.fall.from_l - episode.fall.to_l if episode.fall else None,
        "left_l": episode.fall.to_l if episode.fall else None,
    }  # fmt: skip


def apply_operator_action(context: WatchContext, incident: Incident, op: str) -> None:
    """Apply ``moved_by_us`` or ``seen_there``."""
    tank, row = context.tank(incident.subject), context.tank_row(incident.subject)
    device = episode_device(context, tank)
    if tank.episode is None or row is None or device is None:
        incidents.close(context, incident, why=op)
        return
    tank.episode.operator_action, tank.episode.acted_at = op, context.now
    tank.tilted = None
    review(context, tank, device)
    if op == "moved_by_us" or incident.kind not in ("drained", "slashed", "lid_open"):
        incidents.close(context, incident, why=op)


def mark_closed(context: WatchContext, incident: Incident) -> None:
    """Record that a person closed it, so that what came before opens no other incident."""
    episode = context.tank(incident.subject).episode
    if episode is not None:
        episode.operator_action = episode.operator_action or "close"
        episode.acted_at = context.now


def end_episode(context: WatchContext, tank: TankState) -> None:
    """Forget an episode without further evidence; close its incident when all is normal."""
    episode = tank.episode
    if episode is None:
        return
    context.touch(tank)
    incident = context.open_incident(FAMILY, tank.tank)
    device = episode_device(context, tank)
    if incident is None and episode.lid_at is None and not _is_awaited(device, episode):
        tank.episode = tank.tilted = None
        return
    is_present = device is not None and device.presence == "speaking"
    is_calm = context.now - episode.last_at >= _CALM_S and episode.lid_at is None
    is_loss = episode.fall is not None and incident is not None and incident.kind in THEFT_KINDS
    if incident is not None and is_present and is_calm and not is_loss:
        tank.episode = tank.tilted = None
        incidents.close(context, incident, why="calm")
    else:
        context.set_timer(tank, "episode", context.now + _EPISODE_GAP_S)


def _is_awaited(device: DeviceState | None, episode: Episode) -> bool:
    """Whether a node that was moved has sent nothing since, and its silence is not judged yet."""
    if device is None or not _was_moved(episode) or episode.has_resumed:
        return False
    return device.presence != "silent" or device.waiting


def episode_at(context: WatchContext, tank: TankState, device: DeviceState, at: float) -> Episode:
    """The episode of evidence at ``at``, created or extended as needed."""
    episode = tank.episode
    incident = context.open_incident(FAMILY, tank.tank)
    late = context.now - at > _LATE_S
    closing.note_evidence(context, incident, at)
    if incident is None and episode is not None and at > (episode.acted_at or at):
        episode = None  # what a person said of the tank does not cover what comes after
    if episode is not None and incident is None and at < episode.at - _EPISODE_GAP_S:
        if _was_moved(episode):  # evidence of an earlier time does not replace a newer one's
            return Episode(at, at, device.device, tank.level.volume_l, late)
        episode = None
    if episode is None or not (_goes_on(incident) or at <= episode.last_at + _EPISODE_GAP_S):
        if incident is not None:
            incidents.close(context, incident, why="calm")
        before, episode = episode, Episode(at, at, device.device, tank.level.volume_l, late)
        if before is not None:  # a lid that is still open is of this episode, too
            episode.lid_at, episode.lid_stayed = before.lid_at, before.lid_stayed
            episode.lid_as, episode.water_rose = before.lid_as, before.water_rose
        tank.episode = episode
    episode.at, episode.last_at = min(episode.at, at), max(episode.last_at, at)
    context.set_timer(tank, "episode", max(episode.last_at, context.now) + _EPISODE_GAP_S)
    return episode


def _goes_on(incident: Incident | None) -> bool:
    """Whether evidence of any later time belongs to the incident: our own work ends some day."""
    return incident is not None and incident.kind != "moved_by_us"


def episode_device(context: WatchContext, tank: TankState) -> DeviceState | None:
    """The node that sent the evidence of the episode, else the one that feeds the level."""
    if tank.episode is None:
        return context.source(tank)
    return context.devices.get(tank.episode.device)
