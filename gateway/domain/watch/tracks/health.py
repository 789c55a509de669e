"""Whether a sensor works: faults, missing echoes, a value that never changes."""

from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank

_FAULTS = 2  # consecutive, for the state
_GOOD = 2
_BROKEN_FAULTS, _BROKEN_S = 4, 1800.0  # for an incident
_STUCK_READINGS, _STUCK_S = 24, 24 * 3600.0


@dataclass(slots=True)
class Health:
    """``faulty``: the tank's state is *fault*; ``broken``: why people should check the sensor."""

    faults: int = 0
    good: int = 0
    fault_at: float | None = None
    fault: str = ""
    faulty: bool = False
    broken: str = ""
    value: int | None = None  # the raw value of the last readings
    same: int = 0
    same_since: float = 0.0
    muted: bool = False  # a person closed the incident; until the sensor recovers


def update(health: Health, tank: Tank, reading: Reading) -> list[TankEvent]:
    """Apply one reading; returns ``fault`` or ``fault_over`` when the tank's state changes."""
    if reading.fault is not None:
        return _count_fault(health, tank, reading, reading.fault)
    _check_stuck(health, tank, reading)
    health.good += 1
    if health.good < _GOOD and health.faulty:
        return []
    events: list[TankEvent] = []
    if health.faulty:
        at = health.fault_at if health.fault_at is not None else reading.at
        events = [TankEvent(at, reading.at, tank.id, "fault_over")]
    health.faults, health.faulty, health.fault_at = 0, False, None
    if health.broken != "stuck":
        health.broken = ""
    return events


def _count_fault(health: Health, tank: Tank, reading: Reading, fault: str) -> list[TankEvent]:
    health.good = 0
    health.faults += 1
    health.fault = fault
    if health.fault_at is None:
        health.fault_at = reading.at
    lasted = reading.at - health.fault_at
    if health.faults >= _BROKEN_FAULTS and lasted >= _BROKEN_S:
        health.broken = fault
    if health.faulty or health.faults < _FAULTS:
        return []
    health.faulty = True
    return [TankEvent(health.fault_at, reading.at, tank.id, "fault")]


def _check_stuck(health: Health, tank: Tank, reading: Reading) -> None:
    """A frozen sensor: the same value for a day, at a level from which people can draw."""
    if reading.value != health.value:
        health.value, health.same, health.same_since = reading.value, 0, reading.at
        if health.broken == "stuck":
            health.broken = ""
    health.same += 1
    litres = reading.volume_l or 0.0
    drawable = litres > tank.empty_l + 3 * (reading.sd_l or 0.0)
    lasted = reading.at - health.same_since
    if drawable and health.same >= _STUCK_READINGS and lasted >= _STUCK_S:
        health.broken = "stuck"
