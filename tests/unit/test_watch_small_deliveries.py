"""Water that stays for a reading or two: a few cans that are drawn at once, or false echoes."""

from dataclasses import replace

import pytest

from gateway.domain.watch.tracks import flow
from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.settling import settle
from tests.unit.followed_tank import Followed
from tests.unit.settled_tank import ROW, SD_L, SettledTank, reading
from tests.unit.tank_story import Story, registry_of


def calm(readings: int = 24) -> SettledTank:
    """A tank at 500 L after so many readings without an outlier; the first one proves nothing."""
    return SettledTank(*([500.0] * (readings + 1)))


BACK_L = 508.0
"""Within the gate of 500 L, and not the very same level."""


@pytest.mark.parametrize("readings", [(580.0,), (440.0,), (450.0, 560.0, 600.0), (440.0, 619.0)])
def test_water_that_came_and_was_drawn_is_settled_once_the_level_is_back(
    readings: tuple[float, ...],
) -> None:
    tank = calm()
    assert tank.litres(*readings, BACK_L) == [*readings, BACK_L]
    assert tank.track.waiting == []
    assert tank.track.noise.bad_share == 0


@pytest.mark.parametrize(("known", "count"), [(18, 1), (19, 2)])
def test_only_a_known_sensor_sees_water_in_one_reading(known: int, count: int) -> None:
    tank = calm(known)
    assert len(tank.reads(600, BACK_L)) == count


@pytest.mark.parametrize(("since", "count"), [(4, 1), (5, 2)])
def test_a_sensor_that_erred_twice_is_trusted_again_after_some_readings(
    since: int, count: int
) -> None:
    tank = calm()
    tank.litres(900, *([500.0] * 3), 900, *([500.0] * since))
    assert len(tank.reads(600, BACK_L)) == count


@pytest.mark.parametrize(("litres", "count"), [(380.5, 2), (379.5, 1), (627.5, 2), (628.5, 1)])
def test_what_the_taps_cannot_have_drawn_between_two_readings_was_no_water(
    litres: float, count: int
) -> None:
    """Four taps draw at most 120 L: before the delivery, or after it."""
    assert len(calm().reads(litres, BACK_L)) == count


@pytest.mark.parametrize(("litres", "count"), [(2199, 2), (2201, 1)])
def test_more_than_some_cans_is_not_drawn_within_a_reading(litres: float, count: int) -> None:
    """The taps may have drawn 600 L of this tank."""
    tank = replace(ROW, capacity_l=5000)
    track = SettledTank(*([2000.0] * 25)).track
    settle(track, tank, reading(26 * 900, litres))
    assert len(settle(track, tank, reading(26 * 900 + 1800, 2010))) == count


@pytest.mark.parametrize(("valid", "count"), [(7, 2), (None, 2), (6, 1)])
def test_a_burst_that_lost_samples_shows_no_water(valid: int | None, count: int) -> None:
    tank = calm()
    settled = tank.reads(600, valid=valid) + tank.reads(BACK_L)
    assert len(settled) == count


@pytest.mark.parametrize(("litres", "count"), [(529.9, 2), (530.1, 1), (470.1, 2), (469.9, 1)])
def test_people_seldom_draw_just_what_was_delivered(litres: float, count: int) -> None:
    assert len(calm().reads(litres, 500)) == count


@pytest.mark.parametrize(("level", "count"), [(49.0, 2), (51.0, 1)])
def test_of_an_empty_tank_people_draw_all_that_comes(level: float, count: int) -> None:
    tank = SettledTank(*([level] * 25))
    assert len(tank.reads(level + 80, level)) == count


@pytest.mark.parametrize(("part", "count"), [(1.45, 1), (1.55, 2)])
def test_the_very_same_level_is_within_one_and_a_half_sd(part: float, count: int) -> None:
    tank = calm()
    sigma_l = scatter.sigma_l(tank.track.noise, SD_L, ROW.capacity_l)
    assert len(tank.reads(600, 500 + part * sigma_l)) == count


def test_more_than_three_readings_between_are_no_small_delivery() -> None:
    readings = (600.0, 560.0, 595.0, 555.0)
    waiting = [[100.0 * n, 0.0, litres, 6.5, 0.0, 1.0] for n, litres in enumerate(readings)]
    for count, settled in ((3, 4), (4, 1)):
        tank = calm()
        tank.track.waiting = [[tank.track.settled_at + w[0], *w[1:]] for w in waiting[:count]]
        assert len(tank.reads(BACK_L)) == settled


@pytest.mark.parametrize(("valid", "kept"), [(6, [440.0, 350.0]), (5, [])])
def test_a_burst_that_lost_many_samples_does_not_prove_a_draw(
    valid: int, kept: list[float]
) -> None:
    """The second reading is 90 L below the first: people may have drawn that, if it is water."""
    tank = calm()
    assert tank.reads(440, every=1800) == []
    assert [s.litres for s in tank.reads(350, every=1800, valid=valid)] == kept


def test_a_reading_that_an_earlier_version_kept_waiting_lost_no_samples() -> None:
    tank = calm()
    tank.track.waiting = [[tank.track.settled_at + 900, 0.0, 600.0, 6.5, 540.0]]
    tank.at += 900
    assert tank.litres(BACK_L) == [600, BACK_L]


@pytest.mark.parametrize(("sigma_l", "kinds"), [(3.0, ["refill"]), (12.0, [])])
def test_cans_that_were_drawn_at_once_are_a_refill_where_the_noise_is_smaller(
    sigma_l: float, kinds: list[str]
) -> None:
    """85 L is 28 or 7 sd, and in one reading 7 standard errors are 7.7 of them."""
    seen = Followed(*([500.0] * 8)).sees(585, 500, 500, every=600, sigma_l=sigma_l)
    assert [kind for kind in seen.kinds if kind == "refill"] == kinds


@pytest.mark.parametrize(("top", "kinds"), [(619.0, ["refill"]), (621.0, [])])
def test_a_rise_that_people_cannot_have_drawn_again_was_an_echo(
    top: float, kinds: list[str]
) -> None:
    seen = Followed(*([500.0] * 8)).sees(top, 500, 500, every=900)
    assert [kind for kind in seen.kinds if kind == "refill"] == kinds


@pytest.mark.parametrize(("noise", "kinds"), [(0.0, ["refill"]), (6.0, [])])
def test_a_rise_is_proven_by_the_means_before_and_after_it(noise: float, kinds: list[str]) -> None:
    """From 500 L to 514: 6 standard errors of the two means are 12.7 L; a high reading at the
    top is none.
    """
    after = [517.0, 514.0 - noise, 514.0 - noise]
    seen = Followed(*([500.0] * 8)).sees(*after)
    assert [kind for kind in seen.kinds if kind == "refill"] == kinds
    assert seen.flow.rise is None


def test_a_rise_that_was_none_leaves_the_level_where_it_is() -> None:
    seen = Followed(*([500.0] * 8)).sees(517, 510, 510)
    assert (seen.told, seen.flow.rise) == ([], None)
    assert seen.flow.smooth_l == 510
    assert seen.flow.low == [[seen.flow.recent[-1][0], 510]]
    assert [litres for _, litres in seen.flow.recent[-3:]] == [517, 510, 510]


def test_a_delivery_between_steady_draws_is_counted() -> None:
    """20 L are drawn each quarter of an hour, and about 45 L come once."""
    seen = Followed(*(900.0 - 20 * i for i in range(9))).sees(765, 745, 725, 705, 685, 665, 645)
    assert seen.kinds.count("refill") == 1
    assert seen.total("refill") == pytest.approx(45, abs=8)
    balance = 900 + seen.total("refill") - flow.drawn_l(seen.flow)
    assert balance == pytest.approx(645, abs=2)


def test_a_fall_between_two_readings_at_the_level_is_no_theft() -> None:
    """The level is known to be back when the readings between are settled."""
    story = Story(registry_of([replace(ROW, taps=4)]))
    story.levels(*([500.0] * 26), every=600)
    story.levels(390, 509, *([505.0] * 5), every=600)
    assert [incident.kind for incident in story.incidents] == []
    assert [e.kind for e in story.events("refill", "draw")] == ["draw", "refill"]


def drawn_again(delivered: float, *, after: int = 6) -> Story:
    """A nearly empty tank gets a delivery, ``after`` readings later all of it is gone."""
    story = Story(registry_of([ROW]))
    story.levels(*([25.0] * 12), *([25.0 + delivered] * after), *([25.0] * 4), every=120)
    return story


@pytest.mark.parametrize(("delivered", "thefts"), [(240.0, 0), (260.0, 1)])
def test_a_small_delivery_that_people_waited_for_was_not_stolen(
    delivered: float, thefts: int
) -> None:
    assert len({c.id for c in drawn_again(delivered).incidents if c.kind == "drained"}) == thefts


@pytest.mark.parametrize(("after", "thefts"), [(16, 0), (17, 1)])
def test_half_an_hour_after_it_nobody_had_waited(after: int, thefts: int) -> None:
    story = drawn_again(240.0, after=after)
    assert len({c.id for c in story.incidents if c.kind == "drained"}) == thefts


def test_more_than_was_delivered_may_have_been_stolen() -> None:
    story = Story(registry_of([ROW]))
    story.levels(*([300.0] * 12), *([500.0] * 4), *([25.0] * 4), every=300)
    assert "drained" in {change.kind for change in story.incidents}
