"""What the gateway keeps of its own outages: their spans and the time credited to promises."""

from typing import Any

import pytest

from tests.unit.tank_story import HOUR, T0, Story


def ears(story: Story) -> dict[str, Any]:
    """The saved record of the gateway's own reception, times in seconds since T0."""
    saved: Any = story.watch.dirty()["ears"]
    return {**saved, "outages": [[start - T0, end - T0] for start, end in saved["outages"]]}


def outage(story: Story, start: float, end: float) -> None:
    story.listening("stop", at=start)
    story.listening("start", at=end)


def test_an_outage_is_kept_and_credited_with_as_long_a_back_off() -> None:
    story = Story()
    outage(story, 100, 400)
    found = ears(story)
    assert (found["outages"], found["credit_s"]) == ([[100, 400]], 600)


def test_the_back_off_that_is_credited_is_eight_hours_at_most() -> None:
    story = Story()
    outage(story, 100, 100 + 20 * HOUR)
    assert ears(story)["credit_s"] == 28 * HOUR


def test_a_stop_and_a_start_in_one_second_are_credited_with_nothing() -> None:
    story = Story()
    outage(story, 100, 100)
    found = ears(story)
    assert (found["outages"], found["credit_s"]) == ([[100, 100]], 0.0)


def test_a_clock_set_after_a_start_prolongs_the_newest_outage() -> None:
    story = Story()
    outage(story, 0, 60)
    outage(story, 1000, 1200)
    story.listening("clock", at=1300, step_s=500)
    found = ears(story)
    assert found["outages"] == [[0, 60], [1000, 1800]]
    assert found["credit_s"] == 2 * 60 + 2 * 200 + 2 * 500


def test_a_clock_set_without_an_outage_before_is_credited_alone() -> None:
    story = Story()
    story.listening("clock", at=1300, step_s=500)
    found = ears(story)
    assert (found["outages"], found["credit_s"]) == ([], 500)


@pytest.mark.parametrize(("step_s", "credit_s"), [(-500, 0.0), (0, 0.0), (1, 1.0)])
def test_only_seconds_that_the_clock_alone_counted_are_credited(
    step_s: float, credit_s: float
) -> None:
    story = Story()
    story.listening("clock", at=1300, step_s=step_s)
    assert ears(story)["credit_s"] == credit_s


def test_a_start_without_a_stop_is_an_outage_since_the_last_input() -> None:
    story = Story()
    story.passes(500)
    story.listening("start", at=2000)
    assert ears(story)["outages"] == [[500, 2000]]


def test_a_start_after_a_stop_is_an_outage_since_the_stop() -> None:
    story = Story()
    story.listening("stop", at=500)
    story.passes(100)
    story.listening("start", at=2000)
    assert ears(story)["outages"] == [[500, 2000]]


def test_a_start_in_the_second_of_the_last_input_is_no_outage() -> None:
    story = Story()
    story.passes(500)
    story.listening("start", at=500)
    assert ears(story)["outages"] == []


def test_a_clock_that_went_back_during_an_outage_makes_none_shorter_than_nothing() -> None:
    story = Story()
    outage(story, 100, 50)
    found = ears(story)
    assert (found["outages"], found["credit_s"]) == ([[100, 100]], 0.0)


def test_the_first_start_of_all_is_no_outage() -> None:
    story = Story()
    story.listening("start", at=2000)
    found = ears(story)
    assert (found["outages"], found["credit_s"], found["settling"]) == ([], 0.0, False)


@pytest.mark.parametrize(
    ("down", "up", "settles_s"), [("lost", "back", 1800), ("stop", "start", 120)]
)
def test_silence_counts_again_after_the_longest_time_that_a_queue_needs(
    down: str, up: str, settles_s: int
) -> None:
    story = Story()
    story.listening(down, at=100)
    story.listening(up, at=200)
    story.passes(settles_s - 1)
    assert ears(story)["settling"] is True
    story.passes(1)
    assert ears(story)["settling"] is False
