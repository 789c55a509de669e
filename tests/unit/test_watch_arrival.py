"""Messages as they arrive: their order inside, which are backlog, and which node feeds a tank."""

from dataclasses import replace

import pytest

from gateway.domain.inputs import DeviceEvent, JournaledMessage, Reading
from gateway.domain.outputs import WATER_KINDS, IncidentChange, Level, TankEvent, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of


def reading(at: float, litres: float, *, node: int = 1, tank: str = "a", i: int = 0) -> Reading:
    """A reading ``at`` seconds after T0."""
    return Reading(
        tank, f"node-{node}", "aaaaaaaa", 1, int(at), 0, T0 + at, False, i, T0 + at, "mm",
        round(1100 - litres), 4, 7, 7, 110, litres, 6.5,
    )  # fmt: skip


def message(
    at: float, *readings: Reading, node: int = 1, tank: str = "a",
    events: tuple[DeviceEvent, ...] = (), next_s: int = 900,
) -> JournaledMessage:  # fmt: skip
    return JournaledMessage(
        f"node-{node}", tank, "aaaaaaaa", 1, int(at), T0 + at, next_s, True, "mac", 3990, -60,
        readings, events,
    )  # fmt: skip


def two_nodes_in_one_tank() -> Registry:
    """Tanks a and b; ``node-1`` and ``node-2`` are both in a."""
    registry = registry_of([ibc("a"), ibc("b")])
    second = replace(registry.devices["node-2"][0], tank="a")
    return replace(registry, devices={**registry.devices, "node-2": (second,)})


class Arrivals:
    """A watch that receives messages made by hand."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.watch = Watch(registry or two_nodes_in_one_tank())

    def receives(self, found: JournaledMessage) -> list[WatchOutput]:
        return self.watch.step(found, found.received)

    def volume(self) -> float | None:
        """The level of tank a that is shown."""
        return self.watch.now("a").volume_l


def test_the_readings_of_a_message_are_applied_in_order_of_event_time() -> None:
    arrivals = Arrivals()
    found = arrivals.receives(
        message(900, reading(900, 500, i=0), reading(300, 520, i=1), reading(600, 510, i=2))
    )
    assert [o.at - T0 for o in found if isinstance(o, Level)] == [300, 600, 900]
    assert arrivals.volume() == 500


def test_two_readings_of_a_message_are_applied_in_order_too() -> None:
    arrivals = Arrivals()
    found = arrivals.receives(message(900, reading(900, 500, i=0), reading(600, 510, i=1)))
    assert [o.at - T0 for o in found if isinstance(o, Level)] == [600, 900]
    assert arrivals.volume() == 500


def test_an_event_is_applied_before_a_reading_of_the_same_moment_and_after_earlier_ones() -> None:
    arrivals = Arrivals()
    for at in (100, 200, 300, 400):
        arrivals.receives(message(at, reading(at, 700)))
    tilt = DeviceEvent("a", "node-1", "tilt", T0 + 500.0, False, {"deg": 60})
    found = arrivals.receives(
        message(600, reading(600, 90, i=2), reading(499, 690, i=1), reading(500, 80, i=0),
                events=(tilt,))
    )  # fmt: skip
    levels = [(o.at - T0, o.state) for o in found if isinstance(o, Level)]
    assert levels == [(499, "ok"), (500, "unknown"), (600, "unknown")]
    assert arrivals.volume() == 690


def test_a_second_node_does_not_feed_a_tank_while_the_first_one_sends() -> None:
    arrivals = Arrivals()
    arrivals.receives(message(100, reading(100, 700)))
    arrivals.receives(message(200, reading(200, 695, node=2), node=2))
    assert arrivals.volume() == 700


def test_a_second_node_feeds_a_tank_once_the_first_one_is_in_another() -> None:
    arrivals = Arrivals()
    arrivals.receives(message(100, reading(100, 700)))
    arrivals.receives(message(150, reading(150, 300, tank="b"), tank="b"))
    arrivals.receives(message(200, reading(200, 695, node=2), node=2))
    assert arrivals.volume() == 695


@pytest.mark.parametrize(("after_s", "litres"), [(3 * 900 + 119, 700), (3 * 900 + 121, 695)])
def test_a_second_node_feeds_a_tank_once_the_first_one_is_silent(
    after_s: float, litres: float
) -> None:
    arrivals = Arrivals()
    arrivals.receives(message(100, reading(100, 700)))
    at = 100 + after_s
    arrivals.receives(message(at, reading(at, 695, node=2), node=2))
    assert arrivals.volume() == litres


def test_a_second_node_feeds_a_tank_once_the_first_one_is_revoked() -> None:
    registry = two_nodes_in_one_tank()
    arrivals = Arrivals(registry)
    arrivals.receives(message(100, reading(100, 700)))
    row = replace(registry.devices["node-1"][0], revoked=True)
    arrivals.watch.set_registry(replace(registry, devices={**registry.devices, "node-1": (row,)}))
    arrivals.receives(message(200, reading(200, 695, node=2), node=2))
    assert arrivals.volume() == 695


@pytest.mark.parametrize(
    ("next_s", "lag_s", "alerts"),
    [
        (900, 1800, True),
        (900, 1801, False),
        (1200, 1801, False),
        (7200, 10_800, True),
        (7200, 10_801, False),
    ],
)
def test_readings_older_than_half_an_hour_or_one_and_a_half_promises_alert_nobody(
    next_s: int, lag_s: float, alerts: bool
) -> None:
    story = Story()
    story.levels(900, 900, next_s=next_s)
    story.at += 2 * lag_s
    for at in (story.at, story.at + 30):
        story.sends(100, at=at, sealed=at - lag_s, next_s=next_s)
    assert [s for s in story.summary if "critical" in s] == ["opened critical!"] * alerts


def water_alerts(story: Story) -> list[str]:
    return [change.kind for change in story.alerts if change.kind in WATER_KINDS]


@pytest.mark.parametrize(("messages", "alerts"), [(3, []), (4, ["low"])])
def test_four_messages_that_are_as_late_make_a_lag_usual(messages: int, alerts: list[str]) -> None:
    story, late = Story(), 4 * HOUR
    story.levels(310, 310)
    story.at += late
    for _ in range(messages):
        story.sends(310, at=story.at + 900, sealed=story.at + 900 - late)
    for _ in range(2):
        story.sends(280, at=story.at + 30, sealed=story.at + 30 - late)
    assert water_alerts(story) == alerts


def test_a_burst_of_old_messages_does_not_make_their_lag_usual() -> None:
    story = Story()
    story.levels(310, 310)
    story.at += 12 * HOUR
    for number in range(20):
        story.sends(310, at=story.at + 10, sealed=3600 + number * 60)
    for number in (20, 21):
        story.sends(280, at=story.at + 10, sealed=3600 + number * 60)
    assert water_alerts(story) == []


def falls_while_away(away_s: float, *, late_s: float = 0.0) -> Story:
    """A tank of which 500 L were let out within two minutes, while its node was out of reach."""
    story = Story()
    story.levels(*([800.0] * 6))
    fell_at, back = story.at + away_s / 2, story.at + away_s
    story.sends(300, at=back)
    story.at = back + late_s
    for number, litres in enumerate((800, 800, 800, 550, 300, 300, 300)):
        story.sends(litres, at=story.at + 1, sealed=fell_at + 30 * number, newest=False)
    return story


def test_what_fell_in_a_gap_is_judged_when_the_gap_is_over() -> None:
    story = falls_while_away(2760)
    assert story.incidents == []
    story.passes(121)
    assert story.summary[0].startswith("opened")
    assert story.incidents[-1].figures["lost_l"] == pytest.approx(500, abs=5)


def test_what_fell_in_a_gap_and_arrives_after_it_is_judged_at_once() -> None:
    story = falls_while_away(2760, late_s=121)
    assert story.summary[0].startswith("opened")
    assert story.incidents[-1].figures["lost_l"] == pytest.approx(500, abs=5)


def test_an_unsigned_message_says_nothing_about_a_tank_with_a_device_that_signs() -> None:
    arrivals = Arrivals()
    forged = message(100, reading(100, 700))._replace(auth="unsigned")
    assert arrivals.receives(forged) == []
    assert arrivals.watch.due() is None
    assert set(arrivals.watch.dirty()) == {"ears"}


@pytest.mark.parametrize(("litres", "state"), [(24, "empty"), (40, "critical"), (200, "low")])
def test_a_late_reading_has_the_state_that_it_makes_alone(litres: float, state: str) -> None:
    story = Story()
    story.levels(900, 900, 900)
    story.sends(litres, sealed=story.at - 1000, newest=False)
    assert story.states[-1] == state


def test_a_late_reading_without_an_echo_is_a_fault_of_its_own() -> None:
    story = Story()
    story.levels(900, 900, 900)
    story.sends(None, sealed=story.at - 1000, newest=False)
    assert story.states[-1] == "fault"
    assert story.watch.now("north-1").state == "ok"


def test_a_message_after_a_silence_says_that_the_node_is_back() -> None:
    story = Story()
    story.sends(700)
    story.passes(HOUR)
    story.sends(700)
    story.sends(700, at=story.at + 900)
    back = [e for e in story.outputs if isinstance(e, TankEvent) and e.kind == "back"]
    assert [(e.at, e.until, e.tank) for e in back] == [(T0 + HOUR, T0 + HOUR, "north-1")]


def test_a_message_for_an_unknown_tank_is_ignored() -> None:
    arrivals = Arrivals()
    assert arrivals.receives(message(100, reading(100, 700, tank="c"), tank="c")) == []
    assert arrivals.watch.due() is None


def test_readings_of_an_unknown_tank_in_a_message_of_a_known_one_are_ignored() -> None:
    arrivals = Arrivals()
    found = arrivals.receives(message(100, reading(100, 700, tank="c")))
    assert [o for o in found if isinstance(o, (Level, IncidentChange))] == []
