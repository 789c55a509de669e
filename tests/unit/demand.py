"""Weeks of people who draw water from one tank, in hours: for measuring forecasts.

Groups come together and fill a can each, by the time of the local day; days differ, hot spells
come, weekdays have their own use; a bowser comes at its usual time, or when the tank is low.
Seeded, so that a failure can be looked at again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp
from random import Random

from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import forecast, profile
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.profile import Profile
from gateway.domain.watch.tracks.scaling import Scaling
from tests.stories.camp import DAYTIME

FIRST_HOUR = 498_048  # a Monday at 0:00 UTC
HOUR_S = 3600.0
ROW = Tank("north-1", "rid", "north", empty_l=20)


@dataclass
class Weeks:
    """By hour: what people want (L), what flows, the level at the end, whether it ran dry."""

    wanted: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    dry: list[bool] = field(default_factory=list)

    def hours_to_empty(self, hour: int) -> float | None:
        """Hours after the end of ``hour`` until the tank is empty, if no bowser comes."""
        left = self.level[hour] - ROW.empty_l
        if left <= 0:
            return 0.0
        for ahead, wanted in enumerate(self.wanted[hour + 1 :]):
            if wanted >= left:
                return ahead + left / wanted
            left -= wanted
        return None


def weeks(seed: int, *, days: int = 28) -> Weeks:
    """Live through them."""
    random = Random(seed)
    shape = random.choice((DAYTIME, _peaks(random), _peaks(random)))
    weekly = [exp(random.gauss(0, random.choice((0.05, 0.25)))) for _ in range(7)]
    daily_l, people, can = (
        random.uniform(350, 1000),
        random.choice((1.5, 4)),
        random.choice((5, 15)),
    )
    bowser_at = random.choice((None, random.uniform(8, 17)))
    found, litres, spread = Weeks(), random.uniform(500, 950), random.uniform(0.1, 0.25)
    factors = [exp(random.gauss(0, spread)) for _ in range(days)]
    for day in random.sample(range(2, days), 2):  # hot spells
        factors[day : day + 3] = [f * random.uniform(1.3, 1.8) for f in factors[day : day + 3]]
    for hour in range(24 * days):
        day, now = divmod(hour, 24)
        mean = daily_l * factors[day] * weekly[day % 7] * shape[now] / sum(shape)
        groups = _poisson(random, mean / (people * can))
        wanted = float(sum(can * _people(random, people) for _ in range(groups)))
        drawn = min(wanted, litres - ROW.empty_l)
        litres -= drawn
        found.wanted.append(wanted)
        found.drawn.append(drawn)
        found.dry.append(litres < ROW.empty_l + 1)
        if _is_bowser_there(random, bowser_at, now, litres):
            litres = random.uniform(850, 1000)
        found.level.append(litres)
    return found


def _peaks(random: Random) -> tuple[float, ...]:
    peaks = [(random.uniform(*span), random.uniform(1, 2.5), random.uniform(0.3, 1.5))
             for span in ((7, 11), (12, 15), (16, 21))]  # fmt: skip
    return tuple(
        0.03 + sum(high * exp(-0.5 * ((hour - at) / wide) ** 2) for at, wide, high in peaks)
        for hour in range(24)
    )


def _poisson(random: Random, mean: float) -> int:
    count, chance, floor = 0, random.random(), exp(-mean)
    while chance > floor:
        count, chance = count + 1, chance * random.random()
    return count


def _people(random: Random, mean: float) -> int:
    return max(1, round(random.expovariate(1 / mean)))


def _is_bowser_there(random: Random, at: float | None, hour: int, litres: float) -> bool:
    if at is None:
        return litres < random.uniform(60, 300) and 9 <= hour <= 17 and random.random() < 0.5
    return hour == int(at) and litres < 850 and random.random() < 0.9


@dataclass
class Watched:
    """One tank as the watch sees it: noise of 6 L, draws in steps of 12 L."""

    seed: int
    profile: Profile = field(default_factory=Profile)
    scaling: Scaling = field(default_factory=Scaling)
    level: LevelTrack = field(default_factory=lambda: LevelTrack(sd_l=6.0))
    flow: Flow = field(default_factory=Flow)
    total_l: float = 0.0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        profile.start(self.profile, profile.prior_day_l(ROW, None, ROW.capacity_l))

    def live(self, weeks: Weeks) -> Iterator[tuple[int, forecast.Outlook]]:
        """The forecast at the end of each hour."""
        for hour, (drawn, litres) in enumerate(zip(weeks.drawn, weeks.level, strict=True)):
            self.total_l += drawn
            if self.total_l - self.flow.drawn_l >= 12:
                self.flow.drawn_l = self.total_l - self.random.uniform(0, 10)
            now = (FIRST_HOUR + hour + 1) * HOUR_S
            self.level.at = self.level.received = now - 60
            self.level.volume_l = litres + self.random.gauss(0, 6)
            usual = forecast.account(
                self.profile, self.scaling, self.level, self.flow, ROW, "UTC", now,
                profile.usual(self.profile),
            )  # fmt: skip
            yield hour, forecast.outlook(usual, self.scaling, self.level, ROW, "UTC", now)
