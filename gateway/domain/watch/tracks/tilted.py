"""A tilted tank: its sensor points past the water, so its readings are no level.

They remain evidence of a fall, but pages show the last level before the tilt.
"""

from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.level import LevelTrack, Sample, jump_l, newest

_AGREEING = 2
"""Consecutive readings near the level before the tilt that prove the tank upright again."""


@dataclass(slots=True)
class TiltedSpell:
    """Since when (Unix s), the last sample before it, and how many consecutive readings agree."""

    at: float
    before: list[float]  # a Sample; empty when there was none
    agreeing: int = 0


def begin(track: LevelTrack, at: float) -> TiltedSpell:
    """The tank was tilted at ``at``; ``track`` is its level until then."""
    return TiltedSpell(at, list(newest(track) or ()))


def update(spell: TiltedSpell, tank: Tank, reading: Reading) -> TiltedSpell | None:
    """The spell after one more reading; None when the tank is upright again."""
    if reading.volume_l is None or reading.sd_l is None or reading.at <= spell.at:
        return spell
    agrees = bool(spell.before) and (
        abs(reading.volume_l - Sample(*spell.before).litres) <= jump_l(tank, reading.sd_l)
    )
    spell.agreeing = spell.agreeing + 1 if agrees else 0
    return None if spell.agreeing >= _AGREEING else spell
