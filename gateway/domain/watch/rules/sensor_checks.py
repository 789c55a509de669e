"""Whether a sensor saw the water of a fall, or something else."""

from collections.abc import Sequence
from itertools import chain

from gateway.domain.registry import Tank
from gateway.domain.watch.memory.state import TankState
from gateway.domain.watch.tracks.tamper import Fall

_ROUGH_PART, _ROUGH_SHARE = 0.025, 0.10
_UNDONE_S, _UNDONE_PART, _ESTABLISHED = 5400.0, 0.15, 4
"""A false echo or a second plateau has no more than three readings that agree, and within an hour
and a half the level is back where it was; water that is brought stays at one level for longer.
"""


def note(
    tank: TankState, row: Tank, fall: Fall, samples: Sequence[Sequence[float]], sd_l: float
) -> None:
    """Set what a fall's sensor is to be asked: ``is_rough``, ``undoes_rise``, ``was_frozen``.

    ``samples`` ([at, litres]) are those that it was found in, ``sd_l`` the scatter of the newest.
    """
    share = tank.settling.noise.bad_share
    fall.is_rough = sd_l >= _ROUGH_PART * row.capacity_l or share >= _ROUGH_SHARE
    fall.undoes_rise = _undoes_rise(fall, samples, tank.settling.dropped)
    fall.was_frozen = fall.at < tank.health.frozen_until <= fall.until


def _undoes_rise(
    fall: Fall, samples: Sequence[Sequence[float]], dropped: Sequence[Sequence[float]]
) -> bool:
    """Whether the level before a fall had only just appeared, above the one that came after it."""
    near_l, since = _UNDONE_PART * (fall.from_l - fall.to_l), fall.at - _UNDONE_S
    lows = [
        at
        for at, litres in chain(samples, dropped)
        if since <= at < fall.at and litres <= fall.to_l + near_l
    ]
    if not lows:
        return False
    risen = (litres for at, litres in samples if max(lows) < at <= fall.at)
    return sum(abs(litres - fall.from_l) <= near_l for litres in risen) < _ESTABLISHED
