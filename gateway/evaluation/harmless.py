"""The rare, harmless things of ordinary life, each with its rate a day."""

from gateway.evaluation.deliveries import (
    Round,
    deliver,
    knock,
    lid_event,
    no_refill,
    supply,
    usual_round,
)
from gateway.evaluation.handling import open_valve, set_upright, shake, storm
from gateway.evaluation.people import poisson
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sites import Camp, camp
from gateway.evaluation.truth import DAY_S, HOUR_S, NOTHING, TrueCause

OUTAGE = ("network_out", "silent", "unknown", NOTHING)
"""What an outage may be called; a short one is called nothing."""


def usual_camp(
    scene: Scene, *, tanks: int | None = None, big: bool | None = None, jsn: bool | None = None,
    reports: tuple[float, int] | None = None,
) -> Camp:  # fmt: skip
    """A site with its people and its refills, and nothing else."""
    count = scene.random.choice((1, 1, 2, 3)) if tanks is None else tanks
    found = camp(scene, tanks=count, big=big, jsn=jsn, reports=reports)
    supply(scene, found, usual(scene, found))
    return found


def usual(scene: Scene, found: Camp) -> Round:
    """How this site is supplied."""
    return usual_round(scene.random, big=found.places[0].row.capacity_l > 2500)


def background(scene: Scene, found: Camp, *, plenty: float = 1.0) -> None:
    """Harmless things at their daily rates, times ``plenty``."""
    random, days = scene.random, (scene.end - scene.start) / DAY_S

    def times(rate: float) -> list[float]:
        count = poisson(random, rate * days * plenty)
        return sorted(random.uniform(scene.start + DAY_S / 2, scene.end) for _ in range(count))

    for place in found.places:
        for at in times(0.5):
            scene.at(at, lambda place=place: knock(scene, place))
        for at in times(0.05):
            radio_outage(scene, place, at, random.uniform(600, 3 * HOUR_S))
        for at in times(0.08):
            inspection(scene, place, at)
        for at in times(0.01):
            scene.at(at, lambda place=place: new_battery(scene, place))
        for at in times(0.012):
            cleaning(scene, place, at)
        for at in times(0.005):
            planned_move(scene, place, at)
    for at in times(0.03):
        for place in found.places:
            storm(scene, place, at, at + random.uniform(2, 10) * HOUR_S, random.randint(5, 40))
    for at in times(0.03):
        network_outage(scene, found, at, random.uniform(300, 4 * HOUR_S))
    for at in times(0.03):
        gateway_down(scene, at, random.uniform(300, 2 * HOUR_S))
    for at in times(0.02):
        broker_lost(scene, at, random.uniform(60, HOUR_S))
    for at in times(0.012):
        found.people.feasts.append((at, at + random.uniform(2, 5) * HOUR_S, random.uniform(2, 5)))
    for at in times(0.1):
        end = at + random.uniform(4, 12) * HOUR_S
        for place in found.places:
            scene.plan(place.name, at, end, "eviction_risk")
    if random.random() < 0.2:
        first = int(random.uniform(scene.start, scene.end) // DAY_S)
        found.people.hot_days.update(range(first, first + random.randint(2, 6)))


def radio_outage(scene: Scene, place: StoryTank, at: float, seconds: float) -> None:
    """One node loses its network; it backs off and returns with what it kept."""
    scene.cut_off(place.node.device, at, at + seconds)
    cause = TrueCause(NOTHING, OUTAGE, at, at + 4 * seconds + HOUR_S, place.name)
    scene.causes.append(cause)


def network_outage(scene: Scene, found: Camp, at: float, seconds: float) -> None:
    """The site's uplink fails."""
    uplink = found.uplink
    scene.cut_off(uplink, at, at + seconds)
    until = at + seconds + min(seconds, 8 * HOUR_S) + HOUR_S
    scene.causes.append(TrueCause(NOTHING, OUTAGE, at, until, uplink=uplink))
    for place in found.places:
        scene.causes.append(TrueCause(NOTHING, OUTAGE, at, until, place.name))


def gateway_down(scene: Scene, at: float, seconds: float) -> None:
    """The gateway stops, sometimes without a word, and starts again."""
    if any(start - 600 < at + seconds and at < end + 600 for start, end in scene.gateway_stops):
        return
    scene.gateway_stops.append((at, at + seconds))
    if scene.random.random() < 0.7:
        scene.line(at, {"gateway": "stop"})
    scene.line(at + seconds, {"gateway": "start"})
    scene.line(at + seconds + 30, {"broker": "drained"})


def broker_lost(scene: Scene, at: float, seconds: float) -> None:
    """The broker is away: nodes keep their readings and back off."""
    scene.cut_off("broker", at, at + seconds)
    scene.line(at, {"broker": "lost"})
    scene.line(at + seconds, {"broker": "back"})
    scene.line(at + seconds + scene.random.uniform(2, 40), {"broker": "drained"})


def inspection(scene: Scene, place: StoryTank, at: float) -> None:
    """Somebody looks into the tank: the lid is open for some minutes."""
    scene.at(at, lambda: lid_event(scene, place, is_open=True))
    scene.at(at + scene.random.uniform(30, 900), lambda: lid_event(scene, place, is_open=False))


def new_battery(scene: Scene, place: StoryTank) -> None:
    """The cell is exchanged: the node restarts."""
    if place.node.battery is not None and place.node.alive:
        place.node.battery.full_at = scene.now
        place.node.reboot(scene.now)
        scene.wake_now(place, 20.0)


def reserve(scene: Scene, place: StoryTank, at: float, until: float) -> None:
    """From ``at`` to ``until`` the usual round leaves the tank alone."""

    def action() -> None:
        place.closed_until = max(place.closed_until, until)

    scene.at(at, action)
    no_refill(scene, place, at, until + DAY_S)


def cleaning(scene: Scene, place: StoryTank, at: float) -> None:
    """A planned cleaning: lid open, motion, the water let out, then a refill."""
    random = scene.random
    end = at + random.uniform(1.5, 4) * HOUR_S
    scene.plan(place.name, at - random.uniform(0, 1800), end + 600, "cleaning")
    begin = at + random.uniform(0, 1200)
    reserve(scene, place, at, end + HOUR_S)
    scene.at(begin, lambda: lid_event(scene, place, is_open=True))
    valve_mm = 50.0 if place.row.capacity_l <= 2500 else 100.0
    drained_by = min(begin + 2400 * max(place.row.capacity_l / 1500, 1.0), end - 300)
    open_valve(scene, place, begin + 120, random.uniform(0.5, 1), drained_by, diameter_mm=valve_mm)
    if random.random() < 0.6:
        shake(scene, place, begin + random.uniform(300, 1500), random.uniform(2, 25))
    litres = place.row.capacity_l * random.uniform(0.6, 0.95)
    seconds = deliver(scene, place, drained_by + 120, litres, litres / 15, lid="none")
    scene.at(drained_by + 300 + seconds, lambda: lid_event(scene, place, is_open=False))
    until = drained_by + seconds + HOUR_S
    scene.causes.append(
        TrueCause(NOTHING, (NOTHING, "moved_by_us"), at, until, place.name, note="cleaning")
    )


def planned_move(scene: Scene, place: StoryTank, at: float) -> None:
    """We move a tank, as planned: it is emptied, carried, tilted, and set up again."""
    random = scene.random
    end = at + random.uniform(1, 3) * HOUR_S
    scene.plan(place.name, at - 600, end + 1800, "move")
    begin = at + random.uniform(0, 1800)
    reserve(scene, place, at, end + HOUR_S)
    valve_mm = 50.0 if place.row.capacity_l <= 2500 else 100.0
    open_valve(scene, place, begin, 1.0, begin + 1500, diameter_mm=valve_mm)
    tilt = random.randint(25, 90) if random.random() < 0.6 else None
    shake(scene, place, begin + 1600, random.uniform(20, 200), tilt)
    set_upright(scene, place, begin + 1600 + random.uniform(300, 1500))
    if random.random() < 0.5:
        scene.cut_off(place.node.device, begin + 1800, begin + random.uniform(2000, 6000))
    litres = place.row.capacity_l * random.uniform(0.6, 0.95)
    deliver(scene, place, end, litres, litres / 15)
    accepts = ("moved_by_us", *OUTAGE)
    until = end + 3 * HOUR_S
    scene.causes.append(
        TrueCause("moved_by_us", accepts, at, until, place.name, note="planned move")
    )
