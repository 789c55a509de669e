"""Each kind of node, whole wakes of the real firmware through a real Mosquitto: what it measures,
and what it reports when a part fails."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.interpret import Interpreter
from gateway.domain.registry import Device, Registry
from gateway.domain.watch import Watch
from gateway.wire import decode
from tests.firmware.board_at_work import DEVICE, KEY, Work
from tests.firmware.board_at_work import board as board_at
from tests.firmware.signing_gateway import SigningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.unit.tank_story import ibc

FAST = 2400.0  # a reading each quarter of a second
JSN = {"sensor": "jsn-sr04t", "floor_mm": 1100}
PROBE = {"sensor": "probe", "full_pa": 9807}


def board(
    folder: Path, port: int, speed: float = FAST, **more: Any
) -> AbstractContextManager[Work]:
    return board_at(folder, port, speed=speed, **more)


def _readings(gateway: SigningGateway) -> list[dict[str, Any]]:
    """All readings so far, oldest first; every message is one that the gateway can read."""
    assert all(decode(obj, device=DEVICE).flag is None for obj in gateway.ordered)
    return [reading for message in gateway.messages for reading in message["r"]]


def _follow(work: Work, gateway: SigningGateway, count: int) -> None:
    """Let it measure ``count`` more times."""
    gateway.clock = work.fleet.clock.now
    had = len(_readings(gateway))
    _until(gateway, lambda: len(_readings(gateway)) >= had + count)


def _until(gateway: SigningGateway, met: Callable[[], bool]) -> None:
    gateway.until(met, 100.0)


def _faults(gateway: SigningGateway) -> list[tuple[str, str]]:
    return [(event["s"], event["c"]) for event in gateway.events if event["k"] == "fault"]


@pytest.mark.parametrize("mode", ["pulse", "serial", "aj-sr04m", "asked"])
def test_an_ibc_by_each_form_in_which_an_ultrasonic_sensor_answers(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, mode: str
) -> None:
    sensor: dict[str, Any] = {"sensor": "a02yyuw"} if mode == "asked" else JSN
    with board(tmp_path, mosquitto.port, mode=mode, **sensor) as work:
        _follow(work, gateway, 3)
    assert all(430 < reading["mm"] < 475 for reading in _readings(gateway))
    assert _faults(gateway) == [] and "Traceback" not in work.console


@pytest.mark.parametrize("mode", ["pulse", "serial"])
def test_a_tank_too_full_for_a_jsn_sr04t_is_a_fault_and_never_a_level(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, mode: str
) -> None:
    model = {"level_l": 590.0, "draw_lph": 0.0}  # 549 mm under the face
    with board(tmp_path, mosquitto.port, mode=mode, model=model, **JSN) as work:
        _follow(work, gateway, 3)
        work.do("set_level", litres=1000.0)  # 167 mm: it receives bounces
        _follow(work, gateway, 12)
        levels = [reading["mm"] for reading in _readings(gateway) if reading["mm"] is not None]
        work.do("set_level", litres=595.0)
        _until(gateway, lambda: ("sensor", "ok") in _faults(gateway))
    assert len(levels) >= 3 and all(530 < mm < 570 for mm in levels)
    faults = _faults(gateway)
    assert len(faults) == 2 and faults[0][0] == "sensor" and faults[1] == ("sensor", "ok")
    assert faults[0][1] in ("disagree", "far", "blind", "no_echo")


def test_an_ibc_by_pressure_and_its_broken_wire(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, model={"draw_lph": 0.0}, **PROBE) as work:
        _follow(work, gateway, 3)
        whole = len(_readings(gateway))
        work.do("unplug", part="wire")
        _until(gateway, lambda: _faults(gateway) == [("sensor", "wire")])
        _follow(work, gateway, 4)
        work.do("plug", part="wire")
        _until(gateway, lambda: ("sensor", "ok") in _faults(gateway))
    readings = _readings(gateway)
    # 653 mm of water are 6406 Pa.
    assert all(6350 < reading["pa"] < 6460 for reading in readings[:whole])
    assert sum(reading["pa"] is None for reading in readings) >= 4
    assert all(reading["pa"] is None or reading["pa"] > 6350 for reading in readings)
    assert _faults(gateway) == [("sensor", "wire"), ("sensor", "ok")]


@pytest.mark.parametrize("sensor", ["a02yyuw", "hx711", "probe", "jsn-sr04t"])
def test_a_missing_sensor_is_one_event_and_not_one_a_wake(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, sensor: str
) -> None:
    config = {"jsn-sr04t": JSN, "probe": PROBE}.get(sensor, {"sensor": sensor})
    kind = "station" if sensor == "hx711" else "ibc"
    with board(tmp_path, mosquitto.port, model={"kind": kind}, **config) as work:
        _follow(work, gateway, 2)
        work.do("unplug", part="sensor")
        _until(gateway, lambda: _faults(gateway) == [("sensor", "missing")])
        _follow(work, gateway, 5)
        assert _faults(gateway) == [("sensor", "missing")]
        work.do("plug", part="sensor")
        _until(gateway, lambda: _faults(gateway) == [("sensor", "missing"), ("sensor", "ok")])
    assert "Traceback" not in work.console and work.count("watchdog") == 0


def test_a_scale_whose_clock_is_slow_is_reported_and_weighs_nothing(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    model = {"kind": "station", "pin_us": 70}
    with board(tmp_path, mosquitto.port, model=model, sensor="hx711") as work:
        _until(gateway, lambda: _faults(gateway) == [("sensor", "timing")])
        _follow(work, gateway, 3)
    assert all(reading["g"] is None for reading in _readings(gateway))
    assert _faults(gateway) == [("sensor", "timing")]


def test_a_wet_face_is_not_a_full_tank(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, near_mm=100, floor_mm=1100) as work:
        _follow(work, gateway, 2)
        work.do("wet_face", share=0.95)
        _follow(work, gateway, 8)
        work.do("wet_face", share=0.0)
        _until(gateway, lambda: ("sensor", "ok") in _faults(gateway))
    levels = [reading["mm"] for reading in _readings(gateway) if reading["mm"] is not None]
    assert len(levels) >= 4 and all(400 < mm < 700 for mm in levels)


def test_an_accelerometer_with_a_known_zero_reports_the_temperature(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    model = {"chip_zero_c": 21, "air_c": -3.0}
    with board(tmp_path, mosquitto.port, temp_zero=21, model=model) as work:
        _follow(work, gateway, 3)
    assert all(-70 <= reading["tc"] <= 10 for reading in _readings(gateway))


@pytest.mark.parametrize("kind", ["reed", "light"])
def test_a_lid_that_is_opened_wakes_it_and_is_reported_at_once(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, kind: str
) -> None:
    slow = {"interval_s": 3600, "report_s": 7200}
    with board(tmp_path, mosquitto.port, 120.0, lid=kind, **slow) as work:
        gateway.clock = work.fleet.clock.now
        _until(gateway, lambda: len(gateway.messages) >= 1 and work.count("sleep") >= 1)
        opened_at = work.fleet.clock.now()
        work.do("open_lid")
        _until(gateway, lambda: _lids(gateway) == [True])
        took_s = work.fleet.clock.now() - opened_at
        _until(gateway, lambda: work.count("sleep") >= 2)
        work.do("close_lid")
        _until(gateway, lambda: _lids(gateway) == [True, False])
    woken = [event for event in work.events if event["event"] == "wake" and event["by"] == "EXT0"]
    assert len(woken) == 2 and took_s < 1200  # not the hour of the schedule
    assert gateway.messages[-1]["next"] == 7200  # a lid alone is no recovery


def _lids(gateway: SigningGateway) -> list[bool]:
    return [event["open"] for event in gateway.events if event["k"] == "lid"]


def test_a_node_without_motion_reports_none_and_no_missing_accelerometer(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    # All within the hour for which a set clock is believed: setting it again, a busy machine's
    # delay times the speed would be a step of the clock, which is an event.
    often = {"interval_s": 120, "report_s": 240}
    with board(tmp_path, mosquitto.port, 240.0, motion=False, **often) as work:
        work.do("unplug", part="accelerometer")
        _follow(work, gateway, 2)
        work.do("carry", duration_s=3000)
        _follow(work, gateway, 4)
    assert {event["k"] for event in gateway.events} == {"boot"}


def test_a_missing_accelerometer_is_reported_once_and_when_it_is_back(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        _follow(work, gateway, 2)
        work.do("unplug", part="accelerometer")
        _until(gateway, lambda: _faults(gateway) == [("motion", "missing")])
        _follow(work, gateway, 4)
        work.do("plug", part="accelerometer")
        _until(gateway, lambda: _faults(gateway) == [("motion", "missing"), ("motion", "ok")])
        _follow(work, gateway, 2)
    assert len(_faults(gateway)) == 2


def test_a_node_mounted_askew_knows_its_own_upright(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, 240.0, model={"mount_deg": 35.0}) as work:
        _follow(work, gateway, 2)
        assert [event["k"] for event in gateway.events] == ["boot"]
        work.do("seize", mode="carried", after_s=100000)
        _until(gateway, lambda: any(event["k"] == "tilt" for event in gateway.events))
    tilt = next(event for event in gateway.events if event["k"] == "tilt")
    assert 40 <= tilt["deg"] <= 80


def test_a_tank_that_is_raised_again_is_reported_and_the_watch_shows_its_level(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    model = {"draw_lph": 0.0}
    with board(tmp_path, mosquitto.port, 240.0, model=model) as work:
        _follow(work, gateway, 2)
        work.do("seize", mode="carried", after_s=100000)
        _until(gateway, lambda: len(_tilts(gateway)) == 1)
        lying = len(gateway.messages)
        work.do("put_back")
        work.do("set_level", litres=450.0)  # no earlier level shows that it is upright
        _until(gateway, lambda: len(_tilts(gateway)) == 2)
        _follow(work, gateway, 2)
    assert 40 <= _tilts(gateway)[0] <= 80 and _tilts(gateway)[1] <= 20
    tank = ibc()
    key = Device(DEVICE, tank.id, key=KEY)
    registry = Registry(tanks={tank.id: (tank,)}, devices={DEVICE: (key,)})
    watch, interpreter, shown = Watch(registry), Interpreter(registry), []
    for obj in gateway.ordered:
        message = decode(obj, device=DEVICE).message
        assert message is not None
        journaled = interpreter.interpret(message, message.t + 1.0, auth="mac", newest=True)
        assert journaled is not None
        watch.step(journaled, message.t + 1.0)
        shown.append(watch.now(tank.id))
    assert shown[lying - 1].state == "unknown"
    assert shown[-1].state == "ok" and shown[-1].volume_l is not None
    assert 430 < shown[-1].volume_l < 470


def _tilts(gateway: SigningGateway) -> list[int]:
    return [event["deg"] for event in gateway.events if event["k"] == "tilt"]


@pytest.mark.parametrize("what", ["drum", "lean", "wind", "refill"])
def test_daily_life_does_not_begin_recovery_mode(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, what: str
) -> None:
    often = {"interval_s": 120, "report_s": 240}
    with board(tmp_path, mosquitto.port, 120.0, **often) as work:
        _follow(work, gateway, 1)
        more: dict[str, Any] = {"litres": 200.0} if what == "refill" else {}
        work.do(what, **more)
        _follow(work, gateway, 4)
    assert {message["next"] for message in gateway.messages} == {240}
    assert all(event["ms"] < 5000 for event in gateway.events if event["k"] == "motion")


def test_recovery_mode_ends_when_it_is_still(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=200) as work:
        _follow(work, gateway, 1)
        work.do("carry", duration_s=240)  # 1.2 s: a busy machine still sees it
        _until(gateway, lambda: any(event["k"] == "still" for event in gateway.events))
    fast = [message for message in gateway.messages if message["next"] == 30]
    assert len(fast) >= 5
    assert gateway.messages[-1]["next"] == 900
