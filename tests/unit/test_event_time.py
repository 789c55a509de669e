"""Event time by WIRE.md: the device's time, else its boot's anchor."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.boot_time import EARLIEST_UNIX, EraBoots, is_plausible
from gateway.domain.inputs import JournaledMessage
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message, RawEvent, RawReading
from gateway.domain.registry import Device, Install, Registry, Tank
from tests.unit.tank_story import T0, ibc, registry_of

ONE = Message(
    device="node-1", fw="t", era="aaaaaaaa", boot=1, seq=1, prev="", uptime_s=1000, t=0, ts="none",
    next_s=900, old=(1, 1), readings=(RawReading(100, "mm", 500), RawReading(0, "mm", 510)),
    events=(RawEvent(50, "motion", {"ms": 9000}),),
)  # fmt: skip


def interpret(
    interpreter: Interpreter, received: float, newest: bool = True, **fields: object
) -> JournaledMessage:
    message = ONE._replace(**fields)
    found = interpreter.interpret(message, received, auth="mac", newest=newest)
    assert found is not None
    return found


def moved(
    interpreter: Interpreter, received: float, **fields: object
) -> tuple[tuple[str, int], ...]:
    """The boots whose event times a message changes."""
    return interpreter.learn(ONE._replace(**fields), received)


def ats(found: JournaledMessage) -> list[float]:
    return [r.at for r in found.readings]


def test_a_plausible_clock_is_used() -> None:
    found = interpret(Interpreter(registry_of()), T0 + 40, t=T0, ts="ntp")
    assert ats(found) == [T0 - 100, T0]
    assert not any(r.estimated for r in found.readings)
    assert found.events[0].at == T0 - 50


@pytest.mark.parametrize(
    ("t", "good"),
    [
        (0, False),
        (EARLIEST_UNIX - 1, False),
        (EARLIEST_UNIX, True),
        (T0, True),
        (T0 + 300, True),
        (T0 + 301, False),
        (T0 - 10 * 365 * 86400, False),
    ],
)
def test_which_clocks_are_plausible(t: int, good: bool) -> None:
    assert is_plausible(t, T0) is good


def test_without_a_clock_the_smallest_lag_of_the_boot_places_it() -> None:
    interpreter = Interpreter(registry_of())
    first = interpret(interpreter, T0)
    assert ats(first) == [T0 - 100, T0]
    assert all(r.estimated for r in first.readings)
    # 50 s quicker than the first
    assert moved(interpreter, T0 + 850, seq=2, uptime_s=1900) == (("aaaaaaaa", 1),)
    second = ONE._replace(seq=2, uptime_s=1900)
    assert [r.at for r in interpreter.place(second, T0 + 850)] == [T0 + 750, T0 + 850]
    assert [r.at for r in interpreter.place(ONE, T0)] == [T0 - 150, T0 - 50]


def test_the_clock_that_was_set_last_is_the_anchor() -> None:
    interpreter = Interpreter(registry_of())
    interpret(interpreter, T0)
    first = moved(interpreter, T0 + 900, seq=2, uptime_s=1900, t=T0 + 700, ts="ntp", ta_s=500)
    assert first == (("aaaaaaaa", 1),)
    interpret(interpreter, T0 + 990, seq=3, uptime_s=2000, t=T0 + 790, ts="ntp", ta_s=20)
    assert [r.at for r in interpreter.place(ONE, T0)][1] == T0 + 790 - 2000 + 1000
    again = moved(interpreter, T0 + 999, seq=4, uptime_s=2010, t=T0 + 500, ts="ntp", ta_s=20)
    assert not again  # equally fresh: the lowest seq stays
    later = moved(interpreter, T0 + 1100, seq=5, uptime_s=2100, t=T0 + 1100, ts="gw")
    assert not later  # no ta counts as the oldest


def test_a_boot_never_ends_after_the_next_begins() -> None:
    interpreter = Interpreter(registry_of())
    interpret(interpreter, T0 + 5000)  # a backlog, received long after
    found = moved(interpreter, T0 + 5000, boot=2, seq=1, uptime_s=60, t=T0 + 2000, ts="ntp", ta_s=1)
    assert found == (("aaaaaaaa", 1),)
    assert [r.at for r in interpreter.place(ONE, T0 + 5000)][1] == T0 + 1940


def test_boots_without_any_clock_do_not_overlap() -> None:
    interpreter = Interpreter(registry_of())
    for boot, up in ((1, 1000), (2, 500), (3, 200)):
        interpret(interpreter, T0, boot=boot, uptime_s=up)
    ends = [
        interpreter.place(ONE._replace(boot=boot, uptime_s=up), T0)[1].at
        for boot, up in ((1, 1000), (2, 500), (3, 200))
    ]
    assert ends == [T0 - 700, T0 - 200, T0]


def test_age_never_rejects() -> None:
    found = interpret(Interpreter(registry_of()), T0, t=EARLIEST_UNIX + 5, ts="ntp")
    assert ats(found)[1] == EARLIEST_UNIX + 5


def test_state_is_saved_and_restored_through_json() -> None:
    interpreter = Interpreter(registry_of())
    interpret(interpreter, T0)
    interpret(interpreter, T0 + 5, boot=2, t=T0, ts="ntp", ta_s=3)
    assert interpreter.dirty() == {"node-1"}
    assert interpreter.dirty() == set()
    saved = json.loads(json.dumps({"node-1": interpreter.state("node-1")}))
    restored = Interpreter(registry_of(), saved)
    assert restored.state("node-1") == interpreter.state("node-1")
    message = ONE._replace(seq=9, uptime_s=1500)
    assert restored.place(message, T0) == interpreter.place(message, T0)


def test_a_device_in_no_known_tank_has_no_message() -> None:
    registry = Registry(devices={"node-1": (Device("node-1", "gone"),)})
    assert Interpreter(registry).interpret(ONE, T0, auth="mac", newest=True) is None


def test_the_install_at_event_time_sets_tank_and_height() -> None:
    tanks = {"a": (ibc("a"),), "b": (ibc("b"),)}
    installs = (Install("node-1", "a", 0.0), Install("node-1", "b", T0, sensor_height_mm=1200))
    registry = Registry(
        tanks=tanks, devices={"node-1": (Device("node-1", "a"),)}, installs={"node-1": installs}
    )
    found = interpret(Interpreter(registry), T0 + 60, t=T0 + 50, ts="ntp")
    assert [r.tank for r in found.readings] == ["a", "b"]
    assert [round(r.volume_l or 0) for r in found.readings] == [643, 739]


def test_a_calibration_of_the_time_applies_to_old_readings() -> None:
    rows = (
        Tank("north-1", "r", "s", sensor_height_mm=1100),
        Tank("north-1", "r", "s", since=T0, sensor_height_mm=1000),
    )
    registry = replace(registry_of(), tanks={"north-1": rows})
    found = interpret(Interpreter(registry), T0 + 60, t=T0 + 50, ts="ntp")
    assert [round(r.volume_l or 0) for r in found.readings] == [643, 525]


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 5000), st.booleans(), st.integers(0, 20_000)),
        min_size=1,
        max_size=30,
    )
)
def test_estimated_boots_end_before_the_next_one_begins(
    messages: list[tuple[int, int, bool, int]],
) -> None:
    boots, longest = EraBoots(), {}
    for seq, (boot, up, knows, late) in enumerate(messages, 1):
        t = T0 + boot * 10_000 + up if knows else 0
        boots.learn(boot, t=t, up=up, ta=5, seq=seq, received=T0 + boot * 10_000 + up + late)
        longest[boot] = max(longest.get(boot, 0), up)
    known = {b for b, _, knows, _ in messages if knows}
    for before, after in zip(sorted(longest), sorted(longest)[1:], strict=False):
        begin, end = boots.anchor(after), boots.anchor(before)
        assert begin is not None and end is not None
        if before not in known:
            assert end + longest[before] <= begin
