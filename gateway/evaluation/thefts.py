"""Stories of thefts: seized, drained, slashed, lid stolen, and one that is learned late."""

from gateway.evaluation.deliveries import deliver, knock, lid_event
from gateway.evaluation.handling import carry_off, cut, open_valve, shake
from gateway.evaluation.harmless import background, reserve, usual_camp
from gateway.evaluation.openings import moment
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sites import Camp
from gateway.evaluation.truth import HOUR_S, TrueCause

_QUIET_REPORTS = (600.0, 1)


def _begin(
    scene: Scene, *, by_day: float = 0.6, wet: float = 0.35, tanks: int | None = None,
    big: bool | None = None, reports: tuple[float, int] | None = None,
) -> tuple[Camp, StoryTank, float]:  # fmt: skip
    """A usual site with one tank that is about to suffer; enough water is in it."""
    found = usual_camp(scene, tanks=tanks, big=big, reports=reports)
    background(scene, found, plenty=0.5)
    at = moment(scene, by_day=by_day)
    place = scene.random.choice(found.places)

    def fill(least: float) -> None:
        place.body.advance(scene.now)
        capacity = place.row.capacity_l
        if place.body.litres < least * capacity:
            wanted = scene.random.uniform(min(wet + 0.2, 0.9), 0.95) * capacity
            litres = wanted - place.body.litres
            deliver(scene, place, scene.now + 60, litres, litres / 12, lid="usual")

    # Mostly the usual round of that day; shortly before only where people have drawn it all.
    early = at - scene.random.uniform(5, 14) * HOUR_S
    scene.at(early, lambda: fill(wet + 0.25))
    scene.at(at - 2.5 * HOUR_S, lambda: fill(wet))
    reserve(scene, place, early - HOUR_S, at + 20 * HOUR_S)
    _calm(scene, place, at)
    return found, place, at


def _calm(scene: Scene, place: StoryTank, at: float) -> None:
    """No outage of the same network hides it: that is another story."""
    for what in (place.node.device, place.node.uplink or "", "broker"):
        spells = scene.outages.get(what, [])
        scene.outages[what] = [s for s in spells if s[1] < at - HOUR_S or s[0] > at + 12 * HOUR_S]


def seized(scene: Scene) -> None:
    """A tank is carried off, sometimes emptied first, sometimes all tanks of the site."""
    random = scene.random
    found, place, at = _begin(scene, wet=0.05)
    taken = [place]
    if random.random() < 0.3:
        taken = found.places
    if random.random() < 0.25:
        for one in taken:
            begin = at - random.uniform(1, 6) * HOUR_S
            scene.plan(one.name, begin, at + 6 * HOUR_S, "eviction_risk")
    for i, one in enumerate(taken):
        _calm(scene, one, at)
        begin = at + i * random.uniform(60, 600)
        accepts = ["seized"]
        if random.random() < 0.3:
            accepts.append("drained")
            part = random.uniform(0.5, 1.0)
            open_valve(scene, one, begin, part, begin + 3600, diameter_mm=50.0)
            if random.random() < 0.5:
                scene.at(begin, lambda one=one: knock(scene, one))
            begin += random.uniform(240, 900)
        tilt = random.randint(25, 100) if random.random() < 0.7 else None
        carry_off(scene, one, begin, tilt)
        first = at + i if len(accepts) == 1 else begin - 900
        scene.causes.append(
            TrueCause("seized", tuple(accepts), min(begin, first), scene.end, one.name)
        )


def _emptied_at(scene: Scene, place: StoryTank, at: float) -> float:
    """An estimate of when an open valve has emptied the tank."""
    return at + 3600.0 * max(place.row.capacity_l / 2000, 1.0)


def _drained(scene: Scene, notice: str, reports: tuple[float, int] | None = None) -> None:
    random = scene.random
    _, place, at = _begin(scene, reports=reports)
    valve_mm = 50.0 if place.row.capacity_l <= 2500 else random.choice((80.0, 100.0))
    part = random.uniform(0.35, 1.0)
    open_valve(scene, place, at, part, at + random.uniform(10, 20) * HOUR_S, diameter_mm=valve_mm)
    if notice == "motion":
        shake(scene, place, at - random.uniform(0, 40), random.uniform(5, 15))
    elif notice == "knock":
        scene.at(at - random.uniform(0, 30), lambda: knock(scene, place))
    until = _emptied_at(scene, place, at)
    scene.causes.append(TrueCause("drained", ("drained",), at, until, place.name, note=notice))


def drained_motion(scene: Scene) -> None:
    """The valve is opened, and the tank is shaken meanwhile."""
    _drained(scene, "motion")


def drained_knock(scene: Scene) -> None:
    """The valve is opened with a knock only."""
    _drained(scene, "knock")


def drained_quiet(scene: Scene) -> None:
    """The valve is opened and the node notices nothing: a reading each ten minutes."""
    _drained(scene, "none", reports=_QUIET_REPORTS)


def slashed(scene: Scene) -> None:
    """The wall is cut: the level decays to the cut."""
    random = scene.random
    _, place, at = _begin(scene, wet=0.5, big=False)
    cut(scene, place, at, at + random.uniform(10, 20) * HOUR_S)
    style = random.random()
    if style < 0.5:
        shake(scene, place, at - 1, random.uniform(5, 12))
    elif style < 0.85:
        scene.at(at, lambda: knock(scene, place))
    until = at + 3 * HOUR_S
    scene.causes.append(TrueCause("slashed", ("slashed",), at, until, place.name))


def lid_stolen(scene: Scene) -> None:
    """The lid is opened and stays open; nobody brings water."""
    random = scene.random
    _, place, at = _begin(scene, wet=0.2)
    place.node.has_lid = True
    scene.at(at, lambda: lid_event(scene, place, is_open=True))
    if random.random() < 0.3:
        shake(scene, place, at + random.uniform(0, 20), random.uniform(3, 9))
    until = at + 20 * HOUR_S
    scene.at(until, lambda: lid_event(scene, place, is_open=False))
    scene.causes.append(TrueCause("lid_open", ("lid_open",), at, until, place.name))


def learned_late(scene: Scene) -> None:
    """The network is out while the tank is cut or drained: the node reports it hours later."""
    random = scene.random
    _, place, at = _begin(scene, wet=0.5, big=False)
    back_at = at + random.uniform(1.5, 20) * HOUR_S
    scene.cut_off(place.node.device, at - random.uniform(0.2, 3) * HOUR_S, back_at)
    if random.random() < 0.5:
        cut(scene, place, at, back_at + 15 * HOUR_S)
        kind = "slashed"
    else:
        part = random.uniform(0.4, 1.0)
        open_valve(scene, place, at, part, back_at + 15 * HOUR_S, diameter_mm=50.0)
        kind = "drained"
    if random.random() < 0.7:
        shake(scene, place, at - 1, random.uniform(4, 12))
    reserve(scene, place, at, back_at + 15 * HOUR_S)
    until = back_at + 5 * HOUR_S
    scene.causes.append(TrueCause(kind, (kind, "silent"), at, until, place.name, note="late"))
