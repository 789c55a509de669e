"""Stories of two nodes with one identity, and of one whose counters went back."""

from gateway.domain.registry import Registry
from gateway.domain.watch.tracks.cause import Term, weigh
from tests.unit.tank_story import T0, Story, registry_of


def test_a_new_era_replaces_the_old_ones_promise() -> None:
    story = Story()
    story.levels(700, 700, next_s=900)
    for _ in range(8):
        story.at += 900
        story.sends(690, era="bbbbbbbb")
    assert story.incidents == []


def test_a_backlog_of_a_former_era_is_no_clone() -> None:
    story = Story()
    story.levels(700, 700)
    story.sends(690, at=story.at + 900, era="bbbbbbbb")
    for ago in (500, 400, 300):
        story.sends(690, at=story.at + 1, sealed=story.at - ago)
    assert story.incidents == []


def test_two_active_eras_are_a_clone_and_alert_once() -> None:
    story = Story()
    for _ in range(6):
        story.sends(700, at=story.at + 450)
        story.sends(690, at=story.at + 450, era="bbbbbbbb")
    assert story.summary == ["opened clone!"]
    assert story.incidents[0].probability > 0.9


def test_a_number_used_twice_is_a_clone_and_alerts_once_for_each_era() -> None:
    story = Story()
    story.levels(700, 700)
    for _ in range(3):
        story.at += 900
        story.forks()
        story.sends(690)
    assert story.summary == ["opened clone!"]
    assert [b.term for b in story.incidents[0].because] == ["number_used_twice"]
    assert 0.6 < story.incidents[0].probability < 0.9, "its counters may have gone back"
    story.operator("close", story.incidents[0].id)
    story.forks()
    assert story.summary[1:] == ["closed clone"], "what a person closed stays closed"
    story.forks(era="bbbbbbbb")
    assert story.summary[2:] == ["opened clone!"]


def test_a_fork_before_any_message_alerts_and_the_watch_continues() -> None:
    story = Story()
    story.forks(era="")
    story.listening("stop")
    story.listening("start", at=60)
    story.listening("drained")
    story.passes(3600)
    assert story.summary == ["opened clone!"]
    assert story.watch.now("north-1").presence is not None
    story.levels(700, 700)
    assert story.summary == ["opened clone!"]


def test_forks_of_an_unsigned_feed_prove_nothing() -> None:
    story = Story()
    story.forks(auth="unsigned")
    assert story.incidents == []


def two_eras(*, other: str = "bbbbbbbb", first_s: float = 450, second_s: float = 450) -> Story:
    """Two nodes with one identity send in turn."""
    story = Story()
    for _ in range(4):
        story.sends(700, at=story.at + first_s)
        story.sends(690, at=story.at + second_s, era=other)
    return story


def test_a_clone_is_reported_again_after_one_of_the_two_was_gone() -> None:
    story = two_eras()
    story.operator("close", story.incidents[0].id)
    for _ in range(8):
        story.sends(690, at=story.at + 900, era="bbbbbbbb")
    assert story.summary == ["opened clone!", "closed clone"]
    for _ in range(2):
        story.sends(700, at=story.at + 450)
        story.sends(690, at=story.at + 450, era="bbbbbbbb")
    assert story.summary[2:] == ["opened clone!"]


def test_a_clone_is_dated_when_its_era_began() -> None:
    story = two_eras()
    found = story.incidents[0]
    assert found.at == T0 + 900
    assert found.received == T0 + 1350, "when the former era sent again"
    assert [b.term for b in found.because] == ["two_eras_speak"]
    assert found.because[0].values == {"eras": 2}
    assert found.probability == found.causes["clone"] > 0.9


def test_a_node_with_a_new_era_that_finishes_its_backlog_is_no_clone() -> None:
    story = Story()
    story.levels(700, 700)
    story.sends(690, at=story.at + 900, era="bbbbbbbb")
    story.sends(690, at=story.at + 1, sealed=story.at - 1)
    assert story.incidents == []
    story.sends(690, at=story.at + 1)
    assert story.summary == ["opened clone!"], "made after the new era began"


def test_a_message_without_times_of_its_own_does_not_make_a_clone() -> None:
    story = Story()
    story.levels(700, 700)
    story.sends(690, at=story.at + 900, era="bbbbbbbb")
    story.sends(silent=True, at=story.at + 60)
    assert story.incidents == []


def test_a_clone_that_falls_silent_leaves_the_other_in_force() -> None:
    story = two_eras()
    for _ in range(8):
        story.sends(690, at=story.at + 900, era="bbbbbbbb")
    assert story.watch.now("north-1").presence == "speaking"
    assert story.events("silent") == []
    story.passes(3 * 900 + 120)
    assert [e.kind for e in story.events("silent")] == ["silent"]


def test_of_two_active_eras_the_first_to_break_its_promise_is_judged() -> None:
    story = Story()
    for _ in range(3):
        story.sends(700, at=story.at + 450, next_s=3600)
        story.sends(690, at=story.at + 450, era="bbbbbbbb")
    story.passes(1021)
    assert story.watch.now("north-1").presence == "late"
    story.passes(1800)
    assert story.watch.now("north-1").presence == "speaking", "only the quicker era is dropped"
    story.passes(3 * 3600)
    assert story.watch.now("north-1").presence == "silent"


def test_a_fork_of_an_unknown_or_removed_node_is_ignored() -> None:
    registry = registry_of()
    story = Story(Registry(tanks=registry.tanks))
    story.forks()
    assert story.incidents == []
    story = Story(Registry(devices=registry.devices))
    story.forks()
    assert story.incidents == []


def test_four_forked_eras_are_remembered() -> None:
    story = Story()
    for era in "abcd":
        story.forks(era=era * 8)
        story.operator("close", story.incidents[-1].id)
    story.forks(era="a" * 8)
    assert len([i for i in story.incidents if i.change == "opened"]) == 4
    story.forks(era="e" * 8)
    story.operator("close", story.incidents[-1].id)
    story.forks(era="b" * 8)
    assert len([i for i in story.incidents if i.change == "opened"]) == 5
    story.forks(era="a" * 8)
    assert len([i for i in story.incidents if i.change == "opened"]) == 6, "forgotten by now"


def test_a_fork_is_dated_by_its_receipt() -> None:
    story = Story()
    story.at = 77.0
    story.forks()
    assert (story.incidents[0].at, story.incidents[0].tank) == (T0 + 77, "north-1")


def test_backlogs_of_two_former_eras_are_no_clone() -> None:
    story = Story()
    for era in ("aaaaaaaa", "bbbbbbbb", "cccccccc"):
        story.sends(700, at=story.at + 900, era=era)
    story.sends(690, at=2710, sealed=2650, era="aaaaaaaa")
    story.sends(690, at=2720, sealed=2660, era="bbbbbbbb")
    assert story.incidents == []
    story.sends(690, at=2740, sealed=2730, era="aaaaaaaa")
    assert story.summary == ["opened clone!"]


def test_the_names_of_eras_have_no_order() -> None:
    story = Story()
    story.sends(700, at=900, era="bbbbbbbb")
    for _ in range(6):
        story.sends(silent=True, at=story.at + 900, era="aaaaaaaa")
    assert story.incidents == []
    assert story.watch.now("north-1").presence == "speaking"


def test_a_number_used_twice_may_also_be_a_node_that_lost_its_counters() -> None:
    story = Story()
    story.forks()
    weights = {"clone": 8.0, "sensor_fault": 2.0}
    causes = weigh([Term("number_used_twice", "measured", weights)])[0]
    assert story.incidents[0].probability == causes["clone"]
    assert story.incidents[0].causes == causes
