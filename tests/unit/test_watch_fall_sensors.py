"""Falls of a sensor that is not believed: echoes that disagree, two devices that speak as one."""

import pytest

from gateway.domain.watch.memory.state import Promise
from gateway.domain.watch.rules import falls
from gateway.domain.watch.tracks import tamper
from gateway.domain.watch.tracks.settling import Sample
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.settled_tank import reading
from tests.unit.tank_story import T0

LITRES = 700.0, 700.0, 700.0, 400.0


def live(handled: HandledTank, sd_l: float = 1.0) -> tamper.Fall | None:
    """The fall after four settled samples, a minute each, the newest with ``sd_l``."""
    handled.tank.flow.recent = [[T0 + 60.0 * i, level] for i, level in enumerate(LITRES)]
    handled.context.now = T0 + 180
    sample = Sample(T0 + 180, T0 + 180, 400.0, sd_l)
    falls.check(handled.context, handled.tank, handled.row, handled.device, sample)
    return handled.tank.episode.fall if handled.tank.episode else None


def late(handled: HandledTank, sd_l: float = 1.0) -> tamper.Fall | None:
    """The same of readings that arrived late."""
    handled.context.now = T0 + 9000
    for i, level in enumerate(LITRES):
        one = reading(60 * i, level, sd_l=sd_l)
        falls.check_late(handled.context, handled.tank, handled.row, handled.device, one)
    return handled.tank.episode.fall if handled.tank.episode else None


@pytest.mark.parametrize("found_by", [live, late])
@pytest.mark.parametrize(
    ("sd_l", "bad_share", "is_rough"),
    [(24.9, 0.0, False), (25.0, 0.0, True), (1.0, 0.099, False), (1.0, 0.1, True)],
)
def test_a_fall_is_rough_where_echoes_or_readings_disagree(
    found_by: object, sd_l: float, bad_share: float, is_rough: bool
) -> None:
    handled = handled_tank()
    handled.tank.settling.noise.bad_share = bad_share
    assert callable(found_by)
    fall = found_by(handled, sd_l)
    assert isinstance(fall, tamper.Fall) and fall.is_rough == is_rough


@pytest.mark.parametrize("found_by", [live, late])
@pytest.mark.parametrize(("heard_s", "is_double"), [(60.0, True), (0.0, False)])
def test_the_levels_of_two_devices_that_speak_as_one_are_no_fall(
    found_by: object, heard_s: float, is_double: bool
) -> None:
    """An older era counts while it is received after the newer one began."""
    handled = handled_tank()
    handled.device.promises = [
        Promise("aaaaaaaa", 1, 1, T0 - 9000, T0 + heard_s, 900, 0.0),
        Promise("bbbbbbbb", 1, 1, T0, T0 + 90, 900, 0.0),
    ]
    assert callable(found_by)
    assert (found_by(handled) is None) == is_double


def test_echoes_that_disagree_speak_against_a_theft_and_for_the_sensor() -> None:
    term = handled_tank().terms(episode_of(fall=fall_of(is_rough=True)))["echoes_disagree"]
    assert term.towards["theft"] < 0 < term.towards["sensor_fault"]
    assert "echoes_disagree" not in handled_tank().terms(episode_of(fall=fall_of()))


def test_a_fall_that_was_rough_in_some_part_remains_so() -> None:
    for was, now in ((True, False), (False, True)):
        later = fall_of(at=T0 + 60, is_rough=now)
        tamper.extend(later, fall_of(is_rough=was))
        assert later.is_rough
