"""Evidence that arrives late or in another order than it happened, and what does not end calmly."""

import pytest

from gateway.domain.inputs import DeviceEvent
from gateway.domain.watch.rules import handling, removal
from gateway.domain.watch.rules.falls import find_fall
from gateway.domain.watch.tracks.tamper import note_knock, was_knocked
from tests.unit.handled_tank import episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0, ibc


def test_knocks_within_five_minutes_are_one_run_in_any_order() -> None:
    runs: list[list[float]] = []
    for at in (1000, 1301, 700, 1001):
        note_knock(runs, at)
    assert runs == [[700, 1301]]  # 1001 joins what was 301 s apart
    note_knock(runs, 1602)
    assert runs == [[700, 1301], [1602, 1602]]


def test_the_newest_twelve_runs_are_kept() -> None:
    runs: list[list[float]] = []
    for i in range(13):
        note_knock(runs, 1000 * i)
    assert [run[0] for run in runs] == [1000 * i for i in range(1, 13)]


@pytest.mark.parametrize(
    ("start", "end", "knocked"),
    [(0, 699, False), (0, 700, True), (900, 950, True), (1301, 2000, True), (1302, 2000, False)],
)
def test_a_run_counts_where_it_overlaps(start: float, end: float, knocked: bool) -> None:
    assert was_knocked([[700, 1301]], start, end) == knocked


@pytest.mark.parametrize(
    ("later_s", "begins_s", "from_l"), [(0, 0, 700), (1, 1, 690), (59, 59, 690), (60, 0, 700)]
)
def test_a_reading_from_within_the_first_step_narrows_the_onset(
    later_s: float, begins_s: float, from_l: float
) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(fall=fall_of(step_s=60))
    again = fall_of(at=T0 + later_s, from_l=690)
    removal.add_fall(handled.context, handled.tank, handled.device, again)
    assert (again.at, again.from_l) == (T0 + begins_s, from_l)


def test_an_older_message_that_it_is_still_replaces_no_newer_one() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(motion_ms=8000)
    for at, still_at in ((T0 + 50, T0 + 50), (T0 + 20, T0 + 50), (T0 + 80, T0 + 80)):
        event = DeviceEvent("north-1", "node-1", "still", at, estimated=False)
        handling.apply_event(handled.context, handled.device, event)
        assert handled.tank.episode.still_at == still_at


@pytest.mark.parametrize(("lid_at", "is_closed"), [(None, True), (T0, False)])
def test_an_incident_is_not_calm_while_the_lid_is_open(
    lid_at: float | None, is_closed: bool
) -> None:
    handled = handled_tank()
    handled.review(episode_of(tilt_deg=40, lid_at=lid_at))
    handled.context.now = T0 + 6 * HOUR
    removal.end_episode(handled.context, handled.tank)
    assert (handled.incident is None) == is_closed


def test_a_node_that_reports_each_half_hour_shows_a_plateau_by_its_second_reading() -> None:
    levels = (900, 900, 900, 400, 400, 400)
    samples = [[T0 + 1800.0 * i, float(litres)] for i, litres in enumerate(levels)]
    fall = find_fall(samples, ibc(), 1.0, 0)
    assert fall and fall.plateau
    fall = find_fall(samples[:-1], ibc(), 1.0, 0)
    assert fall and not fall.plateau
    samples.append([T0 + 1800.0 * 6 + 1801, 400.0])  # 5401 s after it: three steps and a second
    assert find_fall(samples, ibc(), 1.0, 0) is None
