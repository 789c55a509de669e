"""Stories of water: low, critical, empty, full again; and what must not alert."""

from gateway.domain.message import RawEvent
from gateway.domain.registry import Plan
from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of


def water(story: Story) -> list[str]:
    """Changes of water incidents only, without those of silence."""
    changes = [i for i in story.incidents if i.kind in ("low", "critical", "empty")]
    return [f"{i.change} {i.kind}{'!' if i.alert else ''}" for i in changes]


def drawn_down(story: Story, start: int, end: int, step: int = 40) -> None:
    story.levels(*range(start, end, -step))


def test_a_slow_draw_is_one_incident_from_low_over_critical_and_empty_to_the_refill() -> None:
    story = Story()
    drawn_down(story, 600, 0)
    story.levels(0, 0, 300, 640, 950, 948, 947)
    assert story.summary == ["opened low!", "updated critical!", "updated empty!", "closed empty!"]
    assert len({i.id for i in story.incidents}) == 1
    closed = story.incidents[-1]
    assert closed.figures["closed_why"] == "refilled"
    assert 900 < float(closed.figures["refill_l"] or 0) < 960
    assert 0.5 * HOUR < float(closed.figures["dry_s"] or 0) < 2 * HOUR


def test_the_margin_below_a_threshold_updates_nothing() -> None:
    story = Story()
    story.levels(600, 600, 290, 288)
    story.levels(*range(280, 160, -10))
    assert water(story) == ["opened low!"]
    story.levels(130, 125)
    assert water(story) == ["opened low!", "updated critical!"]


def test_states_follow_the_level_through_all_thresholds() -> None:
    story = Story()
    story.levels(900, 900, 280, 280, 120, 120, 10, 10, 600, 600)
    assert story.states == [
        "ok", "ok", "ok", "low", "low", "critical", "critical", "empty", "empty", "ok",
    ]  # fmt: skip


def test_one_wrong_reading_changes_nothing() -> None:
    story = Story()
    story.levels(800, 800, 40, 800, 800, 990, 800, 800, 0, 800)
    assert set(story.states) == {"ok"}
    assert story.incidents == []
    assert story.events("refill", "draw", "drain", "slash") == []


def test_two_wrong_readings_in_a_row_neither_fill_nor_slash_it() -> None:
    story = Story()
    story.levels(*([220] * 6), 845, 925, *([220] * 12), every=300)
    assert story.events("refill", "drain", "slash") == []
    assert story.summary == ["opened low!"]


def test_a_large_fall_counts_once_the_next_reading_confirms_it() -> None:
    story = Story()
    story.levels(800, 800, 120)
    assert story.summary == []
    story.levels(118)
    assert story.summary == ["opened critical!"]


def test_a_level_on_the_threshold_does_not_flap() -> None:
    story = Story()
    story.levels(*(300 + 12 * (-1) ** i for i in range(200)))
    assert story.summary in ([], ["opened low!"])
    story = Story()
    story.levels(290, 290, *(300 + 18 * (-1) ** i for i in range(200)))
    assert story.summary == ["opened low!"]


def test_a_small_rise_and_another_fall_alert_nobody_again() -> None:
    story = Story()
    story.levels(*range(400, 100, -25), 100, 200, 200, 200, 120, 100, 100, 100)
    assert [s for s in story.summary if "!" in s] == ["opened low!", "updated critical!"]


def test_backlog_never_raises_a_level_alert() -> None:
    story = Story()
    story.levels(900, 890)
    story.at += 10 * HOUR
    story.sends(880)
    for hours_ago in range(9, 0, -1):  # the node had been out of reach; the tank was refilled since
        story.sends(100, sealed=story.at - hours_ago * HOUR, newest=False)
    story.levels(870)
    assert water(story) == []
    assert story.states[3:-1] == ["critical"] * 9


def test_backlog_that_comes_in_order_raises_no_alert_before_the_present_is_reached() -> None:
    story = Story()
    story.levels(900, 890)
    story.at += 10 * HOUR
    for hours_ago, litres in ((9, 100), (8, 100), (7, 100), (6, 100), (5, 900), (4, 900), (3, 900)):
        story.sends(litres, sealed=story.at - hours_ago * HOUR)
    story.sends(880)
    assert water(story) == []


def test_a_backlog_that_ends_low_alerts_with_its_first_fresh_reading() -> None:
    story = Story()
    story.levels(900, 890)
    story.at += 10 * HOUR
    for hours_ago in (9, 8, 7):
        story.sends(100, sealed=story.at - hours_ago * HOUR)
    assert water(story) == []
    story.sends(98)
    assert water(story) == ["opened critical!"]


def test_a_clock_that_is_always_wrong_by_days_still_alerts() -> None:
    story = Story()
    for litres in (*([800] * 8), 100, 100, 100):
        story.at += 900
        story.sends(litres, sealed=story.at - 20 * 24 * HOUR)
    assert story.summary == ["opened critical!"]


def test_no_alert_while_the_brokers_queue_drains() -> None:
    story = Story()
    story.levels(900, 900)
    story.listening("lost", at=story.at + 10)
    story.listening("back", at=story.at + HOUR)
    story.sends(100, at=story.at + 1, sealed=story.at - 900)
    story.sends(100, at=story.at + 1)
    assert story.incidents == []
    story.listening("drained", at=story.at + 1)
    assert story.summary == ["opened critical!"]


def test_a_refill_over_an_hour_is_one_refill() -> None:
    story = Story()
    story.levels(200, 200, 200, *range(200, 960, 40), *([950] * 12), every=300)
    (refill,) = story.events("refill")
    assert 730 < (refill.litres or 0) < 770
    assert 4 * 900 < refill.until - refill.at < 2 * HOUR


def test_the_draws_of_a_day_add_up_to_the_fall_of_the_level() -> None:
    story = Story()
    story.levels(900, 900, 900, *range(900, 500, -20), *([500] * 8), *range(500, 300, -25))
    story.levels(*([300] * 8))
    assert 580 < sum(e.litres or 0 for e in story.events("draw")) < 620


def test_a_quiet_window_delays_the_alert_until_its_end() -> None:
    plan = Plan("north-1", T0, T0 + 6 * HOUR, "cleaning")
    story = Story(registry_of(plans=[plan]))
    story.levels(900, 900, 10, 10, 10)
    assert story.alerts == []
    story.levels(*([10] * 24))
    assert story.summary == ["opened empty!"]
    assert story.incidents[0].received == T0 + 6 * HOUR + 1


def test_a_closed_incident_alerts_again_only_when_the_level_gets_worse() -> None:
    story = Story()
    story.levels(400, 280, 280)
    story.operator("close", story.incidents[-1].id)
    story.levels(270, 260, 250)
    assert story.summary == ["opened low!", "closed low"]
    story.levels(130, 130)
    assert story.summary[2:] == ["opened critical!"]


def test_null_echoes_are_a_fault_and_never_an_empty_tank() -> None:
    story = Story()
    story.levels(500, 500)
    for _ in range(6):
        story.at += 900
        story.sends(None)
    assert set(story.states[2:]) == {"fault"}
    assert story.watch.now("north-1").state == "fault"
    assert story.watch.now("north-1").volume_l is not None
    assert [e.kind for e in story.events("fault", "fault_over")] == ["fault"]
    story.levels(480, 480, 480)
    assert [e.kind for e in story.events("fault", "fault_over")] == ["fault", "fault_over"]
    assert story.summary == ["opened sensor_fault!", "closed sensor_fault"]


def test_a_sensor_frozen_for_a_day_is_reported_once() -> None:
    story = Story()
    for _ in range(150):
        story.at += 900
        story.sends(mm=470)
    assert story.summary == ["opened sensor_fault!"]
    assert story.incidents[0].because[0].term == "stuck"
    story.levels(580, 575)
    assert story.summary == ["opened sensor_fault!", "closed sensor_fault"]


def test_a_station_of_cans_runs_low_by_weight() -> None:
    from dataclasses import replace

    tank = ibc(kind="station", shape=None, capacity_l=240, tare_g=15_000, empty_l=5)
    story = Story(registry_of([replace(tank, sensor_height_mm=None)]))
    for litres in (240, 240, 180, 120, 60, 60, 20, 20, 0, 0):
        story.at += 900
        message_grams(story, 15_000 + litres * 1000)
    assert story.summary == ["opened low!", "updated critical!", "updated empty!"]
    assert story.events("drain", "slash") == []


def message_grams(story: Story, grams: int) -> None:
    from gateway.domain.message import Message, RawReading

    seq = int(story.at)
    message = Message(
        "node-1", "t", "aaaaaaaa", 1, seq, "", seq, int(T0 + story.at), "ntp", 900, (1, 1), ta_s=1,
        readings=(RawReading(0, "g", grams, 20, 7, 7),), events=(RawEvent(0, "still"),),
    )  # fmt: skip
    found = story.interpreter.interpret(message, T0 + story.at, auth="mac", newest=True)
    assert found is not None
    story.outputs += story.watch.step(found, T0 + story.at)
