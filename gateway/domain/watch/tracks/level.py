"""The level of one tank: which readings to believe, and which state follows.

A reading far from the last one waits for the next to confirm it, so a single spike changes
nothing. A threshold takes two readings to pass and has hysteresis on the way back.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.inputs import Reading
from gateway.domain.outputs import LevelState as Name
from gateway.domain.registry import Tank

_JUMP_PART, _JUMP_SD = 0.08, 5.0  # a change larger than both needs a second reading
_BACK_PART, _BACK_SD = 0.03, 3.0  # hysteresis: this much above a threshold to leave it
_CONSECUTIVE = 2
_AGREEING = 2
"""Consecutive readings near the level before the tilt that prove the tank upright again."""


class Sample(NamedTuple):
    """One believed reading: event time, receive time (Unix s), litres, one sd in litres."""

    at: float
    received: float
    litres: float
    sd_l: float


@dataclass(slots=True)
class LevelTrack:
    """One tank's level. ``latched``: the thresholds that the level is below."""

    at: float | None = None
    received: float | None = None
    volume_l: float | None = None
    sd_l: float | None = None
    pending: list[float] = field(default_factory=list[float])  # a Sample that waits
    passed: dict[str, int] = field(default_factory=dict[str, int])  # consecutive readings past
    passed_at: dict[str, float] = field(default_factory=dict[str, float])
    latched: list[str] = field(default_factory=list[str])
    believed: int = 0
    spikes: int = 0
    state: Name = "unknown"
    since: float | None = None


def update(track: LevelTrack, tank: Tank, reading: Reading) -> list[Sample]:
    """Apply one good reading; returns the samples now believed, oldest first: none to two."""
    assert reading.volume_l is not None and reading.sd_l is not None
    new = Sample(reading.at, reading.received, reading.volume_l, reading.sd_l)
    believed = _accept(track, tank, new)
    for sample in believed:
        track.at, track.received = sample.at, sample.received
        track.volume_l, track.sd_l = sample.litres, sample.sd_l
        track.believed += 1
        _count(track, tank, sample)
    if believed:
        _set_state(track, tank, believed[-1])
    return believed


def newest(track: LevelTrack) -> Sample | None:
    """The newest believed sample."""
    if track.at is None or track.received is None or track.volume_l is None:
        return None
    return Sample(track.at, track.received, track.volume_l, track.sd_l or 0.0)


def _accept(track: LevelTrack, tank: Tank, new: Sample) -> list[Sample]:
    last = track.volume_l
    jump = jump_l(tank, new.sd_l)
    if last is None or abs(new.litres - last) <= jump:
        track.spikes = track.spikes + 1 if track.pending else max(track.spikes - 1, 0)
        track.pending = []
        return [new]
    if track.pending:
        waiting = Sample(*track.pending)
        same_side = (waiting.litres > last) == (new.litres > last)
        farther = abs(new.litres - last) >= abs(waiting.litres - last)
        if same_side and abs(new.litres - waiting.litres) <= jump:
            track.pending = []
            return [waiting, new]
        if same_side and farther:  # it confirms the first step and is itself a second one
            track.pending = list(new)
            return [waiting]
        track.spikes += 1
    track.pending = list(new)
    return []


def jump_l(tank: Tank, sd_l: float) -> float:
    """The change in litres above which a reading needs the next one to confirm it."""
    return max(_JUMP_PART * tank.capacity_l, _JUMP_SD * sd_l)


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
    for name in ("low", "critical", "empty"):
        if name in track.latched:
            state = name
    if not track.latched and track.believed < _CONSECUTIVE:
        # the first reading has no predecessor to confirm it
        state = state_of_volume(tank, sample.litres, sample.sd_l)
    if state != track.state:
        at = sample.at
        track.since = track.passed_at.get(state, at) if state != "ok" else at
        track.state = state


@dataclass(slots=True)
class TiltedSpell:
    """A tilted tank, whose sensor points past the water: its readings are no level.

    They remain evidence of a fall, but pages show the sample ``before`` the tilt. ``agreeing``:
    how many consecutive readings are near that sample.
    """

    at: float
    before: list[float]  # a Sample; empty when there was none
    agreeing: int = 0


def begin_tilt(track: LevelTrack, at: float) -> TiltedSpell:
    """The tank was tilted at ``at``; ``track`` is its level until then."""
    return TiltedSpell(at, list(newest(track) or ()))


def update_tilt(spell: TiltedSpell, tank: Tank, reading: Reading) -> TiltedSpell | None:
    """The spell after one more reading; None when the tank is upright again."""
    if reading.volume_l is None or reading.sd_l is None or reading.at <= spell.at:
        return spell
    agrees = bool(spell.before) and (
        abs(reading.volume_l - Sample(*spell.before).litres) <= jump_l(tank, reading.sd_l)
    )
    spell.agreeing = spell.agreeing + 1 if agrees else 0
    return None if spell.agreeing >= _AGREEING else spell
