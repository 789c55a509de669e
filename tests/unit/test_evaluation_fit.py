"""Tables fitted to decisions made by hand."""

from math import log
from typing import Literal

import pytest

from gateway.domain.outputs import Because, IncidentChange
from gateway.evaluation.catalog import make
from gateway.evaluation.decisions import Decision, decisions_of
from gateway.evaluation.fit import Step, monotone_table, tables, term_counts
from gateway.evaluation.matching import match
from gateway.evaluation.truth import TrueCause

_What = Literal["opened", "updated", "closed"]
T0 = 1_780_000_000.0


def _decision(is_theft: bool, *terms: str, theft: float = 0.5, change: str = "opened") -> Decision:
    named = tuple((term, 1.0) for term in terms)
    return Decision("s:0", T0, change, "drained", 0.5, theft, named, "drained", is_theft)


def test_a_monotone_table_pools_what_would_fall() -> None:
    pairs = [(0.1, False), (0.2, True), (0.3, False), (0.4, False), (0.8, True), (0.9, True)]
    assert monotone_table(pairs) == [
        Step(0.1, 0.1, 0.3333, 1),
        Step(0.2, 0.4, 0.4, 3),  # (1 + 1) / (3 + 2)
        Step(0.8, 0.9, 0.75, 2),
    ]


def test_no_step_falls_by_the_decisions_that_are_added() -> None:
    pairs = [(0.1, False)] * 8 + [(0.3, i < 3) for i in range(8)] + [(0.6, i < 1) for i in range(2)]
    found = monotone_table(pairs)
    assert [s.probability for s in found] == sorted(s.probability for s in found)
    assert [(s.low, s.count) for s in found] == [(0.1, 8), (0.3, 8), (0.6, 2)]
    one_more = monotone_table([(0.1, True)] * 3 + [(0.1, False)] + [(0.6, True)])
    assert one_more == [Step(0.1, 0.6, 0.7143, 5)]  # 4/6 and then 2/3 would not rise
    assert all(s.probability < 1 for s in found)


def test_the_same_reported_value_has_one_probability() -> None:
    assert monotone_table([(0.5, False), (0.5, True)]) == [Step(0.5, 0.5, 0.5, 2)]
    assert monotone_table([]) == []


def test_terms_are_counted_once_a_decision() -> None:
    found = term_counts([
        _decision(True, "motion", "motion", "tilt"), _decision(True, "motion"),
        _decision(False, "lid"),
    ])  # fmt: skip
    assert [(t.term, t.thefts, t.others) for t in found] == [
        ("lid", 0, 1), ("motion", 2, 0), ("tilt", 1, 0),
    ]  # fmt: skip
    motion = next(t for t in found if t.term == "motion")
    assert motion.log_ratio == pytest.approx(log((2.5 / 3) / (0.5 / 2)), abs=1e-3)


def test_the_tables_name_their_origin_and_what_opened() -> None:
    found = tables([_decision(True), _decision(False, change="updated", theft=0.2)], "command")
    assert (found["origin"], found["decisions"], found["thefts"]) == ("command", 2, 1)
    assert found["probability_of_theft_at_opening"] == [
        {"from": 0.5, "to": 0.5, "probability": 0.6667, "decisions": 1}
    ]


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
