"""What an operator's action on an incident changes in the watch."""

from gateway.domain.inputs import OperatorAction
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Incident
from gateway.domain.watch.rules import power, removal, sensor, silence, water


def apply_action(context: WatchContext, event: OperatorAction) -> None:
    """Apply ``close``, ``moved_by_us`` or ``seen_there``; other actions change nothing here."""
    incident = context.incidents.get(event.incident)
    if incident is None:
        return
    if incident.family == removal.FAMILY and event.op in ("moved_by_us", "seen_there"):
        removal.apply_operator_action(context, incident, event.op)
    elif event.op in ("close", "moved_by_us"):
        _mute(context, incident)
        incidents.close(context, incident, why="person")


def _mute(context: WatchContext, incident: Incident) -> None:
    """Prevent the incident from opening again until its cause has changed."""
    if incident.family == water.FAMILY:
        context.tank(incident.subject).muted = incident.kind
    elif incident.family == sensor.FAMILY:
        context.tank(incident.subject).health.muted = True
    elif incident.family == silence.UPLINK:
        context.uplink(incident.subject).muted = True
    elif incident.family == removal.FAMILY:
        removal.mark_closed(context, incident)
    elif incident.family == power.FAMILY:
        context.device(incident.subject, incident.tank or "").battery_muted = True
