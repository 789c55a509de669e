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
class SensorTrack:
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


def update(track: SensorTrack, tank: Tank, reading: Reading) -> list[TankEvent]:
    """Apply one reading; returns ``fault`` or ``fault_over`` when the tank's state changes."""
    if reading.fault is not None:
        return _count_fault(track, tank, reading, reading.fault)
    _check_stuck(track, tank, reading)
    track.good += 1
    if track.good < _GOOD and track.faulty:
        return []
    events: list[TankEvent] = []
    if track.faulty:
        at = track.fault_at if track.fault_at is not None else reading.at
        events = [TankEvent(at, reading.at, tank.id, "fault_over")]
    track.faults, track.faulty, track.fault_at = 0, False, None
    if track.broken != "stuck":
        track.broken = ""
    return events


def _count_fault(track: SensorTrack, tank: Tank, reading: Reading, fault: str) -> list[TankEvent]:
    track.good = 0
    track.faults += 1
    track.fault = fault
    if track.fault_at is None:
        track.fault_at = reading.at
    lasted = reading.at - track.fault_at
    if track.faults >= _BROKEN_FAULTS and lasted >= _BROKEN_S:
        track.broken = fault
    if track.faulty or track.faults < _FAULTS:
        return []
    track.faulty = True
    return [TankEvent(track.fault_at, reading.at, tank.id, "fault")]


def _check_stuck(track: SensorTrack, tank: Tank, reading: Reading) -> None:
    """A frozen sensor: the same value for a day, at a level from which people can draw."""
    if reading.value != track.value:
        track.value, track.same, track.same_since = reading.value, 0, reading.at
        if track.broken == "stuck":
            track.broken = ""
    track.same += 1
    litres = reading.volume_l or 0.0
    drawable = litres > tank.empty_l + 3 * (reading.sd_l or 0.0)
    lasted = reading.at - track.same_since
    if drawable and track.same >= _STUCK_READINGS and lasted >= _STUCK_S:
        track.broken = "stuck"
