"""One settled sample: does it begin a doubt, prolong it, or make the sensor sick?"""

import pytest

from gateway.domain.registry import Plan
from gateway.domain.watch.memory.state import Doubt
from gateway.domain.watch.rules import doubt
from gateway.domain.watch.tracks.tamper import Episode
from tests.unit.handled_tank import HandledTank, episode_of, handled_tank
from tests.unit.tank_story import DAY, T0

STEP_L = 250.0  # a quarter of the tank


def after(*samples: tuple[float, float], most_l: float | None = None, moved_l: float = 0.0,
          steps: int = 1, episode: Episode | None = None, plans: tuple[Plan, ...] = ()
          ) -> HandledTank:  # fmt: skip
    """A tank after settled samples, each [seconds after T0, litres]; in doubt with ``most_l``."""
    found = handled_tank(plans=plans)
    tank = found.tank
    tank.flow.recent = [[T0 + at, litres] for at, litres in samples]
    tank.episode = episode
    if most_l is not None:
        tank.doubt = Doubt(T0 + 100.0, 800.0, T0, 0.0, most_l, steps, moved_l)
    doubt.note_step(found.context, tank, found.row)
    return found


def begins(*samples: tuple[float, float], **setup: object) -> bool:
    return after(*samples, **setup).tank.doubt is not None  # type: ignore[arg-type]


FELL = ((0.0, 800.0), (900.0, 800.0), (1800.0, 800.0), (2700.0, 500.0))


def test_a_doubt_lasts_a_day_from_the_fall_and_remembers_the_account() -> None:
    found = handled_tank()
    found.tank.flow.recent = [[T0 + at, litres] for at, litres in FELL]
    found.tank.flow.booked_l, found.tank.flow.booked_at = 805.0, T0 - 50.0
    found.tank.flow.drawn_l = 33.0
    doubt.note_step(found.context, found.tank, found.row)
    assert found.tank.doubt == Doubt(T0 + 2700.0 + DAY, 805.0, T0 - 50.0, 33.0, 0.0)


@pytest.mark.parametrize(("litres", "doubtful"), [(550.1, False), (550.0, True), (1050.0, False)])
def test_a_doubt_begins_with_a_fall_of_a_quarter(litres: float, doubtful: bool) -> None:
    assert begins(*FELL[:3], (2700.0, litres)) is doubtful


@pytest.mark.parametrize(
    ("before_s", "step_s", "doubtful"),
    [(1200, 900, True), (1201, 900, False), (900, 300, False), (900, 301, True),
     (900, 6000, True), (900, 6001, False)],
)  # fmt: skip
def test_a_fall_is_sudden_between_readings_that_come_often_but_not_very_often(
    before_s: float, step_s: float, doubtful: bool
) -> None:
    assert begins((0, 800), (before_s, 800), (before_s + step_s, 500)) is doubtful


def test_two_samples_are_too_few() -> None:
    assert not begins(*FELL[2:])


@pytest.mark.parametrize(
    ("fields", "doubtful"),
    [({"motion_ms": 1}, False), ({"tilt_deg": 1}, False), ({}, True), ({"lid_at": T0 + 1.0}, True)],
)
def test_only_motion_or_a_tilt_explains_a_fall(fields: dict[str, float], doubtful: bool) -> None:
    assert begins(*FELL, episode=episode_of(**fields)) is doubtful


@pytest.mark.parametrize(
    ("start", "end", "doubtful"),
    [(1801, 1802, False), (2699, 9000, False), (0, 1799, True), (2701, 9000, True),
     (901, 1000, True)],
)  # fmt: skip
def test_a_plan_explains_a_fall_that_it_overlaps(start: int, end: int, doubtful: bool) -> None:
    plan = Plan("north-1", T0 + start, T0 + end, "cleaning")
    assert begins(*FELL, plans=(plan,)) is doubtful


@pytest.mark.parametrize(
    ("most_l", "litres", "steps"),
    [
        (0.0, 550.1, 1),
        (0.0, 550.0, 2),
        (200.0, 500.0, 2),
        (200.0, 500.1, 1),
        (100.0, 550.0, 2),
        (400.0, 1050.0, 2),
        (400.0, 1049.9, 1),
    ],
)
def test_another_step_is_a_rise_of_a_quarter_or_a_fall_beyond_all_use(
    most_l: float, litres: float, steps: int
) -> None:
    found = after(*FELL[:3], (2700.0, litres), most_l=most_l).tank.doubt
    assert found is not None
    assert found.steps == steps
    assert found.until == (T0 + 2700 + DAY if steps > 1 else T0 + 100)
    assert found.moved_l == pytest.approx(abs(800 - litres))


@pytest.mark.parametrize(
    ("steps", "moved_l", "sick"),
    [(2, 0.0, True), (1, 0.0, False), (1, 2699.0, False), (1, 2700.0, True), (1, 1500.0, False)],
)
def test_three_steps_or_ups_and_downs_of_three_tanks_are_sick(
    steps: int, moved_l: float, sick: bool
) -> None:
    found = after(*FELL, most_l=0.0, steps=steps, moved_l=moved_l).tank
    assert found.settling.noise.bad_share == (0.5 if sick else 0.0)


def test_cans_that_are_carried_away_are_no_doubt() -> None:
    found = handled_tank(kind="station")
    found.tank.flow.recent = [[T0 + at, litres] for at, litres in FELL]
    doubt.note_step(found.context, found.tank, found.row)
    assert found.tank.doubt is None
