"""What is counted as right and wrong, on outputs made by hand."""

from dataclasses import replace
from math import inf

import pytest

from gateway.domain.outputs import Forecast, IncidentChange, Level, Span, TankEvent
from gateway.domain.registry import Registry
from gateway.evaluation.catalog import SimulatedStory, kind_of
from gateway.evaluation.matching import match
from gateway.evaluation.outlook import Draws, forecasts_of
from gateway.evaluation.scores import calibration_error, reliability, scores
from gateway.evaluation.sheet import Belief, Detection, Guess, Sheet, score
from gateway.evaluation.trial import Trial
from gateway.evaluation.truth import NOTHING, TrueCause, TrueRefill, Truth
from gateway.evaluation.water import balance, count_refills, joined, rise_l

T0 = 1_780_000_000.0
HOUR = 3600.0
THEFT = TrueCause("drained", ("drained",), T0, T0 + HOUR, "a")
MOVE = TrueCause("moved_by_us", ("moved_by_us", NOTHING), T0, T0 + HOUR, "a")


def _change(kind: str, at: float = T0 + 60, **fields: object) -> IncidentChange:
    change = IncidentChange(
        "i1", "opened", 1, at, at + 30, "a", None, "unknown", 0.8, {}, (), "mac", True
    )
    return replace(change, kind=kind, **fields)


def test_an_incident_belongs_to_the_cause_of_its_tank_and_time() -> None:
    (found,) = match([THEFT], [_change("drained")])
    assert found.cause is THEFT
    assert found.is_right
    assert match([THEFT], [_change("drained", tank="b")])[0].cause is None
    assert match([THEFT], [_change("drained", at=T0 - 6 * HOUR - 1)])[0].cause is None
    assert match([THEFT], [_change("drained", at=T0 + 7 * HOUR + 1)])[0].cause is None
    assert match([THEFT], [_change("drained", at=T0 + 7 * HOUR)])[0].cause is THEFT
    assert match([THEFT], [_change("low")]) == []


def test_the_cause_of_the_right_kind_goes_before_the_nearest() -> None:
    near = TrueCause(NOTHING, ("silent", NOTHING), T0 + 60, T0 + HOUR, "a")
    assert match([near, MOVE], [_change("moved_by_us")])[0].cause is MOVE
    assert match([near, MOVE], [_change("silent")])[0].cause is near


def test_an_incident_that_becomes_a_theft_counts_once() -> None:
    changes = [
        _change("unknown"), _change("drained", change="updated", received=T0 + 500),
        _change("slashed", change="updated", received=T0 + 900),
    ]  # fmt: skip
    (found,) = match([THEFT], changes)
    assert found.theft is changes[1]
    assert (found.kind, found.last_kind) == ("unknown", "slashed")


def test_calibration_compares_what_was_said_with_what_was_right() -> None:
    beliefs = (
        [Belief(0.95, True, True)] * 3 + [Belief(0.95, False, True)] + [Belief(0.2, False, True)]
    )
    assert reliability(beliefs) == [
        (pytest.approx(0.2), 0.0, 1), (pytest.approx(0.95), 0.75, 4),
    ]  # fmt: skip
    assert calibration_error(beliefs) == pytest.approx((1 * 0.2 + 4 * 0.2) / 5)
    assert calibration_error([Belief(1.0, True, True)]) == 0
    assert calibration_error([]) is None


def _refill(at: float, litres: float, minutes: float = 10) -> TrueRefill:
    return TrueRefill("a", at, at + minutes * 60, litres)


def _event(at: float, litres: float, minutes: float = 10) -> TankEvent:
    return TankEvent(at, at + minutes * 60, "a", "refill", litres)


def test_refills_match_by_overlap_within_the_slack() -> None:
    true = [(_refill(T0, 500), True)]
    assert count_refills(true, [_event(T0 + 600 + 900, 480)], 900).found == 1
    missed = count_refills(true, [_event(T0 + 600 + 901, 480)], 900)
    assert (missed.found, missed.missed, missed.false) == (0, 1, 1)
    assert missed.mistakes == (
        (T0, "missed refill of 500 L"), (T0 + 1501, "false refill of 480 L"),
    )  # fmt: skip
    found = count_refills(true, [_event(T0, 480)], 900)
    assert found.litres_errors == (pytest.approx(-0.04),)


def test_a_split_refill_has_one_false_part_and_a_hardly_visible_one_counts_for_nothing() -> None:
    halves = [_event(T0, 250), _event(T0 + 2400, 250)]
    split = count_refills([(_refill(T0, 500, 60), True)], halves, 900)
    assert (split.found, split.missed, split.false) == (1, 0, 1)
    tiny = [(_refill(T0, 19), False)]
    assert count_refills(tiny, [], 900).missed == 0
    counted = count_refills(tiny, [_event(T0, 19)], 900)
    assert (counted.found, counted.false) == (0, 0)


def test_a_refill_raises_the_level_by_less_than_was_delivered_when_people_draw() -> None:
    rows = [(T0, 300.0, 0.0, 0.0), (T0 + 600, 420.0, 60.0, 0.0), (T0 + 1200, 380.0, 100.0, 0.0)]
    assert rise_l(_refill(T0 + 60, 180, 5), rows) == 120
    assert rise_l(_refill(T0 - 60, 180, 5), rows) == 0
    assert rise_l(_refill(T0 + 1100, 180, 5), rows) == 0


def test_a_balance_ends_with_the_last_reported_event() -> None:
    def level(minutes: float, litres: float) -> Level:
        return Level(T0 + 60 * minutes, "a", litres, 5.0, "ok")

    rows = [(T0 + 600 * i, 0.0, 2.0 * i, 0.0) for i in range(40)]
    truth = Truth(T0, T0 + 24_000, levels={"a": rows}, refills=[_refill(T0 + 3000, 400)])
    levels = [level(10 * i, 500 if i < 5 else 900 if i < 20 else 850) for i in range(30)]
    levels += [level(300 + 10 * i, 700) for i in range(10)]  # a draw in progress
    draw = TankEvent(T0 + 12_000, T0 + 15_000, "a", "draw", 48.0)
    trial = Trial(events=[_event(T0 + 3000, 401), draw], levels={"a": levels})
    found = balance("a", truth, trial)
    assert found is not None
    assert found.residual_l == pytest.approx(500 + 401 - 48 - 850)
    assert found.residual_sd == pytest.approx(3 / (5 * 2**0.5))
    assert (found.delivered_l, found.drawn_l) == (400, 50)
    assert (found.reported_delivered_l, found.reported_drawn_l) == (401, 48)
    assert balance("a", truth, Trial(levels={"a": levels})) is None


def test_deliveries_in_close_succession_are_one() -> None:
    parts = [_refill(T0, 50, 5), _refill(T0 + 300 + 1199, 60, 5), _refill(T0 + 9000, 10)]
    assert [r.litres for r in joined(parts)] == [110, 10]
    assert len(joined([parts[0], _refill(T0 + 300 + 1200, 60)])) == 2


def _draining(hours: int, lph: float) -> Truth:
    rows = [
        (T0 + h * HOUR, max(1000 - h * lph, 20.0), min(h * lph, 980.0), 0.0) for h in range(hours)
    ]
    return Truth(T0, T0 + hours * HOUR, levels={"a": rows}, limits={"a": (300.0, 20.0)})


def test_the_true_time_to_empty_is_when_the_water_in_the_tank_is_drawn() -> None:
    truth = _draining(22, 49.0)  # empty after 20 h
    at = T0 + HOUR
    span = Span(at + 20 * HOUR, at + 18 * HOUR, at + 26 * HOUR)
    (point,) = forecasts_of("a", truth, [Forecast(at, "a", None, span)])
    assert point.true_s == pytest.approx(19 * HOUR, abs=120)
    assert (point.likely_s, point.low_s, point.high_s) == (20 * HOUR, 18 * HOUR, 26 * HOUR)
    assert forecasts_of("a", _draining(60, 10.0), [Forecast(at, "a", None, span)]) == []


def test_the_simple_rules_know_the_past_alone() -> None:
    rows = [
        (T0 + h * HOUR, 900.0, 20.0 * min(h, 24) + 10.0 * max(h - 24, 0), 0.0) for h in range(73)
    ]
    now = T0 + 36 * HOUR
    last, yesterday, mean = Draws(rows, 20.0).rules(now)
    assert last == pytest.approx(880 / (12 * 20 + 12 * 10) * 24 * HOUR)
    # From 12 h on: 12 hours of 20 L, 12 of 10 L, and so on: 720 L in two days, 160 L in 8 h.
    assert yesterday == pytest.approx(56 * HOUR)
    assert mean == pytest.approx(880 / (24 * 20 + 12 * 10) * 36 * HOUR)
    assert Draws(rows, 20.0).rules(T0 + 6 * HOUR - 1) == (None, None, None)
    assert Draws(rows, 20.0).rules(T0 + 12 * HOUR)[1] is None


def test_nothing_can_be_known_before_the_first_message_from_after_the_beginning() -> None:
    receipts = {"a": [(T0 + 10, T0), (T0 + 500, T0 + 60), (T0 + 490, T0 + 59)]}
    truth = Truth(T0, T0 + HOUR, receipts=receipts)
    assert truth.first_known("a", T0 + 60) == T0 + 500
    assert truth.first_known("a", T0 + 30) == T0 + 490
    assert truth.first_known("a", T0 + 61) is None
    assert truth.first_known("b", T0) is None


def test_a_reading_counts_from_the_message_that_brought_it() -> None:
    levels = {"a": [(T0 + at, 500.0, 0.0, 0.0) for at in (0, 60, 120, 180)]}
    receipts = {"a": [(T0 + 500, T0 + 120), (T0 + 61, T0 + 60), (T0, T0)]}
    truth = Truth(T0, T0 + HOUR, levels=levels, receipts=receipts)
    assert truth.taken("a", T0, T0 + 180) == [
        (T0 + 60, T0 + 61), (T0 + 120, T0 + 500), (T0 + 180, inf)
    ]  # fmt: skip
    assert truth.taken("a", T0 - 1, T0 + 60) == [(T0, T0), (T0 + 60, T0 + 61)]
    assert truth.taken("b", T0, T0 + 180) == []


@pytest.mark.parametrize(
    ("second_s", "received_s", "readings", "is_recovering"),
    [(90, 90, 2, True), (91, 91, 2, False), (90, 89, 1, True), (60, 900, 3, True)],
)
def test_a_cut_counts_the_readings_from_its_beginning_to_its_incident(
    second_s: float, received_s: float, readings: int, is_recovering: bool
) -> None:
    at = T0 + 1000
    times = [at - 900, at, at + 30, at + second_s, at + 800, at + 1700]
    truth = Truth(
        T0, T0 + HOUR, [TrueCause("slashed", ("slashed",), at, at + 600, "a")],
        levels={"a": [(taken, 500.0, 0.0, 0.0) for taken in times]},
        receipts={"a": [(taken, taken) for taken in times]},
    )  # fmt: skip
    change = IncidentChange(
        "i", "opened", 1, at, at + received_s, "a", None, "slashed", 0.9, {"slashed": 0.9}, (),
        "mac", True,
    )  # fmt: skip
    story = SimulatedStory(kind_of("slashed"), 0, Registry(), [], truth)
    (found,) = score(story, Trial(changes=[change])).detections
    assert (found.readings, found.is_recovering) == (readings, is_recovering)


def test_readings_to_an_incident_are_counted_by_recovery_mode() -> None:
    def loss(kind: str, readings: int, is_recovering: bool) -> Detection:
        return Detection("s", kind, True, 60.0, 30.0, 60.0, readings, is_recovering)

    sheet = Sheet()
    sheet.detections = [
        loss("slashed", 1, True), loss("drained", 2, True), loss("drained", 3, True),
        loss("seized", 9, True), loss("slashed", 4, False), Detection("s", "drained", False),
    ]  # fmt: skip
    found = {s.name: s for s in scores(sheet)}
    quick = found["readings to a cut or drain, recovery mode, median"]
    assert (quick.value, quick.is_met, quick.goal) == (2, True, "<= 2")
    assert found["the same within two readings"].value == pytest.approx(2 / 3)
    assert found["readings to a cut or drain, otherwise, median"].value == 4


def test_the_figures_follow_from_the_sheet() -> None:
    sheet = Sheet(
        ordinary_days=365.25, ordinary_false_thefts=3, other_false_thefts=1,
        true_theft_incidents=9, lookalikes=4, lookalikes_called_theft=1, false_lows=12,
        readings=500, cpu_s=0.1, refills=[(8, 1, 1)],
    )  # fmt: skip
    sheet.detections = [
        Detection("s", "drained", True, 120.0, 30.0, 90.0), Detection("s", "slashed", False),
    ]  # fmt: skip
    sheet.guesses = [
        Guess("s", "drained", ("drained",), "drained", "drained", True),
        Guess("s", "feast", (NOTHING,), "drained", "unknown", False),
    ]
    found = {f"{s.group}: {s.name}": s for s in scores(sheet)}
    assert found["theft: precision in stories"].value == 0.9
    assert found["theft: precision with ordinary life"].value == pytest.approx(9 / 13)
    assert found["theft: recall"].value == 0.5
    assert found["theft: false thefts a tank-year of ordinary life"].value == pytest.approx(3)
    assert found["theft: look-alike stories never called theft"].value == 0.75
    assert found["theft: minutes from its beginning, median"].value == 2
    assert found["theft: minutes from its first message, median"].value == 1.5
    assert found["cause: first guess right"].value == 0.5
    assert found["water: refills, F1"].value == pytest.approx(16 / 18)
    assert found["water: false low alerts a tank-month"].is_met is True
    assert found["speed: readings/s in replay"].value == pytest.approx(5000)
    assert found["speed: readings/s in replay"].is_met is False


def test_sheets_add_up() -> None:
    one = Sheet(stories=1, refills=[(1, 0, 0)], lookalikes_by_kind={"feast": [1, 1]})
    two = Sheet(
        stories=2, refills=[(0, 1, 0)], lookalikes_by_kind={"feast": [0, 1], "leak": [0, 1]}
    )
    one.add(two)
    assert one.stories == 3
    assert one.refills == [(1, 0, 0), (0, 1, 0)]
    assert one.lookalikes_by_kind == {"feast": [1, 2], "leak": [0, 1]}
