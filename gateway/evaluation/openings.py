"""How a story of one kind begins: a usual site, some background, one tank and a moment."""

from gateway.evaluation.harmless import background, usual_camp
from gateway.evaluation.people import local_s
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sites import Camp
from gateway.evaluation.truth import DAY_S, HOUR_S, TrueCause


def moment(scene: Scene, *, by_day: float = 0.6) -> float:
    """When it happens: after some days of history, by day or by night, a day before the end."""
    random = scene.random
    day = random.uniform(scene.start + DAY_S, scene.end - 2 * DAY_S) // DAY_S * DAY_S
    hour = random.uniform(7, 20) if random.random() < by_day else random.uniform(20, 31)
    return min(day - local_s(day) + hour * HOUR_S + DAY_S, scene.end - DAY_S)


def setting(
    scene: Scene, *, plenty: float = 0.4, tanks: int | None = None, big: bool | None = None,
    jsn: bool | None = None,
) -> tuple[Camp, StoryTank, float]:  # fmt: skip
    """A usual site with some background, one of its tanks, and when it happens."""
    found = usual_camp(scene, tanks=tanks, big=big, jsn=jsn)
    background(scene, found, plenty=plenty)
    return found, scene.random.choice(found.places), moment(scene, by_day=0.5)


def label(
    scene: Scene, place: StoryTank, kind: str, accepts: tuple[str, ...], at: float, until: float,
    note: str = "",
) -> None:  # fmt: skip
    """Add a cause to the truth."""
    scene.causes.append(TrueCause(kind, accepts, at, until, place.name, note=note))
