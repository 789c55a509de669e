"""Access blocked: asked once for a missed usual round of a tank that is low, and for no other."""

from collections.abc import Iterable

import pytest

from gateway.domain.outputs import IncidentChange
from gateway.domain.watch.rules import access
from gateway.domain.watch.tracks.rounds import MissedRound
from tests.unit.tank_story import DAY, HOUR, T0, Story, motion, tilt

BOWSER = 12  # hours after 22:00 UTC


def refilled(days: Iterable[int], until: float, *, start: float = 900.0, lph: float = 30.0,
             at: dict[int, float] | None = None) -> Story:  # fmt: skip
    """A tank from which people draw all day; on these days a bowser fills it up to ``start``."""
    story, litres, due = Story(), start, {day * 24 + (at or {}).get(day, BOWSER) for day in days}
    for quarter in range(round(until * 4)):
        litres = start if quarter / 4 in due else max(litres - lph / 4, 20.0)
        story.sends(litres, at=quarter * 900)
    return story


def asked(story: Story) -> list[IncidentChange]:
    return [change for change in story.incidents if change.kind == "access_blocked"]


def test_a_missed_round_of_a_low_tank_is_asked_about_five_hours_later() -> None:
    story = refilled(range(7), 24 * 7 + BOWSER + 6.5, lph=24)
    (change,) = asked(story)
    due = T0 + 7 * DAY + BOWSER * HOUR
    assert change.change == "opened"
    assert change.at == pytest.approx(due, abs=0.5 * HOUR)
    assert 5 * HOUR < change.received - change.at <= 6 * HOUR
    assert (change.tank, change.uplink, change.auth) == ("north-1", None, "mac")
    assert change.causes["unknown"] == 1.0
    assert change.probability == pytest.approx(0.01 / (0.01 + 1 / 9), abs=1e-3)
    assert not change.alert
    (because,) = change.because
    assert (because.term, because.basis) == ("round_missed", "inferred")
    assert because.weight == pytest.approx(2.19, abs=0.02)
    assert because.values == {
        "at": change.at, "late_s": change.received - change.at, "rounds": 7,
    }  # fmt: skip
    assert change.figures["due_at"] == change.at
    assert 170 < change.figures["volume_l"] < 190  # type: ignore[operator]


def test_people_are_alerted_when_water_is_critical_and_rounds_are_most_regular() -> None:
    for days, lph, alert in ((9, 27, False), (10, 27, True), (10, 24, False)):
        (change,) = asked(refilled(range(days), 24 * days + BOWSER + 6.5, lph=lph))
        assert change.alert is alert, (days, lph, change.probability)


def test_each_missed_round_is_asked_about_once_and_a_refill_closes_it() -> None:
    story = refilled([*range(7), 9], 24 * 9 + BOWSER + 6, lph=24)
    assert [change.change for change in asked(story)] == ["opened", "closed"]
    closed = asked(story)[-1]
    assert closed.figures["closed_why"] == "refilled"
    assert not closed.alert


def test_after_a_person_closed_it_only_the_next_missed_round_is_asked_about() -> None:
    story = refilled(range(7), 24 * 7 + BOWSER + 6.5, lph=24)
    story.operator("close", asked(story)[0].id)
    first = asked(story)[0].at
    for quarter in range(4 * 24 - 1):
        assert [change.at for change in asked(story) if change.change == "opened"] == [first]
        story.sends(200 - quarter, at=story.at + 900)
    assert [change.at for change in asked(story) if change.change == "opened"] == [
        first, first + DAY,
    ]  # fmt: skip


def test_a_tank_that_is_not_low_waits_without_a_question() -> None:
    assert asked(refilled(range(7), 24 * 7 + BOWSER + 8, lph=16)) == []


def test_a_late_bowser_is_no_blocked_way() -> None:
    late = refilled(range(8), 24 * 8, lph=24, at={7: BOWSER + 4.5})
    assert asked(late) == []


@pytest.mark.parametrize(
    ("days", "at"),
    [
        (range(4), {}),
        (range(7), {0: 6, 1: 12, 2: 17, 3: 8, 4: 14, 5: 10, 6: 18}),
        ((0, 2, 3, 5, 6, 8, 9), {}),
    ],
)
def test_without_usual_rounds_nobody_is_asked(days: Iterable[int], at: dict[int, float]) -> None:
    assert asked(refilled(days, 24 * 15, at=at)) == []


def test_a_missed_round_that_was_missed_before_is_not_worth_a_question() -> None:
    days = (0, 1, 2, 3, 4, 6)
    assert access.blocked_probability(MissedRound(0.0, len(days), 1)) == 0.043
    story = refilled(days, 24 * 7 + BOWSER + 8, lph=24)
    assert [change.change for change in asked(story)] == ["opened", "closed"], "of the fifth day"


def until_due() -> Story:
    """Just before the question: regular, low, and the usual time nearly five hours ago."""
    story = refilled(range(7), 24 * 7 + BOWSER + 4.25, lph=24)
    assert "opened low" in story.summary[-1] and asked(story) == []
    return story


def goes_on(story: Story, **fields: float) -> None:
    for _ in range(8):
        story.sends(230, at=story.at + 900)


def test_it_is_asked_as_soon_as_nothing_else_happens_to_the_tank() -> None:
    story = until_due()
    goes_on(story)
    assert len(asked(story)) == 1


def test_a_tank_that_was_tilted_or_handled_has_other_questions() -> None:
    for event in (tilt(60), motion(20_000)):
        story = until_due()
        story.sends(230, at=story.at + 600, events=(event,))
        for _ in range(4):
            story.sends(500, at=story.at + 600)
        assert asked(story) == []


def test_a_silent_tank_is_not_asked_about() -> None:
    story = until_due()
    story.passes(8 * HOUR)
    assert asked(story) == []


def test_while_the_gateway_is_deaf_nobody_is_asked() -> None:
    story = until_due()
    story.listening("lost")
    story.passes(1.9 * HOUR)
    assert asked(story) == []


def test_a_sensor_that_is_sick_asks_nobody() -> None:
    story = until_due()
    for _ in range(8):
        story.sends(None, at=story.at + 900)
    assert asked(story) == []


@pytest.mark.parametrize(
    ("known", "missed", "probability"),
    [(5, 0, 0.065), (14, 0, 0.138), (14, 3, 0.045), (21, 0, 0.187)],
)
def test_the_more_regular_the_rounds_the_likelier_the_way_is_blocked(
    known: int, missed: int, probability: float
) -> None:
    assert access.blocked_probability(MissedRound(0.0, known, missed)) == probability
