"""The fitted weights: what a bad table says, and that more evidence never lowers a probability."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.watch.fitted import FITTED
from gateway.domain.watch.tracks.cause import BASE, Term, judge_episode
from gateway.domain.watch.tracks.weights import Weights, log_odds
from gateway.evaluation import fitted_file
from gateway.evaluation.assumed import ASSUMED, FIXED, LADDERS

_Steps = Mapping[str, Sequence[tuple[float, float]]]
RUNGS = [(low, high) for ladder in LADDERS for low, high in pairwise(ladder)]
LEVELS = sorted(ASSUMED.ratios.keys() - FIXED)


def weights_of(**fields: Any) -> Weights:
    rates = {"theft": 0.1, "harmless": 3.0}
    plain = Weights("by hand", rates, ASSUMED.prior, {"knock": {"theft": 1.2}}, {}, {})
    return replace(plain, **fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"origin": ""}, "the origin is empty"),
        ({"rates": {"theft": 1.0}}, "the rate of harmless must be above 0"),
        ({"rates": {"theft": 0.0, "harmless": 1.0}}, "the rate of theft must be above 0"),
        ({"counts": {"tilt": (1, 2)}}, "tilt is counted and has no ratio"),
        ({"calibration": {"silent": ((0.0, 1.0),)}}, "of silent is not between 0 and 1"),
        ({"calibration": {"silent": ((0.0, 0.0),)}}, "of silent is not between 0 and 1"),
        (
            {"calibration": {"theft": ((0.0, 0.2), (1.0, 0.2))}},
            "of theft does not rise",
        ),
        (
            {"calibration": {"theft": ((1.0, 0.2), (1.0, 0.3))}},
            "of theft does not rise",
        ),
    ],
)
def test_a_table_that_cannot_be_used_says_why(fields: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^weights: .*{says}"):
        weights_of(**fields)


def test_levels_add_up_and_an_unknown_one_is_an_error() -> None:
    ratios = {"a.b": {"theft": 1.5, "drained": 1.0}, "a.c": {"theft": -2.0}}
    assert weights_of(ratios=ratios).towards("a.b", "a.c") == {"theft": -0.5, "drained": 1.0}
    with pytest.raises(KeyError):
        weights_of(ratios=ratios).towards("a.d")


def test_a_probability_is_told_from_its_step_on() -> None:
    steps: _Steps = {"silent": ((0.5, 0.2), (1.0, 0.6))}
    weights = weights_of(calibration=steps)
    for odds, calibration in ((-9.0, 0.2), (0.5, 0.2), (0.99, 0.2), (1.0, 0.6), (9.0, 0.6)):
        assert weights.probability("silent", odds) == calibration
    assert weights.probability("battery", 0.0) == 0.5
    assert weights.probability("battery", log_odds(0.8)) == pytest.approx(0.8)


@pytest.mark.parametrize(("probability", "odds"), [(1.0, 30.0), (0.0, -30.0), (0.5, 0.0)])
def test_log_odds_have_an_end(probability: float, odds: float) -> None:
    assert log_odds(probability) == odds


def test_the_shipped_weights_have_all_levels_and_say_where_they_are_from() -> None:
    assert FITTED.ratios.keys() == {*ASSUMED.ratios, BASE}
    assert FITTED.prior.keys() == ASSUMED.prior.keys()
    assert "noria evaluate --fit" in FITTED.origin and "tank-years" in FITTED.origin
    for level in FIXED:
        assert FITTED.ratios[level] == ASSUMED.ratios[level]
    assert {"theft", "silent", "sensor_fault"} <= FITTED.calibration.keys()


def test_the_shipped_module_is_what_its_command_writes() -> None:
    """After a merge of two fits: write ``fitted_file.text(FITTED)`` to ``fitted_file.PATH``."""
    assert fitted_file.PATH.read_text("utf-8") == fitted_file.text(FITTED)


@pytest.mark.parametrize(("low", "high"), RUNGS)
def test_more_of_a_figure_never_weighs_less(low: str, high: str) -> None:
    assert FITTED.ratios[low]["theft"] <= FITTED.ratios[high]["theft"]


def term(level: str) -> Term:
    return Term(level, "measured", FITTED.towards(level))


@given(st.lists(st.sampled_from(LEVELS), unique=True), st.sampled_from(RUNGS))
def test_more_evidence_never_lowers_the_probability_of_theft(
    levels: list[str], rung: tuple[str, str]
) -> None:
    other = [term(level) for level in levels if level not in rung]
    low, high = (judge_episode([*other, term(level)], FITTED).theft for level in rung)
    assert low <= high
    for one in LEVELS:
        if FITTED.ratios[one].get("theft", 0.0) >= 0:
            assert (
                judge_episode([*other, term(one)], FITTED).theft
                >= judge_episode(other, FITTED).theft
            )


@given(st.sampled_from(sorted(FITTED.calibration)), st.floats(-40, 40), st.floats(-40, 40))
def test_what_is_told_never_falls_when_the_odds_rise(kind: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert FITTED.probability(kind, low) <= FITTED.probability(kind, high)
