"""A tilted tank: its sensor points past the water, so its readings are no level."""

from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.level import LevelTrack, newest
from gateway.domain.watch.tracks.settling import Sample

_AGREEING = 2
"""Consecutive readings near the level before the tilt that prove the tank upright again."""
_STEADY = 12
"""Consecutive readings near one another, at any level, that prove it too."""
_NEAR_PART, _NEAR_SD = 0.08, 5.0
_STEADY_PART, _STEADY_SD = 0.02, 2.0


@dataclass(slots=True)
class TiltedSpell:
    """Since ``at`` (Unix s). Pages show the sample ``before``, which is empty without one.

    ``agreeing``: consecutive readings near that sample; ``steady``: near one another.
    """

    at: float
    before: list[float]  # a Sample; empty when there was none
    agreeing: int = 0
    steady: int = 0
    last_l: float | None = None


def begin_tilt(track: LevelTrack, at: float) -> TiltedSpell:
    """The tank was tilted at ``at``; ``track`` is its level until then."""
    return TiltedSpell(at, list(newest(track) or ()))


def update_tilt(spell: TiltedSpell, tank: Tank, reading: Reading) -> TiltedSpell | None:
    """The spell after one more reading; None when the tank is upright again."""
    if reading.volume_l is None or reading.sd_l is None or reading.at <= spell.at:
        return spell
    litres, sd = reading.volume_l, reading.sd_l
    near = max(_NEAR_PART * tank.capacity_l, _NEAR_SD * sd)
    agrees = bool(spell.before) and abs(litres - Sample(*spell.before).litres) <= near
    spell.agreeing = spell.agreeing + 1 if agrees else 0
    close = max(_STEADY_PART * tank.capacity_l, _STEADY_SD * sd)
    is_steady = spell.last_l is not None and abs(litres - spell.last_l) <= close
    spell.steady, spell.last_l = (spell.steady + 1 if is_steady else 0), litres
    return None if spell.agreeing >= _AGREEING or spell.steady >= _STEADY else spell
