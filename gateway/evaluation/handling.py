"""What people do to a tank, and what its node notices: shaking, tilting, carrying off, cutting."""

from gateway.evaluation.deliveries import knock
from gateway.evaluation.physics import Opening, circle_mm2
from gateway.evaluation.scene import Scene, StoryTank

_CONFIRMED_S = 5.0
_LONGEST_WATCH_S = 8.0  # the node looks at a motion for so long before it reports


def shake(
    scene: Scene, place: StoryTank, at: float, seconds: float, tilt_deg: int | None = None
) -> None:
    """Shake a tank from ``at`` on; five seconds are confirmed and begin recovery mode."""
    random, node = scene.random, place.node
    mg = random.randint(200, 1800)

    def bump() -> None:
        if node.alive:
            node.add(scene.now, "motion", ms=round(seconds * 1000), mg=mg)

    def confirm() -> None:
        if not node.alive:
            return
        watched = min(seconds, _LONGEST_WATCH_S if random.random() < 0.5 else seconds)
        node.add(at, "motion", ms=round(watched * 1000), mg=mg)
        if tilt_deg is not None and tilt_deg > 20:
            node.add(at + 2, "tilt", deg=tilt_deg)
            node.sensor.tilted = True
        node.shaken_until, node.shaken_mg = at + seconds, mg
        node.recover(scene.now)
        scene.wake_now(place)

    if seconds < _CONFIRMED_S and tilt_deg is None:
        scene.at(at, bump)
    else:
        scene.at(at + max(_CONFIRMED_S, min(seconds, _LONGEST_WATCH_S)), confirm)


def set_upright(scene: Scene, place: StoryTank, at: float) -> None:
    """Put a tilted tank on its feet again."""

    def action() -> None:
        if place.node.sensor.tilted and place.node.alive:
            place.node.sensor.tilted = False
            place.node.add(scene.now, "tilt", deg=scene.random.randint(0, 6))
            scene.wake_now(place)

    scene.at(at, action)


def open_valve(
    scene: Scene, place: StoryTank, at: float, part: float, closed_at: float, *, diameter_mm: float
) -> None:
    """Open the outlet valve by ``part`` from ``at`` to ``closed_at``."""
    opening = Opening(scene.random.uniform(0, 40), circle_mm2(diameter_mm) * part)
    _open(scene, place, at, opening, closed_at)


def cut(scene: Scene, place: StoryTank, at: float, mended_at: float) -> float:
    """Slash the wall below the water: the level falls to the cut. Returns the cut's height, mm."""
    random = scene.random
    height = 0.0

    def action() -> None:
        nonlocal height
        place.body.advance(scene.now)
        height = place.body.level_mm * random.uniform(0.1, 0.6)
        scale = max(place.row.capacity_l / 1000, 1.0) ** 0.7
        area = min(random.lognormvariate(7.1, 0.6), 6000.0) * scale  # median 1200 mm2
        opening = Opening(height, max(area, 500.0))
        place.body.openings.append(opening)
        scene.at(mended_at, lambda: _close(scene, place, opening))

    scene.at(at, action)
    return height


def _open(scene: Scene, place: StoryTank, at: float, opening: Opening, closed_at: float) -> None:
    def action() -> None:
        place.body.advance(scene.now)
        place.body.openings.append(opening)

    scene.at(at, action)
    scene.at(closed_at, lambda: _close(scene, place, opening))


def _close(scene: Scene, place: StoryTank, opening: Opening) -> None:
    place.body.advance(scene.now)
    if opening in place.body.openings:
        place.body.openings.remove(opening)


def carry_off(scene: Scene, place: StoryTank, at: float, tilt_deg: int | None) -> float:
    """Take a tank away from ``at`` on; returns when its node spoke last at the latest.

    It is smashed at once, leaves its network after some time, or goes on by LTE.
    """
    random, node = scene.random, place.node
    seconds = random.uniform(8, 120)
    shake(scene, place, at, seconds, tilt_deg)

    def taken() -> None:
        place.body.advance(scene.now)
        place.is_there = False
        place.body.take_out(place.body.litres * random.uniform(0.2, 1.0))
        if tilt_deg is None:
            node.sensor.noise_mm *= 4  # it sloshes

    scene.at(at + min(seconds, 20.0), taken)
    if random.random() < 0.35:
        gone = at + _LONGEST_WATCH_S + random.uniform(8, 30)
    elif node.uplink is not None:
        gone = at + random.uniform(60, 1500)
    else:
        gone = at + random.uniform(1800, 6 * 3600)

    def last() -> None:
        node.alive = False

    scene.at(gone, last)
    for _ in range(random.randint(0, 3)):
        shake(scene, place, at + random.uniform(60, 900), random.uniform(6, 40))
    return gone


def storm(scene: Scene, place: StoryTank, start: float, end: float, gusts: int) -> None:
    """Gusts: each a quiet event."""
    for _ in range(gusts):
        scene.at(scene.random.uniform(start, end), lambda: knock(scene, place))
