"""The life of an incident of handling: when it opens, what it is, and when it closes."""

from typing import Any

import pytest

from gateway.domain.outputs import TankEvent
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.rules import removal
from gateway.domain.watch.tracks.account import Rise
from gateway.domain.watch.tracks.tamper import Episode
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0, Story, motion, tilt

CARRIED: dict[str, Any] = {"motion_ms": 20_000, "motion_mg": 900, "motion_at": T0}


def falls(to_l: float, ratio: float, use: float | None, **fields: Any) -> Episode:
    """An episode with nothing but a fall."""
    fall = fall_of(to_l=to_l, taps_ratio=ratio, use_ratio=use, **fields)
    return episode_of(fall=fall, last_at=fall.until)


SURE = falls(350, 1.0, 1.0)  # 4.0 + 1.3 - 0.3 - 3.6: 80.2 %
LIKELY = falls(500, 1.0, 1.0, emptied=True)  # 4.0 + 0.0 - 0.3 + 0.8 - 3.6: 71.1 %
DOUBTFUL = falls(500, 1.3, 1.0)  # 4.5 + 0.0 - 0.3 - 3.6: 64.6 %
WEAK = falls(200, 0.6, 1.0, plateau=True, decays=True)  # 1.2 + 2.0 - 0.3 + 0.5 - 3.6: 45 %
HARMLESS = falls(350, 0.35, 1.5)  # 0.3 + 1.3 + 1.0 - 3.6: 26.9 %


def reviewed(*episodes: Episode) -> HandledTank:
    handled = handled_tank()
    for episode in episodes:
        handled.review(episode)
    return handled


def kinds(handled: HandledTank) -> list[str]:
    return [" ".join(change) for change in handled.changes]


def test_a_theft_opens_at_seven_tenths() -> None:
    assert kinds(reviewed(LIKELY)) == ["opened drained"]
    handled = reviewed(SURE)
    assert handled.incident and handled.incident.probability == pytest.approx(0.802, abs=1e-3)
    assert kinds(reviewed(DOUBTFUL)) == []


def test_an_open_theft_remains_one_until_its_probability_is_below_three_tenths() -> None:
    handled = reviewed(SURE, DOUBTFUL, WEAK)
    assert handled.incident and handled.incident.kind == "slashed"
    assert handled.incident.probability == pytest.approx(0.45, abs=1e-3)
    handled = reviewed(SURE, HARMLESS)
    assert handled.incident and handled.incident.kind == "unknown"
    assert handled.incident.probability == handled.incident.causes["unknown"]


def test_what_is_no_theft_becomes_one_only_at_seven_tenths() -> None:
    handled = reviewed(SURE, HARMLESS, DOUBTFUL)
    assert handled.incident and handled.incident.kind == "unknown"
    handled.review(LIKELY)
    assert handled.incident and handled.incident.kind == "drained"


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"tilt_deg": 21}, True), ({"motion_ms": 10_000, "motion_mg": 350}, True),
        ({"motion_ms": 9_999, "motion_mg": 350}, False),
        ({"motion_ms": 10_000, "motion_mg": 349}, False),
        ({"motion_ms": 9_999, "motion_mg": 349, "silent_since": T0}, True),
        ({"motion_ms": 9_999, "motion_mg": 349, "silent_since": T0, "resumed_at": T0}, False),
        ({"silent_since": T0}, False),
    ],
)  # fmt: skip
def test_a_tilt_a_tank_carried_and_silence_after_motion_open_an_incident(
    fields: dict[str, Any], opens: bool
) -> None:
    assert bool(reviewed(episode_of(**fields)).incident) == opens


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"motion_at": T0 - 900}, T0 - 900), ({"motion_at": T0 - 901}, T0),
        ({"motion_at": T0}, T0), ({"motion_at": T0 + 1}, T0),
        ({"motion_at": T0 - 800, "tilt_at": T0 - 850}, T0 - 850),
        ({"motion_at": T0 - 2000, "tilt_at": T0 - 850}, T0 - 850),
    ],
)  # fmt: skip
def test_motion_within_a_quarter_of_an_hour_before_a_fall_is_the_onset_of_the_theft(
    fields: dict[str, float], at: float
) -> None:
    fall = fall_of(to_l=50, emptied=True)
    episode = episode_of(at=T0 - 3000, fall=fall, motion_ms=8000, motion_mg=900, **fields)
    handled = reviewed(episode)
    assert handled.incident and (handled.incident.kind, handled.incident.at) == ("drained", at)


def test_a_seizure_began_with_the_first_handling() -> None:
    handled = reviewed(episode_of(at=T0 - 3000, tilt_deg=60, tilt_at=T0 - 90, **CARRIED))
    assert handled.incident and handled.incident.at == T0 - 90
    assert handled.incident.kind == "seized"


def test_an_open_incident_is_reviewed_each_half_hour() -> None:
    for waited_s, is_reviewed in ((1799, False), (1800, True), (1801, True)):
        handled = reviewed(episode_of(resumed_at=T0, **CARRIED))
        episode = handled.tank.episode
        assert handled.incident and episode and episode.reviewed_at == T0
        handled.context.now = T0 + waited_s
        removal.record_message(handled.context, handled.device)
        assert episode.reviewed_at == (T0 + waited_s if is_reviewed else T0)


def test_an_episode_without_an_incident_is_reviewed_when_its_node_resumes() -> None:
    for after_s, is_reviewed in ((600, False), (601, True)):
        handled = reviewed(episode_of(motion_ms=8000, motion_mg=900))
        handled.context.now = T0 + after_s
        removal.record_message(handled.context, handled.device)
        episode = handled.tank.episode
        assert episode and episode.has_resumed == is_reviewed
        assert episode.reviewed_at == (T0 + after_s if is_reviewed else T0)
        handled.context.now = T0 + 5000
        removal.record_message(handled.context, handled.device)
        assert episode.reviewed_at == (T0 + after_s if is_reviewed else T0 + 5000)


@pytest.mark.parametrize(
    ("event", "is_knock"),
    [(motion(4999), True), (motion(5000), False), (tilt(20), True), (tilt(21), False)],
)
def test_one_message_of_handling_then_silence_opens_an_incident_and_a_knock_never(
    event: Any, is_knock: bool
) -> None:
    story = Story()
    story.levels(*([700] * 8))
    story.sends(700, at=story.at + 60, events=(event,), next_s=30)
    story.passes(2 * HOUR)
    found = {change.kind for change in story.incidents}
    if is_knock:
        assert found == {"silent"}
        assert [e.kind for e in story.events("knock", "moved")] == ["knock"]
    else:
        assert found and found <= {"seized", "unknown"}
        assert len(story.alerts) == len({change.kind for change in story.alerts})


@pytest.mark.parametrize(("since_s", "explains"), [(HOUR, True), (HOUR + 1, False)])
def test_handling_explains_a_silence_that_began_within_an_hour(
    since_s: float, explains: bool
) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(motion_ms=8000, motion_mg=900)
    promise = handled.device.promises[-1]
    promise.received = T0 + since_s
    handled.context.now = promise.received + 2000
    assert removal.explains_silence(handled.context, handled.device) == explains
    assert handled.tank.episode.silent_since == (promise.received if explains else None)


@pytest.mark.parametrize("fields", [{"fall": fall_of()}, {"lid_at": T0}])
def test_what_is_no_handling_explains_no_silence(fields: dict[str, Any]) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(**fields)
    assert not removal.explains_silence(handled.context, handled.device)
    handled.tank.episode = episode_of(**CARRIED)
    assert removal.explains_silence(handled.context, handled.device)


def test_handling_of_another_node_explains_no_silence() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(**{**CARRIED, "device": "node-9"})
    assert not removal.explains_silence(handled.context, handled.device)


@pytest.mark.parametrize(
    ("calm_s", "presence", "closes"),
    [(6 * HOUR, "speaking", True), (6 * HOUR - 1, "speaking", False), (6 * HOUR, "late", False)],
)
def test_an_incident_closes_when_its_tank_was_calm_for_six_hours(
    calm_s: float, presence: Any, closes: bool
) -> None:
    handled = reviewed(episode_of(**CARRIED))
    handled.context.now = T0 + calm_s
    handled.device.presence = presence
    removal.end_episode(handled.context, handled.tank)
    assert kinds(handled) == ["opened seized", *(["closed seized"] if closes else [])]
    assert (handled.tank.episode is None) == closes
    assert handled.tank.due.get("episode") == (None if closes else T0 + calm_s + HOUR)


def test_a_lost_tank_of_water_does_not_become_calm() -> None:
    handled = reviewed(SURE)
    handled.context.now = T0 + 24 * HOUR
    removal.end_episode(handled.context, handled.tank)
    assert kinds(handled) == ["opened drained"]


def test_an_episode_without_an_incident_ends_unless_a_lid_is_open() -> None:
    handled = reviewed(DOUBTFUL)
    removal.end_episode(handled.context, handled.tank)
    assert handled.tank.episode is None
    handled.review(episode_of(lid_at=T0))
    removal.end_episode(handled.context, handled.tank)
    assert handled.tank.episode is not None


@pytest.mark.parametrize(
    ("episode", "refill_l", "closes"),
    [(SURE, 200, True), (SURE, 199, False), (episode_of(**CARRIED), 900, False)],
    ids=["a fifth", "less", "seized"],
)
def test_a_refill_of_a_fifth_closes_a_loss_of_water(
    episode: Episode, refill_l: float, closes: bool
) -> None:
    handled = reviewed(episode)
    handled.tank.flow.refill_l = refill_l
    removal.close_refilled(handled.context, handled.tank)
    assert (handled.incident is None, handled.tank.episode is None) == (closes, closes)


def test_an_episode_that_a_person_closed_opens_no_other_incident() -> None:
    handled = reviewed(SURE)
    assert handled.incident
    removal.mark_closed(handled.context, handled.incident)
    incidents.close(handled.context, handled.incident, why="person")
    removal.review(handled.context, handled.tank, handled.device)
    assert kinds(handled) == ["opened drained", "closed drained"]


@pytest.mark.parametrize(
    ("at_s", "extends"), [(4200, True), (4201, False), (-3600, True), (-3601, False)]
)
def test_evidence_within_an_hour_belongs_to_one_episode(at_s: float, extends: bool) -> None:
    handled = handled_tank()
    first = handled.tank.episode = episode_of(last_at=T0 + 600)
    handled.context.now = T0 + 2 * HOUR
    episode = removal.episode_at(handled.context, handled.tank, handled.device, T0 + at_s)
    assert (episode is first) == extends
    if extends:
        assert (episode.at, episode.last_at) == (T0 + min(at_s, 0), T0 + max(at_s, 600))


def test_an_open_incident_keeps_its_episode() -> None:
    handled = reviewed(episode_of(**CARRIED))
    first, handled.context.now = handled.tank.episode, T0 + 5 * HOUR
    later = removal.episode_at(handled.context, handled.tank, handled.device, T0 + 5 * HOUR)
    assert later is first


@pytest.mark.parametrize(("age_s", "is_late"), [(1800, False), (1801, True)])
def test_evidence_older_than_half_an_hour_is_learned_late(age_s: float, is_late: bool) -> None:
    handled = handled_tank()
    handled.context.now = T0 + age_s
    episode = removal.episode_at(handled.context, handled.tank, handled.device, T0)
    assert episode.late == is_late


def test_parts_of_one_fall_are_added_up() -> None:
    handled = handled_tank()
    first = fall_of(until=T0 + 60, from_l=700, to_l=600, lpm=150, taps_ratio=1.6, use_ratio=2.0)
    removal.add_fall(handled.context, handled.tank, handled.device, first)
    second = fall_of(at=T0 + 60, from_l=610, to_l=40, lpm=90, taps_ratio=1.1, use_ratio=9.0)
    removal.add_fall(handled.context, handled.tank, handled.device, second)
    assert handled.tank.episode and handled.tank.episode.fall == fall_of(
        from_l=700, to_l=40, lpm=150, taps_ratio=1.6, use_ratio=2.0 * 660 / 100
    )
    third = fall_of(at=T0 + 601, from_l=500, to_l=390)
    removal.add_fall(handled.context, handled.tank, handled.device, third)
    assert handled.tank.episode.fall == fall_of(at=T0 + 601, from_l=500, to_l=390)


def test_the_loss_is_reported_once_when_the_fall_has_ended() -> None:
    handled = handled_tank()
    handled.tank.flow.rise = Rise(T0, 40, T0 + 900, 50, 0.0, [])
    fields: dict[str, Any] = {"to_l": 40, "taps_ratio": 1.6, "use_ratio": 2.5}
    for emptied in (False, True, True):
        fall = fall_of(emptied=emptied, **fields)
        removal.add_fall(handled.context, handled.tank, handled.device, fall)
    losses = [t for t in handled.context.outputs if isinstance(t, TankEvent) and t.kind == "drain"]
    assert losses == [TankEvent(T0, T0 + 600, "north-1", "drain", 660)]
    assert (handled.tank.flow.smooth_l, handled.tank.flow.rise) == (40, None)


@pytest.mark.parametrize(("after_s", "is_disturbed"), [(1499, True), (1500, False)])
def test_a_level_means_nothing_while_water_is_lost(after_s: float, is_disturbed: bool) -> None:
    handled = reviewed(SURE)
    handled.context.now = T0 + after_s  # the fall ended at 600 s
    assert removal.is_disturbed(handled.context, handled.tank) == is_disturbed
    assert handled.tank.episode
    handled.tank.episode.loss_reported = True
    assert not removal.is_disturbed(handled.context, handled.tank)


def test_a_level_means_nothing_while_the_tank_is_moved() -> None:
    handled = reviewed(episode_of(**CARRIED))
    handled.context.now = T0 + 24 * HOUR
    assert removal.is_disturbed(handled.context, handled.tank)
    assert not removal.is_disturbed(handled_tank().context, handled_tank().tank)
