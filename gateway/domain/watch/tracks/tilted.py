"""A tank that stands aslant: its sensor looks past the water, so its readings are no level.

They stay evidence of a fall, but nobody is shown them as water: what is shown is the level before.
"""

from dataclasses import dataclass

from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.level import LevelTrack, Sample, jump_l

_AGREEING = 2
"""Readings in a row like those before the tilt: it stands upright again, whatever was told."""


@dataclass(slots=True)
class TiltedSpell:
    """Since when (Unix s), the last sample before it, and how many readings in a row agree."""

    at: float
    before: list[float]  # a Sample; empty when none was known
    agreeing: int = 0


def begin(track: LevelTrack, at: float) -> TiltedSpell:
    """The tank was tilted at ``at``; ``track`` is its level until then."""
    if track.at is None or track.received is None or track.volume_l is None:
        return TiltedSpell(at, [])
    return TiltedSpell(
        at, list(Sample(track.at, track.received, track.volume_l, track.sd_l or 0.0))
    )


def read(aslant: TiltedSpell, tank: Tank, reading: Reading) -> TiltedSpell | None:
    """After one more reading: None once the tank stands as it did before."""
    if reading.volume_l is None or reading.sd_l is None or reading.at <= aslant.at:
        return aslant
    agrees = bool(aslant.before) and (
        abs(reading.volume_l - Sample(*aslant.before).litres) <= jump_l(tank, reading.sd_l)
    )
    aslant.agreeing = aslant.agreeing + 1 if agrees else 0
    return None if aslant.agreeing >= _AGREEING else aslant
