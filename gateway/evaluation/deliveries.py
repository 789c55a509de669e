"""Refills: by bowser, by slow pump, by cans, with the lid opened and sometimes left open."""

from dataclasses import dataclass
from random import Random

from gateway.evaluation.people import local_s
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sites import Camp
from gateway.evaluation.truth import DAY_S, HOUR_S, NOTHING, TrueCause, TrueRefill

_NOTICED_MM2 = 100.0  # a smaller leak is not


@dataclass(frozen=True, slots=True)
class Round:
    """How a site is supplied: ``kind`` is ``bowser``, ``pump`` or ``cans``."""

    kind: str
    hour: float  # local
    fill_to: float  # part of the capacity
    below: float  # a tank fuller than this part is left alone
    lpm: float
    missed_part: float = 0.03
    night_part: float = 0.02


def usual_round(random: Random, *, big: bool) -> Round:
    """The way in which a site is supplied."""
    kind = random.choices(("bowser", "pump", "cans"), (0.65, 0.2, 0.15))[0]
    if big:
        kind = "bowser"
    lpm = {"bowser": (80.0, 400.0), "pump": (4.0, 15.0), "cans": (15.0, 30.0)}[kind]
    return Round(
        kind, random.uniform(8.0, 16.0), random.uniform(0.85, 1.0), random.uniform(0.65, 0.85),
        random.uniform(*lpm) * (4 if big else 1),
    )  # fmt: skip


def supply(scene: Scene, camp: Camp, usual: Round) -> None:
    """Supply a site each day, and soon where a tank has run low."""
    random = scene.random

    def day() -> None:
        local = local_s(scene.now)
        midnight = (scene.now + local) // DAY_S * DAY_S - local
        at = midnight + (usual.hour + random.gauss(0, 0.7)) * HOUR_S
        if random.random() < usual.night_part:
            at = midnight + random.uniform(21, 24) * HOUR_S
        if random.random() >= usual.missed_part:
            scene.at(at, lambda: _visit(scene, camp, usual))
        else:
            for place in camp.places:
                no_refill(scene, place, at, at + 1.5 * DAY_S)
        if usual.kind == "cans":
            for hour in (10.0, 13.0, 17.0):
                later = midnight + (hour + random.uniform(-1, 1)) * HOUR_S
                scene.at(later, lambda: _visit(scene, camp, usual))
        if random.random() < 0.8:  # somebody rings when a tank is nearly empty
            scene.at(midnight + 18 * HOUR_S, lambda: _visit(scene, camp, usual, below=0.25))
        scene.at(midnight + DAY_S + 7200, day)

    scene.at(scene.start + 60, day)


def no_refill(scene: Scene, place: StoryTank, at: float, until: float) -> None:
    """Note that the usual refill does not come: to ask whether the way is blocked is right."""
    accepts = (NOTHING, "access_blocked")
    scene.causes.append(TrueCause(NOTHING, accepts, at, until, place.name))


def _visit(scene: Scene, camp: Camp, usual: Round, below: float | None = None) -> None:
    """One visit: each tank below the mark is filled, one after the other."""
    random, at = scene.random, scene.now
    for place in camp.places:
        place.body.advance(scene.now)
        part = place.body.litres / place.row.capacity_l
        if (
            not place.is_there
            or scene.now < place.closed_until
            or part > (usual.below if below is None else below)
        ):
            continue
        if any(opening.area_mm2 > _NOTICED_MM2 for opening in place.body.openings):
            continue  # nobody fills a tank that runs out at once
        full = place.row.capacity_l * usual.fill_to - place.body.litres
        if usual.kind == "cans":
            full = min(full, random.choice((40.0, 50.0, 60.0)) * random.randint(1, 3))
        seconds = deliver(scene, place, at + random.uniform(60, 600), full, usual.lpm, usual.kind)
        at += seconds + random.uniform(120, 900)


def deliver(
    scene: Scene, place: StoryTank, at: float, litres: float, lpm: float, kind: str = "bowser",
    *, lid: str | None = None, quiet: bool = False,
) -> float:  # fmt: skip
    """Deliver ``litres`` from ``at`` on; returns how many seconds it takes.

    A pump pauses now and then. ``lid``: ``none usual early late never``, or drawn. ``quiet``:
    nothing touches the tank.
    """
    random = scene.random
    parts = _parts(random, litres, lpm, kind)
    begin, begun = at, 0.0
    for seconds, lps, pause in parts:
        scene.stream(place, begin, seconds, lps, into=True)
        begin += seconds + pause
    until = begin - parts[-1][2]

    def start() -> None:
        nonlocal begun
        place.body.advance(scene.now)
        begun = place.body.delivered_l
        place.free_at = max(place.free_at, min(until, at + 1800))  # people wait for the bowser

    def end() -> None:
        place.body.advance(scene.now)
        delivered = round(place.body.delivered_l - begun, 1)
        if delivered > 0:
            scene.refills.append(TrueRefill(place.name, at, until, delivered, quiet))

    scene.at(at - 0.5, start)
    scene.at(until + 0.5, end)
    if not quiet:
        _touch(scene, place, at, until, lid)
    return until - at


def _parts(
    random: Random, litres: float, lpm: float, kind: str
) -> list[tuple[float, float, float]]:
    """Runs of a delivery: seconds, litres per second, and the pause after each."""
    lps = lpm / 60
    if kind == "bowser":
        return [(litres / lps, lps, 0.0)]
    parts: list[tuple[float, float, float]] = []
    while litres > 1:
        piece = min(litres, 20.0 if kind == "cans" else random.uniform(40, 300))
        pause = random.uniform(10, 90) if kind == "cans" else random.uniform(60, 1200)
        parts.append((piece / lps, lps, pause if random.random() < 0.6 else 1.0))
        litres -= piece
    return parts or [(1.0, 1.0, 0.0)]


def _touch(scene: Scene, place: StoryTank, at: float, until: float, lid: str | None) -> None:
    """What the node notices of people at the tank: lid and knocks."""
    random, node = scene.random, place.node
    if random.random() < 0.4:
        scene.at(at + random.uniform(-60, 60), lambda: knock(scene, place))
    if not node.has_lid:
        return
    style = (
        lid
        or random.choices(
            ("none", "usual", "early", "late", "never"), (0.25, 0.60, 0.04, 0.07, 0.04)
        )[0]
    )
    if style == "none":
        return
    opened = at - (random.uniform(900, 4500) if style == "early" else random.uniform(5, 600))
    closed = until + random.uniform(10, 900)
    if style == "late":
        closed = until + random.uniform(1, 12) * HOUR_S
    scene.at(opened, lambda: lid_event(scene, place, is_open=True))
    if style != "never":
        scene.at(closed, lambda: lid_event(scene, place, is_open=False))


def lid_event(scene: Scene, place: StoryTank, *, is_open: bool) -> None:
    """The lid is opened or closed: reported at once, with the little motion that it makes."""
    node = place.node
    if not node.has_lid or not node.alive or not place.is_there:
        return
    node.add(scene.now, "lid", open=is_open)
    if is_open and scene.random.random() < 0.7:
        ms = scene.random.randint(0, 2500)
        node.add(scene.now + 1, "motion", ms=ms, mg=scene.random.randint(60, 500))
    scene.wake_now(place)


def knock(scene: Scene, place: StoryTank) -> None:
    """A bump or a gust: one quiet event, sent with the next message."""
    if place.node.alive and place.is_there:
        mg = scene.random.randint(80, 900)
        place.node.add(scene.now, "motion", ms=scene.random.randint(100, 3500), mg=mg)
