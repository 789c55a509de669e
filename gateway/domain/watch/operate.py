"""A person acted on an incident: what that changes for the watch."""

from gateway.domain.inputs import OperatorAction
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Incident
from gateway.domain.watch.rules import power, removal, sensor, silence, water


def operate(scene: WatchContext, event: OperatorAction) -> None:
    """Apply ``close``, ``moved_by_us`` or ``seen_there``; other acts are for people alone."""
    incident = incidents.by_id(scene, event.incident)
    if incident is None:
        return
    if incident.family == removal.FAMILY and event.op in ("moved_by_us", "seen_there"):
        removal.witnessed(scene, incident, event.op)
    elif event.op in ("close", "moved_by_us"):
        _mute(scene, incident)
        incidents.close(scene, incident, why="person")


def _mute(scene: WatchContext, incident: Incident) -> None:
    """What a person closed does not open again until the matter itself has changed."""
    if incident.family == water.FAMILY:
        scene.tank(incident.subject).muted = incident.kind
    elif incident.family == sensor.FAMILY:
        scene.tank(incident.subject).health.muted = True
    elif incident.family == silence.UPLINK:
        scene.uplink(incident.subject).muted = True
    elif incident.family == removal.FAMILY:
        removal.dismiss(scene, incident)
    elif incident.family == power.FAMILY:
        scene.device(incident.subject, incident.tank or "").battery_muted = True
