"""Stories of water that look like a theft and are none: feasts, leaks, odd refills."""

from gateway.evaluation.deliveries import Round, deliver, supply
from gateway.evaluation.harmless import (
    OUTAGE,
    background,
    reserve,
)
from gateway.evaluation.openings import label, setting
from gateway.evaluation.physics import Opening, outflow_lps
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sites import camp
from gateway.evaluation.truth import DAY_S, HOUR_S, NOTHING


def feast(scene: Scene) -> None:
    """A feast: all taps of all tanks run for an hour or more."""
    random = scene.random
    found, _, at = setting(scene)
    end = at + random.uniform(1, 3) * HOUR_S
    found.people.feasts.append((at - 1800, end, random.uniform(8, 25)))
    for place in found.places:
        ease = random.uniform(0.75, 0.98)
        scene.at(at - 1800, lambda p=place, e=ease: setattr(p, "ease", e))
        scene.at(end, lambda p=place: setattr(p, "ease", 0.6))
        label(scene, place, NOTHING, (NOTHING,), at - 1800, end + 2 * HOUR_S, "feast")


def leak(scene: Scene) -> None:
    """A tap that does not close: 8 to 60 L/h, day and night, until it is mended."""
    random = scene.random
    _, place, at = setting(scene, big=False)
    wanted_lps = random.uniform(8, 60) / 3600
    area = wanted_lps / outflow_lps(1.0, 500.0)
    opening = Opening(random.uniform(0, 40), area)
    until = min(at + random.uniform(1, 3) * DAY_S, scene.end)

    def begin() -> None:
        place.body.advance(scene.now)
        place.body.openings.append(opening)

    def mend() -> None:
        place.body.advance(scene.now)
        place.body.openings.remove(opening)

    scene.at(at, begin)
    scene.at(until, mend)
    label(scene, place, NOTHING, (NOTHING,), at, until, "leak")


def missed_refill(scene: Scene) -> None:
    """The way to the tanks is blocked: the usual refills do not come."""
    found, _, at = setting(scene)
    until = min(at + scene.random.uniform(30, 60) * HOUR_S, scene.end)
    for place in found.places:
        reserve(scene, place, at, until)
        accepts = (NOTHING, "access_blocked")
        label(scene, place, "access_blocked", accepts, at, until, "access blocked")


def small_deliveries(scene: Scene) -> None:
    """Deliveries that are small beside the tank: cans into an IBC, bowsers into a steel tank."""
    random = scene.random
    is_big = random.random() < 0.4
    found = camp(scene, tanks=random.choice((1, 2)), big=is_big, clean=True)
    total = sum(p.row.capacity_l for p in found.places)
    found.people.daily_l = total * random.uniform(0.25, 0.5)
    for place in found.places:
        times = random.choice((3, 4) if is_big else (4, 7, 10))
        litres = found.people.daily_l / len(found.places) / times
        lpm = random.uniform(300, 800) if is_big else litres / 5
        day = scene.start
        while day < scene.end:
            for i in range(times):
                hour = 7 + i * 12 / times + random.uniform(-0.2, 0.2)
                _pour(scene, place, day + hour * HOUR_S, litres, lpm)
            day += DAY_S
        label(scene, place, NOTHING, (NOTHING,), scene.start, scene.end, "small deliveries")


def _pour(scene: Scene, place: StoryTank, at: float, litres: float, lpm: float) -> None:
    def action() -> None:
        deliver(scene, place, scene.now, litres, lpm, lid="none")

    scene.at(at, action)


def slow_pump(scene: Scene) -> None:
    """A slow pump fills for hours, with pauses."""
    found = camp(scene, tanks=scene.random.choice((1, 2)), big=False)
    lpm = scene.random.uniform(3.0, 10.0)
    supply(scene, found, Round("pump", scene.random.uniform(8, 14), 0.95, 0.8, lpm))
    background(scene, found, plenty=0.4)
    for place in found.places:
        label(scene, place, NOTHING, (NOTHING,), scene.start, scene.end, "slow pump")


def hidden_refill(scene: Scene) -> None:
    """The node is off while the tank is refilled: the gap hides the delivery."""
    random = scene.random
    _, place, at = setting(scene)
    off_s = random.uniform(2, 8) * HOUR_S
    begin = at + off_s * random.uniform(0.2, 0.6)
    node = place.node

    def off() -> None:
        node.alive = False

    def on() -> None:
        node.alive = True
        node.reboot(scene.now)
        scene.wake_now(place)

    def refill() -> None:
        place.body.advance(scene.now)
        litres = max(place.row.capacity_l * 0.95 - place.body.litres, 0.1 * place.row.capacity_l)
        deliver(scene, place, scene.now + 10, litres, litres / 10, quiet=True)

    reserve(scene, place, at - HOUR_S, at + off_s + HOUR_S)
    scene.at(at, off)
    scene.at(begin, refill)
    scene.at(at + off_s, on)
    label(scene, place, NOTHING, OUTAGE, at, at + off_s + 2 * HOUR_S, "refill in a gap")
