"""Thirty ordinary days raise no false alarm, and the litres add up."""

from itertools import pairwise

import pytest

from tests.stories.camp import a_month
from tests.unit.tank_story import DAY, HOUR, T0

WATER = {"low", "critical", "empty"}


@pytest.mark.parametrize(
    ("seed", "given"),
    [
        (1, {}),
        (2, {}),
        (3, {"every": 900}),
        (4, {"every": 1800, "noise_mm": 10.0}),
        (5, {"taps": 1, "daily_l": 400}),
        (6, {"cans": (20, 20, 25), "daily_l": 900}),
    ],
)
def test_an_ordinary_month_raises_no_false_alarm(seed: int, given: dict[str, float]) -> None:
    month = a_month(seed, **given)  # type: ignore[arg-type]
    story = month.story
    assert {i.kind for i in story.incidents} <= WATER
    assert story.events("drain", "slash", "leak", "silent") == []
    refills = len(story.events("refill"))
    assert abs(refills - month.refills) <= max(1, 0.1 * month.refills)
    drawn = sum(e.litres or 0 for e in story.events("draw"))
    assert drawn == pytest.approx(month.drawn_l, rel=0.12)


def test_each_dry_spell_is_one_incident_with_one_alert_for_each_stage() -> None:
    story = a_month(7).story
    opened = [i for i in story.incidents if i.change == "opened"]
    assert len(opened) <= len(story.events("refill")) + 1
    by_incident: dict[str, list[str]] = {}
    for incident in story.alerts:
        if incident.change != "closed":
            by_incident.setdefault(incident.id, []).append(incident.kind)
    for kinds in by_incident.values():
        assert kinds == sorted(set(kinds), key=("low", "critical", "empty").index)


def test_four_of_five_forecasts_hold_the_moment_that_comes() -> None:
    """The 80 % span, once a week is known: between 70 and 95 % over several tanks."""
    hits = misses = 0
    for seed in range(10, 14):
        month = a_month(seed, days=28)
        crossings = _emptied_at(month.levels)
        for forecast in month.story.forecasts:
            at = forecast.at - T0
            if at < 7 * 24 * HOUR or forecast.low_at is None or forecast.low_at.hi <= forecast.at:
                continue
            truth = next((c for c in crossings if c > at), None)
            if truth is None or _refilled_between(month.levels, at, truth):
                continue
            is_hit = (
                forecast.low_at.lo <= T0 + truth + 600 and T0 + truth - 600 <= forecast.low_at.hi
            )
            hits, misses = hits + is_hit, misses + (not is_hit)
    assert hits + misses > 200
    assert 0.70 <= hits / (hits + misses) <= 0.97


def _emptied_at(levels: list[tuple[float, float]]) -> list[float]:
    """When the level went through 300 L downwards."""
    pairs = pairwise(levels)
    return [after[0] for before, after in pairs if before[1] >= 300 > after[1]]


def _refilled_between(levels: list[tuple[float, float]], start: float, end: float) -> bool:
    inside = [litres for at, litres in levels if start <= at <= end]
    return any(b > a + 30 for a, b in pairwise(inside))


def test_water_that_leaves_steadily_at_night_is_a_leak() -> None:
    story = a_month(20, days=6).story
    night = next(at for at in range(6 * DAY, 7 * DAY, 600) if (T0 + at) // HOUR % 24 == 0)
    for at in range(6 * DAY, night + 5 * HOUR, 600):
        hours = max(at - night, 0) / HOUR
        story.sends(800 - 12 * hours + (at // 600 % 3 - 1) * 4, at=at, next_s=600)
    (leak,) = story.events("leak")
    assert 30 < (leak.litres or 0) < 60
    assert not {i.kind for i in story.incidents} - WATER
