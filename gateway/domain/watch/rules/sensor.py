"""A sensor that people should check: one incident until its readings are believable again."""

from gateway.domain.registry import Tank
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY = "sensor"


def decide(context: WatchContext, tank: TankState, row: Tank, device: DeviceState) -> None:
    """Open or close the sensor incident after a tank's readings of one message."""
    incident = context.open_incident(FAMILY, tank.tank)
    health = tank.health
    if not health.broken:
        health.muted = False
        if incident is not None:
            incidents.close(context, incident, why="believable")
        return
    if health.muted:
        return
    stuck = health.broken == "stuck"
    name = "stuck" if stuck else "no_believable_reading"
    values = {"fault": health.broken, "readings": health.same if stuck else health.faults}
    causes, _, because = weigh([Term(name, "measured", {"sensor_fault": 4.5}, values)])
    at = health.same_since if stuck else health.fault_at
    incidents.report(
        context, FAMILY, tank.tank, at=context.now if at is None else at, kind="sensor_fault",
        probability=causes["sensor_fault"], causes=causes, because=because, auth=device.auth,
        tank=tank.tank, figures={"fault": health.broken},
    )  # fmt: skip
