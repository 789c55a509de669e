"""Probabilities in two stages: whether it was a theft, then which kind."""

from math import exp, log

import pytest

from gateway.domain.outputs import THEFT_KINDS
from gateway.domain.watch.tracks.cause import (
    PRIOR,
    VERDICTS,
    Judgement,
    Term,
    calibrated,
    certain,
    judge_episode,
    review_of,
    weigh,
)
from gateway.domain.watch.tracks.weights import Weights

HARMLESS = [verdict for verdict in VERDICTS if verdict not in THEFT_KINDS]
RATES = {"theft": 1.0, "harmless": 10.0}
PLAIN = Weights("by hand", RATES, PRIOR, {}, {}, {})


def term(name: str = "motion", **towards: float) -> Term:
    return Term(name, "measured", towards)


def judge(terms: list[Term]) -> Judgement:
    """What follows where nothing is calibrated."""
    return judge_episode(terms, PLAIN)


def odds(probability: float) -> float:
    return log(probability / (1 - probability))


def test_without_evidence_theft_has_its_prior() -> None:
    judgement = judge([])
    assert odds(judgement.theft) == pytest.approx(PRIOR["theft"])
    assert judgement.leader == "unknown"
    assert judgement.because == ()


@pytest.mark.parametrize(
    "terms",
    [
        [term(theft=2.0)],
        [term(theft=5.0, drained=2.0), term("lid", theft=-1.0, lid_open=4.0)],
        [term(theft=-2.0, battery=3.0, seized=9.0)],
    ],
)
def test_causes_sum_to_one_and_those_of_theft_to_its_probability(terms: list[Term]) -> None:
    judgement = judge(terms)
    assert list(judgement.causes) == list(VERDICTS)
    assert sum(judgement.causes.values()) == pytest.approx(1.0)
    thefts = sum(judgement.causes[kind] for kind in THEFT_KINDS)
    assert thefts == pytest.approx(judgement.theft)
    towards = sum(t.towards.get("theft", 0.0) for t in terms)
    assert odds(judgement.theft) == pytest.approx(PRIOR["theft"] + towards)


def test_which_kind_of_theft_it_was_makes_the_theft_no_surer() -> None:
    one, other = judge([term(theft=5.0)]), judge([term(theft=5.0, drained=3.0)])
    assert one.theft == other.theft
    assert one.causes["drained"] == one.causes["slashed"]
    assert other.causes["drained"] / other.causes["slashed"] == pytest.approx(exp(3.0))
    for kind in HARMLESS:
        assert one.causes[kind] == other.causes[kind]


def test_a_harmless_cause_takes_nothing_from_theft() -> None:
    one, other = judge([term(theft=5.0)]), judge([term(theft=5.0, battery=9.0)])
    assert one.theft == other.theft
    ratio = other.causes["battery"] / other.causes["unknown"]
    assert ratio == pytest.approx(exp(9.0 + PRIOR["battery"] - PRIOR["unknown"]))


@pytest.mark.parametrize(("towards", "is_theft"), [(3.6, True), (3.59, False)])
def test_the_leader_is_of_the_more_probable_group(towards: float, is_theft: bool) -> None:
    judgement = judge([term(theft=towards, drained=1.0)])
    assert judgement.leader == ("drained" if is_theft else "unknown")
    assert (judgement.theft >= 0.5) == is_theft


@pytest.mark.parametrize("towards", [1e9, -1e9])
def test_no_evidence_makes_anything_certain(towards: float) -> None:
    theft = judge([term(theft=towards)]).theft
    assert 0.0 < theft < 1.0
    assert odds(theft) == pytest.approx(30 if towards > 0 else -30, abs=0.1)


def test_the_weight_of_a_term_is_its_effect_on_the_leader() -> None:
    judgement = judge([term("a", theft=6.0), term("b", theft=-1.0), term("c", battery=4.0)])
    assert [(b.term, b.weight) for b in judgement.because] == [("a", 6.0), ("b", -1.0), ("c", 0.0)]
    judgement = judge([term("a", theft=-6.0), term("b", theft=1.0), term("c", drained=4.0)])
    assert [(b.term, b.weight) for b in judgement.because] == [("a", 6.0), ("b", -1.0), ("c", 0.0)]


def test_a_term_for_another_kind_of_the_same_group_weighs_against_the_leader() -> None:
    terms = [term("a", theft=9.0, drained=4.0), term("b", slashed=1.0), term("c", drained=1.0)]
    judgement = judge(terms)
    causes = judgement.causes
    assert judgement.leader == "drained"
    against = causes["slashed"] / (judgement.theft - causes["drained"])
    weights = {b.term: b.weight for b in judgement.because}
    assert weights == {"a": 13.0, "b": pytest.approx(-against, abs=1e-3), "c": 1.0}


def test_weigh_returns_the_same_without_the_probability_of_theft() -> None:
    terms = [term(theft=9.0, seized=4.0)]
    judgement = judge(terms)
    assert weigh(terms) == (judgement.causes, judgement.leader, judgement.because)


def test_what_is_told_of_theft_follows_the_fitted_steps() -> None:
    steps = {"theft": ((-9.0, 0.1), (-1.0, 0.3), (2.0, 0.9))}
    weights = Weights("by hand", RATES, PRIOR, {"episode": {"theft": 1.6}}, {}, steps)
    for towards, theft in ((0.0, 0.1), (0.99, 0.1), (1.0, 0.3), (3.99, 0.3), (4.0, 0.9)):
        judgement = judge_episode([term(theft=towards, drained=2.0)], weights)  # 1.6 - 3.6 and it
        assert judgement.theft == theft
        assert sum(judgement.causes[kind] for kind in THEFT_KINDS) == pytest.approx(theft)
        assert sum(judgement.causes.values()) == pytest.approx(1.0)


def test_what_is_told_of_another_kind_follows_its_steps_and_its_causes_sum_to_one() -> None:
    steps = {"silent": ((0.0, 0.4), (1.5, 0.9)), "battery": ((0.0, 0.7),)}
    weights = Weights("by hand", RATES, PRIOR, {}, {}, steps)
    causes = {"battery": 0.3, "network_out": 0.2, "unknown": 0.5}
    silent, causes_told = calibrated(weights, "silent", 0.8, causes)
    assert silent == 0.4  # log-odds of 0.8: 1.39
    assert causes_told["network_out"] == pytest.approx(0.6)
    assert causes_told["battery"] == pytest.approx(0.4 * 0.3 / 0.8)
    assert calibrated(weights, "silent", 0.82, causes)[0] == 0.9
    flat, causes_told = calibrated(weights, "battery", 0.3, causes)
    assert (flat, causes_told["battery"]) == (0.7, pytest.approx(0.7))
    assert sum(causes_told.values()) == pytest.approx(1.0)
    assert calibrated(weights, "clone", 0.3, causes) == (0.3, causes)


def test_causes_of_a_blocked_access_are_kept_and_a_probability_has_four_digits() -> None:
    steps = {"access_blocked": ((0.0, 0.412345),)}
    weights = Weights("by hand", RATES, PRIOR, {}, {}, steps)
    causes = {"unknown": 0.6, "network_out": 0.4}
    assert calibrated(weights, "access_blocked", 0.3, causes) == (0.4123, causes)


def test_a_review_has_each_level_once_and_the_sum_of_terms_without_one() -> None:
    shaken = Term("motion", "measured", {"theft": 2.5}, {}, ("motion.shake",))
    fell = Term("fall_rate", "measured", {"theft": 4.0}, {}, ("fall_rate.more", "fall_shape.fast"))
    terms = [shaken, term(theft=0.5), fell, term(battery=2.0), term(theft=-1.25), shaken]
    review = review_of("north-1", 5.0, 9.0, terms)
    assert review[:3] == ("north-1", 5.0, 9.0)
    assert review.levels == ("fall_rate.more", "fall_shape.fast", "motion.shake")
    assert review.other == -0.75


def test_what_is_certain_leaves_nothing_to_other_causes() -> None:
    assert certain("battery") == {v: float(v == "battery") for v in VERDICTS}
    assert certain()["unknown"] == sum(certain().values()) == 1
    weights = Weights("by hand", RATES, PRIOR, {}, {}, {"battery": ((0.0, 0.7),)})
    assert calibrated(weights, "battery", 1.0, {"battery": 1.0}) == (0.7, {"battery": 1.0})
