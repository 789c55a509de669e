"""The width of the range, learned from the forecasts that came true."""

from random import Random

import pytest

from gateway.domain.watch.tracks import scaling as scalings
from gateway.domain.watch.tracks.scaling import Scaling


def finished(errors: list[float]) -> Scaling:
    scaling = Scaling()
    for error in errors:
        scalings.finish(scaling, error)
    return scaling


def test_the_range_starts_as_that_of_a_normal_distribution() -> None:
    assert (Scaling().less, Scaling().more) == (1.2816, 1.2816)


def test_small_errors_narrow_the_range_and_large_ones_widen_it() -> None:
    narrow, wide = finished([0.1, -0.1] * 30), finished([3.0, -3.0] * 30)
    assert 0.3 <= narrow.less < 0.7 and 0.3 <= narrow.more < 0.7
    assert wide.less > 2.9 and wide.more > 2.9


def test_each_side_has_its_own_width() -> None:
    scaling = finished([2.5, 0.1, 0.2] * 20)
    assert scaling.more > 2.4
    assert scaling.less < 0.9


def test_the_range_is_never_narrower_than_a_part_of_a_deviation() -> None:
    scaling = finished([0.0] * 200)
    assert scaling.less >= 0.3 and scaling.more >= 0.3
    scaling = finished([1.0] * 100)
    assert scaling.less == 0.3 and scaling.less_odds > 0.2


def test_the_last_sixty_errors_are_kept() -> None:
    scaling = finished([float(k) for k in range(100)])
    assert scaling.errors == [float(k) for k in range(40, 100)]


def test_one_in_five_errors_is_outside_when_they_are_drawn_alike() -> None:
    random, scaling, outside = Random(5), Scaling(), [0, 0]
    for _ in range(4000):
        error = random.expovariate(1.0) - 0.8
        outside[0] += error < -scaling.less
        outside[1] += error > scaling.more
        scalings.finish(scaling, error)
    assert outside[0] / 4000 == pytest.approx(0.09, abs=0.01)
    assert outside[1] / 4000 == pytest.approx(0.09, abs=0.01)


def test_a_miss_moves_an_end_outwards_and_a_hit_inwards() -> None:
    missed, hit = finished([5.0]), finished([0.0])
    assert missed.more_odds == pytest.approx(0.09 - 0.02 * 0.91, abs=1e-4)
    assert missed.less_odds == hit.less_odds == pytest.approx(0.09 + 0.02 * 0.09, abs=1e-4)
    assert finished([2.0**k for k in range(12)]).more_odds == 0.02
    assert finished([5.0, -5.0] + [0.0] * 200).more_odds == 0.3


def test_an_error_at_the_end_of_the_range_is_no_miss() -> None:
    assert finished([1.2816]).more_odds > 0.09
    assert finished([-1.2816]).less_odds > 0.09


def test_quantiles_are_interpolated() -> None:
    scaling = Scaling()
    scalings.finish(scaling, 0.5)
    # Fifteen values; 0.0918 of 16 places is place 1.4688 of them: between the two lowest.
    assert scaling.less == pytest.approx(1.5011 - 0.4688 * (1.5011 - 1.1108), abs=2e-4)
    assert scaling.more == pytest.approx(1.5011 - 0.4688 * (1.5011 - 1.1108), abs=2e-4)


def test_what_is_expected_is_kept_with_its_hour_and_what_was_drawn_until_then() -> None:
    scaling = Scaling()
    scalings.expect(scaling, 500_000, 12, 345.5, 123.456)
    assert scaling.pending == [[500_000, 12, 345.5, 123.46]]


def test_beyond_the_largest_error_nothing_is_extrapolated() -> None:
    scaling = finished([2.0, 4.0, 8.0, 16.0])
    assert scaling.more_odds == 0.02
    assert scaling.more == 16.0


def test_two_horizons_are_measured_four_times_a_day() -> None:
    assert (scalings.EVERY_H, scalings.HORIZONS_H) == (6, (12, 24))


def test_errors_are_kept_to_a_thousandth() -> None:
    assert finished([0.12345]).errors == [0.123]
    assert finished([0.12345]).less == 1.3181
