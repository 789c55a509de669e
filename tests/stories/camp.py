"""A month at one IBC: people draw in bursts through the day, a bowser refills, sensors are noisy.

Seeded, so that a failure can be looked at again.
"""

from dataclasses import dataclass, field
from math import exp
from random import Random

from tests.unit.tank_story import DAY, HOUR, LITRES_PER_MM, T0, Story, ibc, registry_of

DAYTIME = (
    *([0.1] * 6), 0.6, 1.2, 1.6, 1.5, 1.3, 1.4, 1.6, 1.4, 1.2, 1.2, 1.5, 1.8, 1.6, 1.0, 0.6, 0.4,
    0.2, 0.1,
)  # fmt: skip
"""How much is drawn in each hour of the day, relative to the others."""


@dataclass
class Month:
    """What happened, and what the watch made of it. ``levels``: [seconds, true litres]."""

    story: Story
    drawn_l: float = 0.0
    refills: int = 0
    levels: list[tuple[float, float]] = field(default_factory=list)


def a_month(
    seed: int, *, days: int = 30, every: int = 600, taps: int = 4, daily_l: float = 545,
    noise_mm: float = 5.8, cans: tuple[int, ...] = (5, 10, 20),
) -> Month:  # fmt: skip
    """Live through it. ``noise_mm`` is one sd: 5.8 is +-10 mm rectangular."""
    random = Random(seed)
    month = Month(Story(registry_of([ibc(taps=taps)])))
    litres, bias = 950.0, random.uniform(-5, 5)
    for at in range(0, days * DAY, every):
        hour = (T0 + at) // HOUR % 24
        wanted = daily_l * DAYTIME[hour] / sum(DAYTIME) / HOUR * every
        drawn = min(sum(_burst(random, wanted, cans)), max(litres - 20, 0))
        litres -= drawn
        month.drawn_l += drawn
        if litres < random.uniform(100, 350) and 9 <= hour <= 17 and random.random() < 0.15:
            litres = random.uniform(800, 1000)
            month.refills += 1
        mm = 1100 - litres / LITRES_PER_MM + bias + random.gauss(0, noise_mm)
        month.levels.append((at, litres))
        month.story.sends(mm=_spoilt(random, mm), at=at, next_s=every)
    return month


def _burst(random: Random, wanted_l: float, cans: tuple[int, ...]) -> list[int]:
    """Groups of about six come together and fill a can each."""
    groups, chance, floor = 0, random.random(), exp(-wanted_l / (6 * sum(cans) / len(cans)))
    while chance > floor:
        groups, chance = groups + 1, chance * random.random()
    people = sum(random.randint(1, 11) for _ in range(groups))
    return [random.choice(cans) for _ in range(people)]


def _spoilt(random: Random, mm: float) -> int | None:
    """Now and then a spike that survived the median, a zero, or no echo at all."""
    luck = random.random()
    if luck < 0.004:
        return random.randint(40, 1090)
    if luck < 0.006:
        return 0
    return None if luck < 0.01 else round(mm)
