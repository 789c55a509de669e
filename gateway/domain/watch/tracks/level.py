"""The level that is shown of one tank, and the state that follows.

It is the newest reading that people at the taps could have made; a threshold takes two of them to
pass and has hysteresis on the way back.
"""

from dataclasses import dataclass, field

from gateway.domain.inputs import Reading
from gateway.domain.outputs import LevelState as Name
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.settling import Sample, Settling, drawable_l

_BACK_PART, _BACK_SD = 0.03, 3.0  # hysteresis: this much above a threshold to leave it
_CONSECUTIVE = 2


@dataclass(slots=True)
class LevelTrack:
    """One tank's level. ``latched``: the thresholds that the level is below."""

    at: float | None = None
    received: float | None = None
    volume_l: float | None = None
    sd_l: float | None = None
    passed: dict[str, int] = field(default_factory=dict[str, int])  # consecutive readings past
    passed_at: dict[str, float] = field(default_factory=dict[str, float])
    latched: list[str] = field(default_factory=list[str])
    believed: int = 0
    state: Name = "unknown"
    since: float | None = None


def show(
    track: LevelTrack, settling: Settling, tank: Tank, reading: Reading, settled: list[Sample]
) -> None:
    """Update the shown level and the state from one reading, after ``settle``."""
    if settled:
        new = settled[-1]  # this reading's
        for sample in settled:
            if sample.at < reading.at:
                _count(track, tank, sample)
        track.believed += len(settled)
    else:
        assert reading.volume_l is not None and reading.sd_l is not None
        new = Sample(reading.at, reading.received, reading.volume_l, reading.sd_l)
        if not _is_possible(settling, tank, new):
            return
        track.believed += 1
    track.at, track.received, track.volume_l, track.sd_l = new
    low_l = tank.low_pct * tank.capacity_l / 100
    if new.litres >= low_l and track.state == "ok" and not track.latched and not track.passed:
        return  # the usual case, on the path of every reading
    _count(track, tank, new)
    _set_state(track, tank, new)


def _is_possible(settling: Settling, tank: Tank, new: Sample) -> bool:
    """Whether people may have drawn so much since the last settled sample."""
    level = settling.smooth_l
    if level is None or len(settling.waiting) > 1:
        return False
    return 0 <= level - new.litres <= drawable_l(tank, new.at - settling.settled_at)


def newest(track: LevelTrack) -> Sample | None:
    """The newest shown sample."""
    if track.at is None or track.received is None or track.volume_l is None:
        return None
    return Sample(track.at, track.received, track.volume_l, track.sd_l or 0.0)


def limits_l(tank: Tank, sd_l: float) -> tuple[tuple[str, float], ...]:
    """The thresholds in litres, mildest first; empty is within one sd of the tap."""
    one_pct = tank.capacity_l / 100
    return (
        ("low", tank.low_pct * one_pct),
        ("critical", tank.critical_pct * one_pct),
        ("empty", tank.empty_l + min(sd_l, one_pct)),
    )


def state_of_volume(tank: Tank, litres: float, sd_l: float) -> Name:
    """The state that a single level makes, without history or hysteresis."""
    state: Name = "ok"
    for name, limit in limits_l(tank, sd_l):
        if litres < limit:
            state = name  # pyright: ignore[reportAssignmentType]  # one of the three names
    return state


def _count(track: LevelTrack, tank: Tank, sample: Sample) -> None:
    back = max(_BACK_PART * tank.capacity_l, _BACK_SD * sample.sd_l)
    for name, limit in limits_l(tank, sample.sd_l):
        is_in = name in track.latched
        passes = sample.litres > limit + back if is_in else sample.litres < limit
        if not passes:
            track.passed.pop(name, None)
            continue
        track.passed[name] = track.passed.get(name, 0) + 1
        if track.passed[name] == 1:
            track.passed_at[name] = sample.at
        if track.passed[name] >= _CONSECUTIVE:
            del track.passed[name]
            track.latched.remove(name) if is_in else track.latched.append(name)


def _set_state(track: LevelTrack, tank: Tank, sample: Sample) -> None:
    state: Name = "ok"
    if track.latched:
        for name in ("low", "critical", "empty"):
            if name in track.latched:
                state = name
    elif track.believed < _CONSECUTIVE:
        # the first reading has no predecessor to confirm it
        state = state_of_volume(tank, sample.litres, sample.sd_l)
    if state != track.state:
        at = sample.at
        track.since = track.passed_at.get(state, at) if state != "ok" else at
        track.state = state
