"""What a message means: each reading and event with its tank, its time and its litres."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.inputs import DeviceEvent, JournaledMessage, Reading
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message, RawEvent, RawReading
from gateway.domain.registry import Device, Install, Registry
from tests.unit.tank_story import T0, ibc, registry_of

ERA = "aaaaaaaa"
MESSAGE = Message(
    device="node-1", fw="t", era=ERA, boot=2, seq=3, prev="", uptime_s=1000, t=T0, ts="ntp",
    next_s=900, old=(1, 1), battery_mv=3987, rssi_dbm=-71, key_generation=1,
    readings=(RawReading(100, "mm", 600, 4, 6, 7, 112, 1), RawReading(0, "mm", None)),
    events=(RawEvent(50, "lid", {"open": True}),),
)  # fmt: skip
BARE = MESSAGE._replace(t=0, ts="none")


def tanks(*names: str) -> dict[str, tuple[object, ...]]:
    return {name: (ibc(name),) for name in names}


def moved_between(first: str, then: str, *known: str) -> Registry:
    """``node-1`` hung in ``first`` until T0 - 60, then in ``then``."""
    installs = (Install("node-1", first, 0.0), Install("node-1", then, T0 - 60.0))
    return Registry(
        tanks={name: (ibc(name),) for name in known},
        devices={"node-1": (Device("node-1", first),)},
        installs={"node-1": installs},
    )


def test_a_message_becomes_readings_and_events_with_every_field() -> None:
    found = Interpreter(registry_of()).interpret(MESSAGE, T0 + 40.0, auth="sig", newest=True)
    litres: Any = pytest.approx(500 * 1.0716, abs=1e-3)
    sd: Any = pytest.approx((100 / 3 + 1.2533**2 * 16 / 6) ** 0.5 * 1.0716, abs=1e-3)
    same = ("north-1", "node-1", ERA, 2, 3)
    assert found == (
        JournaledMessage(
            "node-1", "north-1", ERA, 2, 3, T0 + 40.0, 900, True, "sig", 3987, -71,
            (Reading(*same, 1, T0 + 40.0, False, 0, T0 - 100.0, "mm", 600, 4, 6, 7, 112,
                     litres, sd, None),
             Reading(*same, 0, T0 + 40.0, False, 1, float(T0), "mm", None, None, None, None, None,
                     None, None, "no_echo")),
            (DeviceEvent("north-1", "node-1", "lid", T0 - 50.0, False, {"open": True}),),
            MESSAGE.uptime_s, float(MESSAGE.t),
        )
    )  # fmt: skip


def test_an_older_message_stays_an_older_one() -> None:
    found = Interpreter(registry_of()).interpret(MESSAGE, T0, auth="unsigned", newest=False)
    assert found is not None
    assert (found.newest, found.auth) == (False, "unsigned")


def test_a_message_without_events_has_none() -> None:
    bare = MESSAGE._replace(events=())
    found = Interpreter(registry_of()).interpret(bare, T0, auth="mac", newest=True)
    assert found is not None
    assert found.events == ()


def test_a_message_of_a_device_in_no_known_tank_still_teaches_its_clock() -> None:
    for registry in (Registry(), replace(registry_of(), tanks={})):
        interpreter = Interpreter(registry)
        assert interpreter.interpret(BARE, T0, auth="mac", newest=True) is None
        assert interpreter.learn(BARE._replace(seq=4, uptime_s=1100), T0) == ((ERA, 2),)


def test_readings_and_events_go_to_the_tank_of_their_own_time() -> None:
    found = Interpreter(moved_between("a", "b", "a", "b"))
    message = MESSAGE._replace(events=(RawEvent(70, "lid"), RawEvent(60, "still")))
    assert [r.tank for r in found.place(message, T0)] == ["a", "b"]
    assert [(e.tank, e.kind) for e in found.events(message, T0)] == [("a", "lid"), ("b", "still")]


def test_a_reading_from_a_tank_that_is_not_registered_is_left_out_alone() -> None:
    found = Interpreter(moved_between("gone", "b", "b")).place(MESSAGE, T0)
    assert [(r.i, r.tank) for r in found] == [(1, "b")]
    found = Interpreter(moved_between("a", "gone", "a")).place(MESSAGE, T0)
    assert [(r.i, r.tank) for r in found] == [(0, "a")]


@pytest.mark.parametrize("rows", [{}, {"node-1": ()}], ids=["no device", "no row"])
def test_a_reading_of_an_installed_device_without_a_row_is_left_out(rows: Any) -> None:
    registry = replace(moved_between("a", "b", "a", "b"), devices=rows)
    assert Interpreter(registry).place(MESSAGE, T0) == ()


def test_only_a_device_with_one_row_of_each_kind_has_a_fixed_place() -> None:
    one, moved = Interpreter(registry_of()), Interpreter(moved_between("a", "b", "a", "b"))
    for _ in range(2):
        place = one._fixed_place("node-1")
        assert place and place[0] == "north-1"
        assert moved._fixed_place("node-1") is None


def test_an_event_of_a_device_without_a_tank_is_left_out() -> None:
    assert Interpreter(Registry()).events(MESSAGE, T0) == ()
    assert Interpreter(Registry()).place(MESSAGE, T0) == ()


@pytest.mark.parametrize(
    ("registry", "litres"),
    [
        # One row of each kind; then a second row of the tank, the device and the install.
        (registry_of(), [535.8, 535.8]),
        (replace(registry_of(), tanks={"north-1": (
            ibc(), ibc(since=T0 - 60.0, sensor_height_mm=1000))}), [535.8, 428.64]),
        (replace(registry_of(), devices={"node-1": (
            Device("node-1", "north-1"),
            Device("node-1", "north-1", since=T0 - 60.0, sensor="jsn-sr04t"))}), [535.8, 535.8]),
        (replace(registry_of(), installs={"node-1": (
            Install("node-1", "north-1", 0.0, sensor_height_mm=1200),)}), [642.96, 642.96]),
        (replace(registry_of(), installs={"node-1": (
            Install("node-1", "north-1", 0.0, sensor_height_mm=1200),
            Install("node-1", "north-1", T0 - 60.0, sensor_height_mm=900))}), [642.96, 321.48]),
    ],
)  # fmt: skip
def test_litres_follow_from_the_rows_in_force_at_event_time(
    registry: Registry, litres: list[float]
) -> None:
    message = MESSAGE._replace(readings=(RawReading(100, "mm", 600), RawReading(0, "mm", 600)))
    interpreter = Interpreter(registry)
    for _ in range(2):  # computed, then from the gauges that are kept
        assert [r.volume_l for r in interpreter.place(message, T0)] == pytest.approx(litres)


def test_the_sensor_in_force_at_event_time_decides_what_it_can_measure() -> None:
    rows = (
        Device("node-1", "north-1"),
        Device("node-1", "north-1", since=T0 - 60.0, sensor="jsn-sr04t"),
    )
    registry = replace(registry_of((ibc(sensor_height_mm=1000),)), devices={"node-1": rows})
    message = MESSAGE._replace(readings=(RawReading(100, "mm", 150), RawReading(0, "mm", 150)))
    faults = [r.fault for r in Interpreter(registry).place(message, T0)]
    assert faults == [None, "out_of_range"]


def test_new_rows_count_at_once() -> None:
    interpreter = Interpreter(registry_of())
    message = MESSAGE._replace(readings=(RawReading(0, "mm", 600),))
    assert interpreter.place(message, T0)[0].volume_l == pytest.approx(535.8)
    registry = registry_of((ibc(sensor_height_mm=1000),))
    interpreter.registry = registry
    assert interpreter.registry is registry
    assert interpreter.place(message, T0)[0].volume_l == pytest.approx(428.64)


def test_the_first_estimate_is_the_receive_time() -> None:
    interpreter = Interpreter(registry_of())
    unknown = interpreter.place(BARE, T0 + 0.0)[1]
    assert (unknown.at, unknown.estimated) == (T0, True)
    interpreter.learn(BARE, T0 - 40.0)
    known = interpreter.place(BARE, T0 + 0.0)[1]
    assert (known.at, known.estimated) == (T0 - 40.0, True)
    event = interpreter.events(BARE, T0 + 0.0)[0]
    assert (event.at, event.estimated) == (T0 - 90.0, True)
    other = interpreter.place(BARE._replace(era="bbbbbbbb"), T0 + 0.0)[1]
    assert other.at == T0, "another era has its own boots"


def test_a_device_keeps_the_boots_of_its_eight_newest_eras() -> None:
    interpreter = Interpreter(registry_of())
    eras = [letter * 8 for letter in "abcdefghi"]
    for era in eras:
        interpreter.learn(BARE._replace(era=era), T0)
        assert interpreter.learn(BARE._replace(era=era, seq=4), T0 - 1.0) == ((era, 2),)
        if era == eras[7]:
            state = interpreter.state("node-1")
            assert isinstance(state, dict)
            assert list(state) == eras[:8]
    state = interpreter.state("node-1")
    assert isinstance(state, dict)
    assert list(state) == eras[1:]
    assert state[eras[8]] == {"2": [1000, 2, None, None, 0, T0 - 1001.0]}


def test_every_device_that_learned_is_reported_once_as_changed() -> None:
    interpreter = Interpreter(registry_of())
    assert interpreter.dirty() == set()
    interpreter.learn(MESSAGE, T0)
    interpreter.learn(MESSAGE._replace(device="node-2"), T0)
    assert interpreter.dirty() == {"node-1", "node-2"}
    assert interpreter.dirty() == set()
    assert interpreter.state("node-3") == {}


def test_a_message_by_which_no_event_time_can_change_leaves_nothing_to_save() -> None:
    interpreter = Interpreter(registry_of())
    timed = MESSAGE._replace(t=T0, ts="ntp", ta_s=5)
    interpreter.learn(timed, T0)
    state = interpreter.state("node-1")
    assert interpreter.dirty() == {"node-1"}
    later = timed._replace(
        seq=timed.seq + 1, t=T0 + 60, uptime_s=timed.uptime_s + 60, ta_s=65
    )  # fmt: skip
    assert interpreter.learn(later, T0 + 60) == ()
    assert (interpreter.dirty(), interpreter.state("node-1")) == (set(), state)
    interpreter.learn(later._replace(ta_s=4), T0 + 60)
    assert interpreter.dirty() == {"node-1"}
