"""Weights fitted to samples made by hand."""

from math import log
from typing import Any, Literal

import pytest

from gateway.domain.outputs import Because, IncidentChange
from gateway.domain.watch.rules.removal import ENOUGH
from gateway.domain.watch.tracks.cause import Review
from gateway.errors import NoriaError
from gateway.evaluation import fitted_file
from gateway.evaluation.assumed import ASSUMED, THEFTS_PER_TANK_YEAR
from gateway.evaluation.catalog import make
from gateway.evaluation.decisions import decisions_of
from gateway.evaluation.fit import fit, theft_odds
from gateway.evaluation.matching import match
from gateway.evaluation.monotone import Step, monotone_table
from gateway.evaluation.samples import (
    CalibrationSample,
    EpisodeSample,
    Samples,
    episodes_of,
    samples_of,
)
from gateway.evaluation.truth import TrueCause

_What = Literal["opened", "updated", "closed"]
T0 = 1_780_000_000.0


def _even(pairs: list[tuple[float, bool]]) -> list[tuple[float, bool, float]]:
    return [(value, is_true, 1.0) for value, is_true in pairs]


def test_a_monotone_table_pools_what_would_fall() -> None:
    pairs = [(0.1, False), (0.2, True), (0.3, False), (0.4, False), (0.8, True), (0.9, True)]
    assert monotone_table(_even(pairs)) == [
        Step(0.1, 0.1, 0.3333, 1),
        Step(0.2, 0.4, 0.4, 3),  # (1 + 1) / (3 + 2)
        Step(0.8, 0.9, 0.75, 2),
    ]


def test_no_step_falls_by_the_decisions_that_are_added() -> None:
    pairs = [(0.1, False)] * 8 + [(0.3, i < 3) for i in range(8)] + [(0.6, i < 1) for i in range(2)]
    found = monotone_table(_even(pairs))
    assert [s.probability for s in found] == sorted(s.probability for s in found)
    assert [(s.low, s.weight) for s in found] == [(0.1, 8), (0.3, 8), (0.6, 2)]
    one_more = monotone_table(_even([(0.1, True)] * 3 + [(0.1, False)] + [(0.6, True)]))
    assert one_more == [Step(0.1, 0.6, 0.7143, 5)]  # 4/6 and then 2/3 would not rise
    assert all(s.probability < 1 for s in found)


def test_a_table_counts_each_by_its_weight() -> None:
    found = monotone_table([(0.5, False, 3.0), (0.5, True, 1.0)], smooth=0.5)
    assert found == [Step(0.5, 0.5, 0.3, 4.0)]  # (1 + 0.5) / (4 + 1)
    assert monotone_table([]) == []


def _samples(thefts: int = 20, harmless: int = 40) -> Samples:
    """Thefts are carried off or cut; in ordinary life some taps are open."""
    carried, cut = ("motion.carried", "tilt.carried"), ("fall_rate.much_more", "fall_shape.fast")
    used = "fall_rate.some_taps", "fall_shape.unknown"
    episodes = [EpisodeSample("theft", "seized", ((carried, 0.0),))] * (thefts // 2)
    episodes += [EpisodeSample("theft", "slashed", ((used, 0.0), (cut, 0.0)))] * (thefts // 2)
    episodes += [EpisodeSample("ordinary", "", ((used, 0.0),))] * harmless
    calibration = [CalibrationSample("ordinary", "silent", 1.4, i < 5) for i in range(10)]
    return Samples(10.0, {"seized": 10, "slashed": 10}, episodes, calibration)


def test_a_fit_counts_rates_and_levels() -> None:
    weights = fit(_samples(), "made")
    assert weights.rates == {"theft": 2 * THEFTS_PER_TANK_YEAR, "harmless": 4.0}
    assert weights.prior["theft"] == round(log(2 * THEFTS_PER_TANK_YEAR / 4), 2)
    assert weights.counts["fall_rate.some_taps"] == (10, 40)
    assert weights.counts["motion.carried"] == (10, 0)
    assert "knock" not in weights.counts
    assert weights.origin == "made"


def test_a_level_of_thefts_gains_weight_and_one_that_no_story_has_keeps_its_own() -> None:
    weights = fit(_samples(), "made")
    for level in ("knock", "seen_there", "lid.stayed"):
        assert weights.ratios[level] == ASSUMED.ratios[level]
    cut = weights.ratios["fall_rate.much_more"]
    assert cut["theft"] > ASSUMED.ratios["fall_rate.much_more"]["theft"] - 0.5
    assert cut["slashed"] > cut["drained"]
    assert weights.calibration["silent"] == [(1.4, 0.5)]
    assert weights.calibration["theft"][-1][1] > 0.9 > 0.3 > weights.calibration["theft"][0][1]


def test_calibration_counts_each_episode_once_by_the_review_that_opens_an_incident() -> None:
    """On its way to a sure review a theft passes one at which most harmless episodes end."""
    samples = _samples()
    weak, *_, sure = fit(samples, "made").calibration["theft"]
    weight = THEFTS_PER_TANK_YEAR * 10 / 10  # of one story in ten tank-years
    # 40 harmless ones end at the weak review; the ten thefts there are opened by their second.
    assert weak[1] == round(weight / (40 + 2 * weight), 4)
    assert sure[1] == round((20 * weight + weight) / (20 * weight + 2 * weight), 4)


def test_an_episode_that_opens_nothing_counts_with_its_highest_review() -> None:
    used, less = ("fall_rate.some_taps", "fall_shape.unknown"), ("fall_rate.few_taps",)
    samples = _samples()
    both = EpisodeSample("ordinary", "", ((less, 0.0), (used, 0.0), (less, 0.0)))
    samples.episodes = [e for e in samples.episodes if e.theft] + [both] * 40
    weights = fit(samples, "made")
    odds = {level: theft_odds(weights, ((*level,), 0.0)) for level in (less, used)}
    assert weights.calibration["theft"][0][0] == round(odds[used], 2)


def test_an_incident_opens_at_the_least_odds_that_reach_its_probability() -> None:
    """Three of four episodes at the middle review are thefts; with fewer it opens none."""
    middle, used = ("fall_rate.most_taps",), ("fall_rate.some_taps",)
    for thefts, is_opened in ((240, True), (40, False)):
        samples = _samples()
        samples.episodes += [EpisodeSample("theft", "drained", ((middle, 0.0),))] * thefts
        samples.episodes += [EpisodeSample("ordinary", "", ((used, 0.0), (middle, 0.0)))] * 20
        weights = fit(samples, "made")
        told = weights.probability("theft", theft_odds(weights, (middle, 0.0)))
        expected = 0.25 * (thefts + 1) / (0.25 * (thefts + 2) + 20)
        assert told == pytest.approx(expected, abs=1e-4)
        assert (told >= ENOUGH) == is_opened


def test_the_same_samples_give_the_same_bytes_in_any_order() -> None:
    samples, turned = _samples(), _samples()
    turned.episodes.reverse()
    turned.calibration.reverse()
    once = fitted_file.text(fit(samples, "made"))
    assert fitted_file.text(fit(turned, "made")) == once
    loaded: dict[str, Any] = {}
    exec(once, loaded)  # noqa: S102 - as the watch would import it
    assert fitted_file.text(loaded["FITTED"]) == once


def test_too_few_samples_are_refused() -> None:
    assert fit(_samples(20, 1), "made")
    for samples in (_samples(18), _samples(20, 0)):
        with pytest.raises(NoriaError, match="too few to fit: run more --seeds"):
            fit(samples, "made")


def test_episodes_have_each_different_review_once_and_their_theft() -> None:
    fall, lid = ("fall_rate.all_taps",), ("lid.open",)
    more = "fall_rate.much_more", "knock"
    reviews = [
        Review("a", T0, T0, lid, 0.0), Review("a", T0, T0 + 60, fall, 0.0),
        Review("a", T0, T0 + 90, more, 1.0), Review("a", T0, T0 + 99, fall, 0.0),
        Review("a", T0 + 9000, T0 + 9000, fall, 0.0), Review("b", T0, T0, fall, 0.0),
        Review("a", T0 + 20_000, T0 + 20_000, ("planned_move", "motion.shake"), 0.0),
    ]  # fmt: skip
    cause = TrueCause("slashed", ("slashed",), T0 + 900, T0 + 999, "a")
    found = episodes_of("theft", reviews, [cause])
    assert [(e.theft, e.reviews) for e in found] == [
        ("slashed", ((fall, 0.0), (more, 1.0))), ("", ((fall, 0.0),)), ("", ((fall, 0.0),)),
    ]  # fmt: skip
    late = TrueCause("slashed", ("slashed",), T0 + 1000, T0 + 1999, "a")  # 901 s after
    assert episodes_of("theft", reviews[:4], [late])[0].theft == ""


def test_a_story_is_sampled_alike_twice() -> None:
    once, again = (samples_of(("slashed", 3)) for _ in range(2))
    assert once == again
    assert once.stories == {"slashed": 1} and once.tank_years == 0.0
    assert any(e.theft == "slashed" for e in once.episodes)


def test_a_decision_weighs_causes_a_theft_among_them() -> None:
    story = make("drained_motion", 0)
    cause = TrueCause("drained", ("drained",), T0, T0 + 3600, "a")

    def change(
        n: int, what: Literal["opened", "updated", "closed"], causes: dict[str, float]
    ) -> IncidentChange:
        because = (Because("tilt", 1.5, "measured"),)
        return IncidentChange(
            "i", what, n, T0 + n, T0 + n, "a", None, "drained", 0.6, causes, because, "mac", True
        )  # fmt: skip

    causes = {"drained": 0.6, "seized": 0.2, "unknown": 0.2}
    matched = match([cause], [
        change(1, "opened", causes), change(2, "updated", {"drained": 1.0}),
        change(3, "updated", {"battery": 0.9, "unknown": 0.1}), change(4, "closed", causes),
    ])  # fmt: skip
    (found,) = decisions_of(story, matched)
    assert (found.change, found.kind, found.is_theft) == ("opened", "drained", True)
    assert found.theft == pytest.approx(0.8)
    assert found.terms == (("tilt", 1.5),)
    assert found.true_kind == "drained"
