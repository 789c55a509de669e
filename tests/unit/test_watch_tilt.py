"""A tilted tank: no reading is a level until the tank is proved upright again."""

import pytest

from gateway.domain.inputs import Reading
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.tilt import TiltedSpell, begin_tilt, update_tilt
from tests.unit.settled_tank import ROW, reading
from tests.unit.tank_story import T0, Story, tilt


def tilted(before_l: float | None = 500.0) -> TiltedSpell:
    """A tank that was tilted at T0."""
    track = LevelTrack(T0 - 900, T0 - 900, before_l, 6.5) if before_l is not None else LevelTrack()
    return begin_tilt(track, T0)


def ends_at(spell: TiltedSpell, *readings: Reading) -> int | None:
    """The number of the reading that proves the tank upright; None when none does."""
    for number, one in enumerate(readings, 1):
        after = update_tilt(spell, ROW, one)
        if after is None:
            return number
        spell = after
    return None


def readings(*litres: float, sd_l: float = 6.5) -> list[Reading]:
    """A reading each 900 s after T0."""
    return [reading(900 * i, level, sd_l=sd_l) for i, level in enumerate(litres, 1)]


def test_a_tilt_keeps_the_newest_level_from_before() -> None:
    assert tilted().before == [T0 - 900, T0 - 900, 500.0, 6.5]
    assert tilted(None).before == []
    assert tilted().at == T0


@pytest.mark.parametrize(
    ("litres", "number"), [(579.0, 2), (421.0, 2), (581.0, None), (419.0, None)]
)
def test_two_readings_near_the_level_before_prove_it_upright(
    litres: float, number: int | None
) -> None:
    """Near is 8 % of the capacity."""
    assert ends_at(tilted(), *readings(litres, litres)) == number


@pytest.mark.parametrize(("litres", "number"), [(599.0, 2), (601.0, None)])
def test_near_is_wider_for_an_uncertain_reading(litres: float, number: int | None) -> None:
    assert ends_at(tilted(), *readings(litres, litres, sd_l=20.0)) == number


def test_the_two_must_follow_one_another() -> None:
    assert ends_at(tilted(), *readings(500, 200, 500, 200, 500, 501)) == 6


def test_twelve_steady_steps_at_any_level_prove_it_upright() -> None:
    assert ends_at(tilted(), *readings(*([200] * 12))) is None
    assert ends_at(tilted(), *readings(*([200] * 13))) == 13
    assert ends_at(tilted(None), *readings(*([200] * 14))) == 13


@pytest.mark.parametrize(("step", "number"), [(20.0, 13), (20.5, None)])
def test_steady_readings_differ_by_two_per_cent_of_the_tank(
    step: float, number: int | None
) -> None:
    levels = [200 + step * (i % 2) for i in range(16)]
    assert ends_at(tilted(), *readings(*levels)) == number


@pytest.mark.parametrize(("step", "number"), [(24.0, 13), (24.5, None)])
def test_steady_readings_differ_by_two_sd_of_an_uncertain_one(
    step: float, number: int | None
) -> None:
    levels = [200 + step * (i % 2) for i in range(16)]
    assert ends_at(tilted(), *readings(*levels, sd_l=12.0)) == number


def test_a_jump_starts_the_steady_readings_again() -> None:
    levels = [200.0] * 12 + [300.0] * 13
    assert ends_at(tilted(), *readings(*levels)) == 25


def test_readings_from_before_the_tilt_and_faults_prove_nothing() -> None:
    assert ends_at(tilted(), *[reading(at, 500) for at in (-2000, -900, 0)]) is None
    faults = [reading(900 * i, None, fault="no_echo") for i in range(1, 20)]
    assert ends_at(tilted(), *faults) is None
    assert ends_at(tilted(), reading(900, 500), faults[5], reading(8000, 500)) == 3


def test_nothing_after_a_tilt_is_a_level_until_two_readings_agree_with_the_one_before() -> None:
    story = Story()
    story.levels(800, 800, 800)
    story.sends(800, at=story.at + 900, events=(tilt(35),))
    story.levels(100, 120, 90, 100)
    assert set(story.states[4:]) == {"unknown"}
    assert story.watch.now("north-1").volume_l == pytest.approx(800, abs=1)
    assert story.events("draw", "drain", "slash", "fault") == []
    assert {i.kind for i in story.incidents} & {"low", "critical", "empty"} == set()
    story.levels(798, 799)
    assert story.states[-1] == "ok"
    assert story.watch.now("north-1").volume_l == pytest.approx(799, abs=1)


def test_missing_echoes_of_a_tilted_tank_are_no_sensor_fault() -> None:
    story = Story()
    story.levels(800, 800, 800)
    story.sends(800, at=story.at + 900, events=(tilt(35),))
    for _ in range(8):
        story.sends(None, at=story.at + 900)
    assert story.events("fault") == []
    assert "opened sensor_fault!" not in story.summary


def test_a_tank_that_lost_water_while_it_was_tilted_is_read_again_once_it_is_steady() -> None:
    story = Story()
    story.levels(800, 800, 800)
    story.sends(800, at=story.at + 900, events=(tilt(35),))
    story.levels(*([100.0] * 12))
    assert story.watch.now("north-1").volume_l == pytest.approx(800, abs=1)
    story.levels(100, 101, 100)
    assert story.watch.now("north-1").volume_l == pytest.approx(100, abs=1)
    assert story.watch.now("north-1").state == "critical"
