"""Stories of the gateway's own outages, its broker's queue and its clock."""

import pytest

from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of

PLAIN_S = 3 * 900 + 120
"""From the last message to *silent*."""


def silent_at(story: Story, tank: str = "north-1") -> float:
    """Seconds after T0 at which the tank's silence was reported, within four days."""
    story.passes(96 * HOUR)
    found = [i for i in story.incidents if i.tank == tank and i.kind == "silent"]
    assert found[0].change == "opened"
    return found[0].received - T0


@pytest.mark.parametrize("outage_h", [1, 5, 12])
def test_the_gateways_downtime_does_not_count_as_silence(outage_h: int) -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("stop", at=story.at + 600)
    outage = outage_h * HOUR
    story.listening("start", at=story.at + outage)
    grace = min(outage, 8 * HOUR)
    silent_after = 3 * 900 + 120 - 600 + grace
    story.passes(silent_after - 1)
    assert story.watch.now("north-1").presence == "late"
    assert story.incidents == []
    story.passes(2)
    assert story.watch.now("north-1").presence == "silent"


def test_a_crash_without_a_stop_counts_from_the_last_line() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("start", at=story.at + 20 * HOUR)
    assert story.incidents == []
    assert story.events("silent") == []
    story.sends(690, at=story.at + 60)
    assert story.incidents == []


def test_after_a_reconnect_nothing_is_judged_before_the_queue_has_drained() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=story.at + 2700)
    story.listening("back", at=story.at + 60)
    story.passes(1000)
    assert story.watch.now("north-1").presence != "silent"
    story.sends(690)
    story.listening("drained", at=story.at + 1)
    assert story.incidents == []
    story.passes(2818)
    assert story.watch.now("north-1").presence == "late"
    story.passes(3)
    assert story.watch.now("north-1").presence == "silent"


def test_a_step_of_the_gateways_clock_does_not_count_as_silence() -> None:
    story = Story()
    story.levels(700, 700)
    story.at += 1
    story.listening("clock", at=story.at, step_s=5 * HOUR)
    story.at += 5 * HOUR
    story.passes(600)
    assert story.watch.now("north-1").presence == "speaking"


def test_stop_and_lost_together_are_one_outage_until_both_are_over() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=2000)
    story.listening("stop", at=3000)
    story.listening("start", at=4000)
    story.passes(4000)
    assert story.watch.now("north-1").presence == "speaking", "the broker is still lost"
    story.listening("back", at=9000)
    story.listening("drained", at=9001)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 7000


def test_a_drained_queue_shows_that_the_broker_is_back() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=2000)
    story.listening("drained", at=3000)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 1000


def test_without_news_of_the_queue_silence_counts_half_an_hour_after_the_return() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=4610)
    story.listening("back", at=4611)
    assert silent_at(story) == 4611 + 1800


def test_silence_counts_two_minutes_after_a_start_without_news_of_the_broker() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("stop", at=4610)
    story.listening("start", at=4611)
    assert silent_at(story) == 4611 + 120


def test_a_start_of_a_gateway_that_ran_all_the_time_is_no_outage() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("start", at=1800)
    assert silent_at(story) == 1800 + PLAIN_S


def test_a_second_loss_while_the_queue_drains_waits_for_the_second_return() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=4000)
    story.listening("back", at=4010)
    story.listening("lost", at=4020)
    story.passes(4000)
    assert story.incidents == []
    story.listening("back", at=8020)
    story.listening("drained", at=8021)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * (10 + 4000)


def test_an_outage_that_is_reported_twice_began_with_the_first_report() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=2000)
    story.listening("lost", at=2500)
    story.listening("back", at=3000)
    story.listening("drained", at=3000)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 1000


@pytest.mark.parametrize(("after_s", "back_off"), [(0, True), (3600, True), (3601, False)])
def test_a_clock_that_is_set_within_an_hour_of_a_start_was_part_of_the_outage(
    after_s: int, back_off: bool
) -> None:
    story = Story()
    story.levels(700, 700, next_s=3600)
    story.listening("stop", at=2000)
    story.listening("start", at=2060)
    story.listening("clock", at=2060 + after_s, step_s=5 * HOUR)
    plain = 1800 + 3 * 3600 + 180 + 2 * 60
    assert silent_at(story) == plain + (10 * HOUR if back_off else 5 * HOUR)


def test_a_clock_that_was_far_behind_is_followed_by_eight_hours_of_back_off_at_most() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("stop", at=2000)
    story.listening("start", at=2060)
    story.listening("clock", at=2070, step_s=30 * HOUR)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 60 + 38 * HOUR


def test_a_span_in_which_the_clock_was_set_after_a_start_was_not_listened_to() -> None:
    story = Story()
    story.listening("stop", at=2000)
    story.listening("start", at=2060)
    story.listening("clock", at=2070, step_s=600)
    ears = story.watch.dirty()["ears"]
    assert ears is not None
    assert ears["outages"] == [[T0 + 2000, T0 + 2670]]


def test_a_step_back_does_not_bring_a_silence_forward() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("clock", at=2000, step_s=-600)
    assert silent_at(story) == 1800 + PLAIN_S


def test_a_step_ahead_during_an_outage_is_in_its_length_already() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=2000)
    story.listening("clock", at=2010, step_s=HOUR)
    story.listening("back", at=6000)
    story.listening("drained", at=6000)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 4000


def test_a_step_back_during_an_outage_hides_a_part_of_it() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=2000)
    story.listening("clock", at=2010, step_s=-HOUR)
    story.listening("back", at=3000)
    story.listening("drained", at=3000)
    assert silent_at(story) == 1800 + PLAIN_S + 2 * 1000 + HOUR


def test_a_wait_for_neighbours_does_not_end_while_the_gateway_is_deaf() -> None:
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router"))
    story.sends(700, node="node-1", at=60, next_s=6 * HOUR)
    story.sends(700, node="node-2", at=900)
    story.passes(PLAIN_S + 1)
    assert story.watch.now("b").presence == "silent"
    assert story.incidents == []
    story.listening("lost", at=900 + PLAIN_S + 1800)
    story.passes(2 * HOUR)
    assert story.incidents == []
    outage = 3 * HOUR
    story.listening("back", at=900 + PLAIN_S + 1800 + outage)
    story.listening("drained")
    assert story.incidents == []
    assert silent_at(story, "b") == 900 + PLAIN_S + 2 * outage + HOUR


def test_what_waited_longer_than_the_outage_is_judged_when_the_queue_has_drained() -> None:
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router"))
    story.sends(700, node="node-1", at=60, next_s=12 * HOUR)
    story.sends(700, node="node-2", at=900)
    story.passes(PLAIN_S + HOUR - 60)
    story.listening("lost")
    story.listening("back")
    story.passes(1000)
    assert story.incidents == []
    story.listening("drained")
    assert [(i.tank, i.received - T0) for i in story.incidents] == [("b", story.at)]


def test_own_downtime_is_evidence_with_its_length() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("stop", at=1000)
    story.listening("start", at=1100)
    story.levels(700)
    story.listening("stop", at=3000)
    story.listening("start", at=3600)
    silent_at(story)
    downtime = next(b for b in story.incidents[0].because if b.term == "own_downtime")
    assert downtime.values == {"seconds": 600}
