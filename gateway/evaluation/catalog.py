"""Every kind of story by name, and the stories of a kind by seed."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from gateway.domain.registry import Registry
from gateway.errors import NoriaError
from gateway.evaluation import harmless, lookalikes, thefts, water_stories
from gateway.evaluation.scene import Scene
from gateway.evaluation.truth import DAY_S, Truth

Group = Literal["ordinary", "theft", "lookalike"]
SeedSet = Literal["fit", "report"]

_FIRST = 1_772_323_200.0  # 2026-03-01, 00:00 UTC
_STARTS_DAYS = 270

ORDINARY_DAYS = 30


def ordinary(scene: Scene) -> None:
    """A month of ordinary life at one to three tanks."""
    harmless.background(scene, harmless.usual_camp(scene))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of story. ``days``: the shortest and the longest that it takes."""

    name: str
    group: Group
    build: Callable[[Scene], None]
    days: tuple[float, float]


def _kinds() -> dict[str, Kind]:
    found = [Kind("ordinary", "ordinary", ordinary, (ORDINARY_DAYS, ORDINARY_DAYS))]
    for build in (
        thefts.seized, thefts.drained_motion, thefts.drained_knock, thefts.drained_quiet,
        thefts.slashed, thefts.lid_stolen, thefts.learned_late,
    ):  # fmt: skip
        found.append(Kind(build.__name__, "theft", build, (4.0, 12.0)))
    for build in (
        lookalikes.battery_flat, lookalikes.network_out, lookalikes.radio_lost,
        lookalikes.gateway_stopped, lookalikes.broker_away, lookalikes.late_node,
        lookalikes.no_echo, lookalikes.stuck_sensor, lookalikes.noisy_sensor,
        lookalikes.two_plateaus, lookalikes.drifting_sensor, lookalikes.full_reads_far,
        lookalikes.knocks, lookalikes.wind_storm, water_stories.feast, lookalikes.own_move,
        lookalikes.own_cleaning, water_stories.leak, water_stories.missed_refill, lookalikes.cloned,
        water_stories.small_deliveries, water_stories.slow_pump, water_stories.hidden_refill,
    ):  # fmt: skip
        found.append(Kind(build.__name__, "lookalike", build, (6.0, 12.0)))
    return {kind.name: kind for kind in found}


KINDS = _kinds()


@dataclass(frozen=True, slots=True)
class SimulatedStory:
    """A story: what ``noria replay --trust`` reads, and the truth."""

    kind: Kind
    seed: int
    registry: Registry
    lines: list[bytes]
    truth: Truth

    @property
    def name(self) -> str:
        """``KIND:SEED``, as ``noria evaluate --story`` takes it."""
        return f"{self.kind.name}:{self.seed}"


def seed_of(index: int, seeds: SeedSet) -> int:
    """The seed of the story number ``index``: fitting has the odd ones, the report the even."""
    return 2 * index + (seeds == "fit")


def kind_of(name: str) -> Kind:
    """The kind of this name; raises NoriaError naming all of them."""
    if name not in KINDS:
        raise NoriaError(f"no kind of story is called {name!r}: use one of {', '.join(KINDS)}")
    return KINDS[name]


def make(name: str, seed: int) -> SimulatedStory:
    """The story of a kind and a seed: the same bytes each time."""
    kind = kind_of(name)
    random = Random(f"{name}:{seed}")  # noqa: S311 - a simulation, not a secret
    start = _FIRST + random.randint(0, _STARTS_DAYS) * DAY_S + random.randint(0, 86_399)
    scene = Scene(random, start, start + round(random.uniform(*kind.days) * DAY_S))
    kind.build(scene)
    scene.run()
    return SimulatedStory(kind, seed, scene.registry(), scene.lines(), scene.truth())
