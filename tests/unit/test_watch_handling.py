"""Events of handling: knocks, motion and tilt as evidence, and small stories of it judged."""

from math import sqrt
from typing import Any

import pytest

from gateway.domain.inputs import Auth, DeviceEvent
from gateway.domain.outputs import THEFT_KINDS, TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.rules import handling
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of


def happens(handled: HandledTank, kind: str, at: float = 0, **fields: int) -> list[TankEvent]:
    """The tank events that one event of the node makes."""
    handled.context.outputs.clear()
    event = DeviceEvent("north-1", "node-1", kind, T0 + at, False, dict(fields))
    handling.apply_event(handled.context, handled.device, event)
    return [t for t in handled.context.outputs if isinstance(t, TankEvent)]


@pytest.mark.parametrize(
    ("kind", "fields", "is_knock"),
    [
        ("motion", {"ms": 4999, "mg": 2000}, True), ("motion", {"ms": 5000, "mg": 1}, False),
        ("tilt", {"deg": 20}, True), ("tilt", {"deg": 21}, False), ("motion", {}, True),
    ],
)  # fmt: skip
def test_a_short_motion_or_a_small_tilt_is_a_knock(
    kind: str, fields: dict[str, int], is_knock: bool
) -> None:
    handled = handled_tank()
    (event,) = happens(handled, kind, 30, **fields)
    until = T0 + 30 + fields.get("ms", 0) / 1000
    assert event == TankEvent(T0 + 30, until, "north-1", "knock" if is_knock else "moved")
    assert handled.tank.knocks == ([[T0 + 30, T0 + 30]] if is_knock else [])
    assert (handled.tank.episode is None) == is_knock


def test_motion_adds_up_and_the_first_and_strongest_of_each_is_kept() -> None:
    handled = handled_tank()
    assert happens(handled, "motion", 60, ms=6000, mg=400)
    assert not happens(handled, "motion", 20, ms=5000, mg=900)  # one event for one episode
    happens(handled, "motion", 90, ms=7000, mg=100)
    happens(handled, "tilt", 80, deg=50)
    happens(handled, "tilt", 70, deg=30)
    happens(handled, "still", 95)
    assert handled.tank.episode == episode_of(
        at=T0 + 20, last_at=T0 + 90, motion_at=T0 + 20, motion_ms=18_000, motion_mg=900,
        strong_ms=11_000, tilt_at=T0 + 70, tilt_deg=50, still_at=T0 + 95, motion_reported=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("auth", "age_s", "counts"),
    [("mac", 48 * HOUR, True), ("mac", 48 * HOUR + 1, False), ("unsigned", 0, False)],
)
def test_an_unsigned_or_old_motion_is_an_event_but_no_evidence(
    auth: Auth, age_s: float, counts: bool
) -> None:
    handled = handled_tank()
    handled.device.auth, handled.context.now = auth, T0 + age_s
    assert [e.kind for e in happens(handled, "motion", ms=20_000, mg=900)] == ["moved"]
    assert bool(handled.tank.episode) == counts


def test_motion_after_the_node_resumed_asks_for_another_message() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(resumed_at=T0 + 700, last_at=T0)
    happens(handled, "motion", 900, ms=6000, mg=400)
    assert not handled.tank.episode.has_resumed


@pytest.mark.parametrize(("at", "is_upright"), [(59, False), (60, False), (61, True)])
def test_a_small_tilt_after_a_large_one_shows_the_tank_upright(at: float, is_upright: bool) -> None:
    handled = handled_tank()
    happens(handled, "tilt", 60, deg=60)
    happens(handled, "tilt", at, deg=5)
    assert (handled.tank.tilted is None) == is_upright


def test_the_terms_carry_the_figures_for_their_sentences() -> None:
    handled = handled_tank()
    fall = fall_of(to_l=375.55, lpm=123.45, taps_ratio=1.234, use_ratio=2.345, plateau=True)
    found = handled.terms(episode_of(fall=fall, motion_ms=8449, motion_mg=700, tilt_deg=40))
    assert {name: dict(term.values) for name, term in found.items()} == {
        "motion": {"duration_s": 8.4, "peak_mg": 700},
        "tilt": {"tilt_deg": 40},
        "fall_rate": {"rate_lpm": 123.5, "times_all_taps": 1.23, "taps": 4, "fall_l": 324.4},
        "fall_size": {"pct": 32.4},
        "beyond_use": {"fall_l": 324.4, "times_most_in_an_hour": 2.35},
        "plateau": {"left_l": 375.55},
        "no_move_planned": {},
    }


def test_an_incident_carries_what_was_lost_and_what_is_left() -> None:
    handled = handled_tank()
    handled.tank.level.at = T0 - 60
    fall = fall_of(to_l=50, emptied=True, taps_ratio=1.6)
    handled.review(episode_of(before_l=705.0, fall=fall, motion_ms=8000, motion_mg=900))
    assert handled.incident is not None
    assert handled.incident.figures == {
        "volume_l": 705.0, "volume_at": T0 - 60, "motion_s": 8.0, "tilt_deg": 0,
        "silent_since": None, "lost_l": 650, "left_l": 50,
    }  # fmt: skip


def drained(story: Story, *nodes: int, taps: float = 6.5, steps: int = 40) -> None:
    """Torricelli through as many taps in the tanks of these nodes, each half minute from 700 L.

    The other tank stays at 700 L.
    """
    litres = 700.0
    for _ in range(steps):
        story.at += 30
        for node in (1, 2):
            story.sends(litres if node in nodes else 700, node=f"node-{node}", next_s=30)
        litres = max(litres - taps * 29 / 2 * sqrt(max(litres - 20, 0) / 1071.6), 0)


def thefts(story: Story) -> set[tuple[str, str]]:
    return {(i.tank or "", i.kind) for i in story.incidents if i.kind in THEFT_KINDS}


def two_tanks(**fields: Any) -> Story:
    rows: list[Tank] = [ibc("north-1", **fields), ibc("north-2")]
    story = Story(registry_of(rows))
    for _ in range(8):
        story.at += 600
        for node in ("node-1", "node-2"):
            story.sends(700, node=node)
    return story


def test_a_tank_that_empties_beside_a_steady_one_was_drained() -> None:
    story = two_tanks()
    drained(story, 1)
    assert thefts(story) == {("north-1", "drained")}


def test_tanks_of_one_site_that_empty_together_are_being_used() -> None:
    story = two_tanks()
    drained(story, 1, 2, taps=4.5, steps=25)
    assert max(story.watch.now(tank).volume_l or 0 for tank in ("north-1", "north-2")) < 50
    assert thefts(story) == set()


def test_people_at_all_taps_are_no_theft_whatever_the_neighbour_does() -> None:
    story = two_tanks()
    drained(story, 1, taps=3)
    assert thefts(story) == set()


def test_a_tank_carried_that_reports_its_level_is_no_theft_after_three_hours() -> None:
    story = Story()
    story.levels(*([700] * 8))
    story.sends(700, at=story.at + 600, events=(motion(20_000),))
    moved = T0 + story.at
    story.levels(*([700] * 40), every=600)
    probable = [(i.received - moved, i.probability) for i in story.incidents if i.kind == "seized"]
    assert probable[0] == (0, pytest.approx(0.917, abs=1e-3))
    assert next(p for at, p in probable if at >= HOUR) < 0.5
    (harmless,) = [i for i in story.incidents if i.kind not in THEFT_KINDS and i.change != "closed"]
    assert 3 * HOUR <= harmless.received - moved <= 3.5 * HOUR
    assert not harmless.alert
    assert story.incidents[-1].change == "closed"
    assert story.incidents[-1].received - moved <= 8 * HOUR
