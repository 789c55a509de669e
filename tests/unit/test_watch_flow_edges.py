"""Exact limits of the account: when a draw has ended, what a trend is of, how smoothing learns."""

import pytest

from gateway.domain.outputs import TankEvent
from gateway.domain.watch.tracks import account, flow
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.settling import Sample
from tests.unit.followed_tank import sampled
from tests.unit.settled_tank import ROW


def update(track: Flow, at: float, litres: float, **fields: bool) -> list[TankEvent]:
    return flow.update(track, ROW, Sample(at, at, litres, 1.0), 1.0, **fields)


@pytest.mark.parametrize(("still_s", "count"), [(1499, 0), (1500, 1)])
def test_a_draw_has_ended_when_the_level_was_still_for_25_minutes(
    still_s: float, count: int
) -> None:
    track = Flow()
    for at, litres in ((0, 700), (600, 700), (1200, 700), (1800, 660), (2100, 660)):
        assert update(track, at, litres) == []
    found = update(track, 1800 + still_s, 660)
    assert [(e.at, e.until, e.kind, e.litres) for e in found] == [(600, 3300, "draw", 40.0)] * count


def test_what_may_be_a_loss_is_not_booked_as_a_draw() -> None:
    track = Flow()
    for at, litres in ((0, 700), (600, 700), (1200, 700), (1800, 660), (2100, 660)):
        update(track, at, litres)
    assert update(track, 3300, 660, is_suspect=True) == []
    assert [e.kind for e in update(track, 3600, 660)] == ["draw"]


@pytest.mark.parametrize(
    ("recent", "trend"),
    [
        ([(0, 1000), (3600, 600), (7200, 200)], -400.0),
        ([(-1, 9000), (0, 1000), (3600, 600), (7200, 200)], -400.0),
        ([(-1, 1000), (3600, 600), (7200, 200)], None),
        ([(0, 500), (700, 500), (1500, 500)], 0.0),
        ([(0, 500), (700, 500), (1499, 500)], None),
        ([(0, 500), (1500, 500)], None),
    ],
)
def test_the_trend_is_of_three_samples_over_25_minutes_within_two_hours(
    recent: list[tuple[float, float]], trend: float | None
) -> None:
    assert flow.trend_lph(sampled(*[list(sample) for sample in recent])) == trend


def test_the_trend_begins_with_the_last_refill() -> None:
    recent = [[0.0, 100.0], [1000.0, 900.0], [1800.0, 880.0], [2800.0, 855.0]]
    assert flow.trend_lph(sampled(*recent, refill_at=1000.0)) == pytest.approx(-90.0, abs=0.5)
    assert flow.trend_lph(sampled(*recent, refill_at=1001.0)) is None


def smoothed(litres: float, at: float, trend_lps: float = -0.02) -> tuple[float, float]:
    """Level and trend of a level of 500 L at 1000 s after one sample more."""
    track = Flow(smooth_l=500.0, smooth_at=1000.0, trend_lps=trend_lps)
    account.smooth(track, litres, at, 30.0)
    assert track.smooth_at == at and track.smooth_l is not None
    return round(track.smooth_l, 6), round(track.trend_lps, 6)


def test_a_sample_moves_the_level_by_half_and_the_trend_by_its_time() -> None:
    # Expected after 600 s: 488 L. A trend towards more is followed by 0.2, towards less by 0.35.
    assert smoothed(482.0, 1600.0) == (485.0, -0.022)
    assert smoothed(488.5, 1600.0) == (488.25, -0.019708)
    # After 300 s, 494 L: half as fast.
    assert smoothed(488.0, 1300.0) == (491.0, -0.022)
    assert smoothed(500.0, 1300.0) == (497.0, -0.0165)
    # After 1200 s, 476 L: no faster than after 600 s.
    assert smoothed(470.0, 2200.0) == (473.0, -0.021)


def test_the_level_never_trends_upwards() -> None:
    assert smoothed(520.0, 1600.0, 0.0) == (510.0, 0.0)


def test_a_step_beyond_the_noise_is_followed_at_once_and_is_no_trend() -> None:
    assert smoothed(457.9, 1600.0) == (457.9, -0.02)
    assert smoothed(458.0, 1600.0) == (473.0, -0.03)


def test_a_sample_from_before_or_after_an_hour_begins_anew() -> None:
    assert smoothed(499.0, 999.0) == (499.0, 0.0)
    assert smoothed(499.0, 1000.0) == (499.0, 0.0)
    assert smoothed(428.0, 4600.0) == (428.0, -0.02)
    assert smoothed(428.0, 4600.1) == (428.0, 0.0)


@pytest.mark.parametrize(("sigma_l", "kind"), [(5.0, "refill"), (5.1, None), (1.0, "refill")])
def test_after_a_spell_a_rise_within_six_times_the_noise_is_none(
    sigma_l: float, kind: str | None
) -> None:
    track = Flow()
    update(track, 0, 500)
    found = flow.resume(track, ROW, Sample(9000, 9000, 530.1, 1.0), sigma_l)
    assert [e.kind for e in found] == ([kind] if kind else [])


def test_the_least_of_a_refill_in_a_spell_is_not_negative() -> None:
    track = Flow()
    update(track, 0, 500)
    (refill,) = flow.resume(track, ROW, Sample(9000, 9000, 640.0, 1.0), 20.0)
    error = account.error_l(20.0)
    assert error == pytest.approx(27.92, abs=0.01)
    assert (refill.litres, refill.least_l, refill.most_l) == (140.0, 112.1, 1140.0)
