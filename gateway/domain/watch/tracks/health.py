"""Whether a sensor works: faults, missing echoes, scattered or frozen readings."""

from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.noise import Noise, scatters

_FAULTS = 2  # consecutive, for the state
_GOOD = 2
_BROKEN_FAULTS, _BROKEN_S = 4, 1800.0  # for an incident
_STUCK_READINGS, _STUCK_S = 24, 24 * 3600.0
_SOON_STUCK_S, _SOON_STUCK_READINGS, _SOON_STUCK_RUNS = 10 * 3600.0, 12, 6.0  # longer than a night
_RUNS, _RUN_KEPT = 40, 0.99
_DOUBTFUL_RUNS = 2.0
_ERRATIC_SHARE, _CALM_SHARE = 0.30, 0.05
_CALM_READINGS, _MOST_CALM = 24, 96
_RELAPSE_S = 7 * 86_400.0
_ERRATIC_BROKEN_S = 4 * 3600.0
STUCK, ERRATIC = "stuck", "erratic"


@dataclass(slots=True)
class SensorTrack:
    """``faulty``: the tank's state is *fault*; ``broken``: why people should check the sensor.

    ``erratic``: more outliers than a level could be found among; ``relapses``: how often that
    began again within a week, which asks for a longer calm.
    """

    faults: int = 0
    good: int = 0
    fault_at: float | None = None
    fault: str = ""
    faulty: bool = False
    broken: str = ""
    value: int | None = None  # the raw value of the last readings
    same: int = 0
    same_since: float = 0.0
    frozen_until: float = 0.0  # when a value that it had repeated for too long changed, Unix s
    longest_run: float = 3.0  # most readings with one value lately
    runs: int = 0
    erratic: bool = False
    erratic_until: float = 0.0
    relapses: int = 0
    muted: bool = False  # a person closed the incident; until the sensor recovers


def update(track: SensorTrack, tank: Tank, reading: Reading, noise: Noise) -> list[TankEvent]:
    """Apply one reading; returns ``fault`` or ``fault_over`` when the tank's state changes."""
    if reading.fault is not None:
        return _count_fault(track, tank, reading, reading.fault)
    _check_stuck(track, tank, reading, noise)
    if track.erratic or noise.bad_share >= _ERRATIC_SHARE:
        _check_erratic(track, reading, noise)
    if track.erratic:
        return _count_fault(track, tank, reading, ERRATIC)
    track.good += 1
    if track.good < _GOOD and track.faulty:
        return []
    events: list[TankEvent] = []
    if track.faulty:
        at = track.fault_at if track.fault_at is not None else reading.at
        events = [TankEvent(at, reading.at, tank.id, "fault_over")]
    track.faults, track.faulty, track.fault_at = 0, False, None
    if track.broken != STUCK:
        track.broken = ""
    return events


def _count_fault(track: SensorTrack, tank: Tank, reading: Reading, fault: str) -> list[TankEvent]:
    track.good = 0
    track.faults += 1
    track.fault = fault
    if track.fault_at is None:
        track.fault_at = reading.at
    lasted = reading.at - track.fault_at
    if track.faults >= _BROKEN_FAULTS and lasted >= (
        _ERRATIC_BROKEN_S if fault == ERRATIC else _BROKEN_S
    ):
        track.broken = fault
    if track.faulty or (track.faults < _FAULTS and fault != ERRATIC):
        return []
    track.faulty = True
    return [TankEvent(track.fault_at, reading.at, tank.id, "fault")]


def _check_erratic(track: SensorTrack, reading: Reading, noise: Noise) -> None:
    """Too many outliers begin a sick spell; it ends after a run of readings without one."""
    if not track.erratic:
        is_relapse = reading.at - track.erratic_until < _RELAPSE_S
        track.relapses = track.relapses + 1 if is_relapse and track.erratic_until else 0
        track.erratic = True
        return
    calm = min(_CALM_READINGS * 2**track.relapses, _MOST_CALM)
    if noise.good >= calm and noise.bad_share < max(_CALM_SHARE, 0.5 ** (calm / 6)):
        track.erratic, track.erratic_until = False, reading.at


def _check_stuck(track: SensorTrack, tank: Tank, reading: Reading, noise: Noise) -> None:
    """A frozen sensor: the same value for too long, at a level from which people can draw.

    A day, or less where this sensor's readings seldom repeat.
    """
    if reading.value != track.value:
        if track.broken == STUCK or is_doubtful(track):
            track.frozen_until = reading.at
        _learn_run(track)
        track.value, track.same, track.same_since = reading.value, 0, reading.at
        if track.broken == STUCK:
            track.broken = ""
    track.same += 1
    if track.same < _FAULTS:
        return
    lasted = reading.at - track.same_since
    if lasted < _SOON_STUCK_S:
        return
    litres = reading.volume_l or 0.0
    if litres <= tank.empty_l + 3 * (reading.sd_l or 0.0):
        return
    is_long = track.same >= _STUCK_READINGS and lasted >= _STUCK_S
    least = max(_SOON_STUCK_RUNS * track.longest_run, _SOON_STUCK_READINGS)
    is_strange = track.runs >= _RUNS and scatters(noise)
    if is_long or (is_strange and track.same >= least):
        track.broken = STUCK


def _learn_run(track: SensorTrack) -> None:
    """How often readings repeat: seldom with much noise, often with coarse steps."""
    if track.same and track.broken != STUCK:
        track.longest_run = max(_RUN_KEPT * track.longest_run, float(track.same))
        track.runs += 1


def is_doubtful(track: SensorTrack) -> bool:
    """Whether the value has been repeated more often than usual, so that it may be frozen."""
    return track.runs >= _RUNS and track.same > _DOUBTFUL_RUNS * track.longest_run
