"""Draws a site: its tanks, nodes, sensors and people."""

from dataclasses import dataclass, replace
from math import pi, sqrt
from random import Random

from gateway.domain.geometry import Curve
from gateway.domain.registry import Tank
from gateway.evaluation.nodes import Battery, Node
from gateway.evaluation.people import Crowd, crowd
from gateway.evaluation.physics import WaterBody
from gateway.evaluation.scene import Scene, StoryTank
from gateway.evaluation.sensing import LevelSensor
from gateway.evaluation.truth import DAY_S

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def _rid(random: Random) -> str:
    return "".join(random.choice(_LETTERS) for _ in range(8))


_REPORTS: tuple[tuple[float, int, float], ...] = (
    (600.0, 6, 0.30), (600.0, 1, 0.25), (900.0, 1, 0.15), (1800.0, 1, 0.10), (600.0, 3, 0.08),
    (900.0, 24, 0.06), (1800.0, 12, 0.06),
)  # fmt: skip
"""Seconds between readings, readings in a message, and how common that is."""


@dataclass(slots=True)
class Camp:
    """A site in a scene."""

    name: str
    places: list[StoryTank]
    people: Crowd
    uplink: str
    names: list[str]


def camp(
    scene: Scene, *, tanks: int, name: str = "north", big: bool | None = None,
    reports: tuple[float, int] | None = None, clean: bool = False, jsn: bool | None = None,
) -> Camp:  # fmt: skip
    """A site of ``tanks`` tanks on one uplink, with people who draw from the start on.

    ``clean``: without false echoes, missing echoes and clockless nodes. ``reports``: seconds
    between readings and readings in a message, the same for all.
    """
    random = scene.random
    uplink = f"{name}-router"
    is_big = random.random() < 0.08 if big is None else big
    places = [
        _place(scene, f"{name}-{i}", name, uplink, is_big, reports, clean, jsn)
        for i in range(1, tanks + 1)
    ]
    total = sum(p.row.capacity_l for p in places)
    daily = total * (random.uniform(0.2, 0.5) if is_big else random.uniform(0.25, 0.8))
    people = crowd(random, daily)
    for place in places:
        scene.places[place.name] = place
        place.share = random.uniform(0.6, 1.4) * place.row.capacity_l
    names = [p.name for p in places]
    scene.gather(people, names)
    return Camp(name, places, people, uplink, names)


def _place(
    scene: Scene, tank: str, site: str, uplink: str, big: bool,
    reports: tuple[float, int] | None, clean: bool, jsn: bool | None,
) -> StoryTank:  # fmt: skip
    random = scene.random
    row = _tank(random, tank, site, big)
    is_jsn = random.random() < 0.25 if jsn is None else jsn
    full_mm = Curve(row).top_mm
    head_mm = random.uniform(240, 320) if is_jsn else random.uniform(110, 260)
    sensor = _sensor(random, round(full_mm + head_mm), is_jsn, clean)
    row = replace(row, sensor_height_mm=sensor.height_mm)
    litres = row.capacity_l * random.uniform(0.45, 0.95)
    node = _node(scene, tank, uplink, sensor, reports, clean)
    return StoryTank(
        row, WaterBody(row, litres, scene.start), node, ease=random.uniform(0.35, 0.75)
    )


def _tank(random: Random, tank: str, site: str, big: bool) -> Tank:
    low_pct = random.choice((25.0, 30.0, 30.0))
    row = Tank(tank, _rid(random), site, empty_l=20.0, low_pct=low_pct, critical_pct=15.0)
    if big:
        capacity = random.choice((5_000.0, 10_000.0, 20_000.0, 95_000.0))
        diameter = 2 * sqrt(capacity * 1e6 / random.uniform(1800, 3000) / pi)
        return replace(
            row, shape="cylinder", capacity_l=capacity, empty_l=round(capacity * 0.02),
            taps=random.choice((6, 8, 12, 16)), diameter_mm=round(diameter),
        )  # fmt: skip
    kind = random.choices(("ibc1000", "ibc600", "cylinder"), (0.75, 0.1, 0.15))[0]
    if kind == "cylinder":
        capacity = random.choice((1000.0, 2000.0))
        taps = random.choice((2, 4))
        return replace(row, shape=kind, capacity_l=capacity, taps=taps, diameter_mm=1200)
    taps = random.choice((1, 2, 2, 4, 4, 6))
    if kind == "ibc600":
        return replace(row, shape=kind, capacity_l=600.0, taps=taps)
    return replace(row, taps=taps)


def _sensor(random: Random, height_mm: int, jsn: bool, clean: bool) -> LevelSensor:
    way = random.random()
    is_rough = not clean and random.random() < 0.5
    return LevelSensor(
        random, height_mm, noise_mm=random.uniform(1.0, 8.0),
        false_part=random.uniform(0.0, 0.02) if is_rough else 0.0,
        ladder_mm=random.randint(250, 600) if is_rough and random.random() < 0.4 else None,
        null_part=random.uniform(0.0, 0.01) if is_rough else 0.0,
        step_mm=10 if jsn and random.random() < 0.3 else 1,
        corrected=way < 0.6, declared=way < 0.75,
        blind_mm=200.0 if jsn else 30.0, far_mm=random.randint(1800, 5500),
        common=random.uniform(0.1, 0.7),
        drift_mm_day=random.gauss(0.0, 0.05),
        air_c=random.uniform(5.0, 20.0), swing_c=random.uniform(1.0, 7.0),
    )  # fmt: skip


def _node(
    scene: Scene, tank: str, uplink: str, sensor: LevelSensor, reports: tuple[float, int] | None,
    clean: bool,
) -> Node:  # fmt: skip
    random = scene.random
    if reports is None:
        found = random.choices(_REPORTS, [weight for *_, weight in _REPORTS])[0]
        reports = found[0], found[1]
    device = _rid(random)
    life_s = random.uniform(90, 200) * DAY_S
    full_at = scene.start - random.uniform(0.0, 0.5) * life_s
    is_lte = random.random() < 0.1
    return Node(
        random, device, tank, sensor, reports[0], reports[1], None if is_lte else uplink,
        None if random.random() < 0.15 else Battery(full_at, life_s),
        rssi=random.uniform(-84, -55), has_lid=random.random() < 0.8,
        has_clock=clean or random.random() > 0.04,
        change_mm=random.choice((0, 0, 20, 40)), sends_air=not sensor.corrected,
        booted_at=scene.start - random.uniform(1, 40) * DAY_S,
        seq=random.randint(1, 3000),
    )  # fmt: skip
