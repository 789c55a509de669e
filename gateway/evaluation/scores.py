"""The figures of a score sheet, each beside its goal."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from gateway.evaluation.outlook import KNOWN_S, RULES, ForecastPoint
from gateway.evaluation.sheet import Belief, Sheet

_BINS = 10
_MINUTE_S = 60.0
_FEW_READINGS = 2


@dataclass(frozen=True, slots=True)
class Score:
    """One figure with its goal. ``value`` is None when nothing was there to count."""

    name: str
    value: float | None
    goal: str
    is_met: bool | None
    group: str = ""


def part(good: float, all_of_it: float) -> float | None:
    """``good`` of ``all_of_it``, or None of nothing."""
    return good / all_of_it if all_of_it else None


def calibration_error(beliefs: Sequence[Belief]) -> float | None:
    """Expected calibration error over ten bins of equal width."""
    if not beliefs:
        return None
    return sum(
        count * abs(reported - right) for reported, right, count in reliability(beliefs)
    ) / len(beliefs)  # fmt: skip


def reliability(beliefs: Sequence[Belief]) -> list[tuple[float, float, int]]:
    """For each bin in use: mean probability, part that was right, how many."""
    bins: dict[int, list[Belief]] = {}
    for belief in beliefs:
        bins.setdefault(min(int(belief.probability * _BINS), _BINS - 1), []).append(belief)
    return [
        (
            sum(b.probability for b in found) / len(found),
            sum(b.is_right for b in found) / len(found),
            len(found),
        )
        for _, found in sorted(bins.items())
    ]


def confusion(sheet: Sheet, *, last: bool = False) -> dict[str, Counter[str]]:
    """For each true label how often each kind was the first guess (or the last)."""
    found: dict[str, Counter[str]] = {}
    for guess in sheet.guesses:
        found.setdefault(guess.label, Counter())[guess.last if last else guess.first] += 1
    return found


def quantile(values: Sequence[float], q: float) -> float | None:
    """The value below which a part ``q`` of them is; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]


def _at_least(limit: float) -> Callable[[float], bool]:
    return lambda value: value >= limit


def _at_most(limit: float) -> Callable[[float], bool]:
    return lambda value: value <= limit


def _score(
    group: str, name: str, value: float | None, goal: str = "",
    meets: Callable[[float], bool] | None = None,
) -> Score:  # fmt: skip
    met = None if value is None or meets is None else meets(value)
    return Score(name, value, goal, met, group)


def scores(sheet: Sheet) -> list[Score]:
    """All figures, in the order of the table."""
    return [*_theft_scores(sheet), *_cause_scores(sheet), *_water_scores(sheet)]


def _theft_scores(sheet: Sheet) -> list[Score]:
    found = [d for d in sheet.detections if d.is_found]
    years = sheet.ordinary_days / 365.25
    right, false = sheet.true_theft_incidents, sheet.other_false_thefts
    everywhere = false + sheet.ordinary_false_thefts
    delays = [d.delay_s / _MINUTE_S for d in found if d.delay_s is not None]
    waits = [d.wait_s / _MINUTE_S for d in found if d.wait_s is not None]
    onsets = [d.onset_error_s / _MINUTE_S for d in found if d.onset_error_s is not None]
    clean = sheet.lookalikes - sheet.lookalikes_called_theft
    losses = [d for d in found if d.kind in ("slashed", "drained") and d.readings is not None]
    quick = [d.readings or 0 for d in losses if d.is_recovering]
    slow = [d.readings or 0 for d in losses if not d.is_recovering]
    return [
        _score("theft", "precision in stories", part(right, right + false), ">= 0.95",
               _at_least(0.95)),
        _score("theft", "precision with ordinary life", part(right, right + everywhere),
               ">= 0.95", _at_least(0.95)),
        _score("theft", "recall", part(len(found), len(sheet.detections)), ">= 0.95",
               _at_least(0.95)),
        _score("theft", "false thefts a tank-year of ordinary life",
               part(sheet.ordinary_false_thefts, years), "< 1", lambda v: v < 1),
        _score("theft", "look-alike stories never called theft", part(clean, sheet.lookalikes),
               ">= 0.99", _at_least(0.99)),
        _score("theft", "minutes from its beginning, median", quantile(delays, 0.5)),
        _score("theft", "minutes from its beginning, 90 %", quantile(delays, 0.9)),
        _score("theft", "minutes from its first message, median", quantile(waits, 0.5)),
        _score("theft", "minutes from its first message, 90 %", quantile(waits, 0.9)),
        _score("theft", "readings to a cut or drain, recovery mode, median", quantile(quick, 0.5),
               "<= 2", _at_most(2)),
        _score("theft", "the same within two readings",
               part(sum(n <= _FEW_READINGS for n in quick), len(quick))),
        _score("theft", "readings to a cut or drain, otherwise, median", quantile(slow, 0.5)),
        _score("theft", "onset error, minutes, median", quantile(onsets, 0.5), "<= 2",
               _at_most(2)),
        _score("theft", "onset error, minutes, 90 %", quantile(onsets, 0.9)),
    ]  # fmt: skip


def _cause_scores(sheet: Sheet) -> list[Score]:
    guesses = sheet.guesses
    thefts = [g for g in guesses if g.is_theft]
    return [
        _score("cause", "first guess right", part(sum(g.is_right for g in guesses), len(guesses)),
               ">= 0.85", _at_least(0.85)),
        _score("cause", "first guess right, thefts",
               part(sum(g.is_right for g in thefts), len(thefts))),
        _score("cause", "right after the story",
               part(sum(g.last in g.accepts for g in guesses), len(guesses))),
        _score("cause", "calibration error (ECE)", calibration_error(sheet.beliefs), "<= 0.05",
               _at_most(0.05)),
        _score("cause", "calibration error without silences",
               calibration_error([b for b in sheet.beliefs if b.kind != "silent"])),
        _score("cause", "calibration error, theft kinds",
               calibration_error([b for b in sheet.beliefs if b.is_theft_kind]), "<= 0.05",
               _at_most(0.05)),
        _score("cause", "false sensor faults a tank-year",
               part(sheet.false_faults, sheet.ordinary_days / 365.25), "<= 1", _at_most(1)),
    ]  # fmt: skip


def _water_scores(sheet: Sheet) -> list[Score]:
    found, missed, false = (sum(row[i] for row in sheet.refills) for i in range(3))
    shown = [sum(row[i] for row in sheet.observable_refills) for i in range(3)]
    balances = sheet.balances
    delivered = sum(b.delivered_l for b in balances)
    drawn = sum(b.drawn_l for b in balances)
    closes = sum(abs(b.residual_sd) <= 3 for b in balances)
    young = [f for f in sheet.forecasts if f.known_s < KNOWN_S]
    known = [f for f in sheet.forecasts if f.known_s >= KNOWN_S]
    return [
        _score("water", "refills, precision", part(found, found + false)),
        _score("water", "refills, recall", part(found, found + missed)),
        _score("water", "refills, F1", part(2 * found, 2 * found + missed + false), ">= 0.98",
               _at_least(0.98)),
        _score("water", "refills, F1, of observable deliveries",
               part(2 * shown[0], 2 * shown[0] + shown[1] + shown[2]), ">= 0.98", _at_least(0.98)),
        _score("water", "refill litres, median relative error",
               quantile([abs(e) for e in sheet.refill_errors], 0.5)),
        _score("water", "balance closes within 3 sd", part(closes, len(balances)), ">= 0.95",
               _at_least(0.95)),
        _score("water", "delivered, relative error",
               part(sum(b.reported_delivered_l for b in balances) - delivered, delivered),
               "+-0.05", lambda v: abs(v) <= 0.05),
        _score("water", "drawn, relative error",
               part(sum(b.reported_drawn_l for b in balances) - drawn, drawn), "+-0.05",
               lambda v: abs(v) <= 0.05),
        _score("water", "false low alerts a tank-month",
               part(sheet.false_lows, sheet.ordinary_days / 30.4), "< 2", lambda v: v < 2),
        *_forecast_scores("3 days known", known),
        *_forecast_scores("under 3 days", young),
        *(
            _score("forecast", f"the same by the rule: {rule}, 3 days known", error)
            for rule, error in rule_errors(known).items()
            if rule in RULES
        ),
        _score("speed", "readings/s in replay", part(sheet.readings, sheet.cpu_s), ">= 20000",
               _at_least(20_000)),
    ]  # fmt: skip


def rule_errors(points: Sequence[ForecastPoint]) -> dict[str, float | None]:
    """The median relative error of the watch's forecast and of each simple rule."""
    pairs = {"the watch": [(p.likely_s, p.true_s) for p in points]}
    for i, rule in enumerate(RULES):
        pairs[rule] = [(p.rules[i], p.true_s) for p in points]
    return {name: _median_error(found) for name, found in pairs.items()}


def _median_error(pairs: Sequence[tuple[float | None, float]]) -> float | None:
    """No forecast counts as an error of 100 %."""
    errors = [1.0 if likely is None else abs(likely - true) / true for likely, true in pairs]
    return median(errors) if errors else None


def _forecast_scores(name: str, points: Sequence[ForecastPoint]) -> list[Score]:
    covered = sum(
        p.low_s is not None and p.high_s is not None and p.low_s <= p.true_s <= p.high_s
        for p in points
    )
    return [
        _score("forecast", f"time to empty near 24 h, median error, {name}",
               _median_error([(p.likely_s, p.true_s) for p in points]), "<= 0.20", _at_most(0.2)),
        _score("forecast", f"coverage of the 80 % range, {name}", part(covered, len(points)),
               "0.75-0.85", lambda v: 0.75 <= v <= 0.85),
    ]  # fmt: skip
