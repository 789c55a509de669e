"""The simulated water, people, sensors and nodes, against formulas and the firmware's rules."""

import json
from math import sqrt
from random import Random
from statistics import mean, pstdev

import pytest

from gateway.domain.registry import Tank
from gateway.domain.volume import corrected_mm
from gateway.evaluation.nodes import Battery, Node
from gateway.evaluation.people import crowd, local_s
from gateway.evaluation.physics import Opening, Stream, WaterBody, circle_mm2, outflow_lps
from gateway.evaluation.sensing import LevelSensor

IBC = Tank("t", "r", "s", sensor_height_mm=1100, empty_l=20.0, taps=4)
AREA_M2 = 1.14 * 0.94
T0 = 1_780_000_000.0


def _body(litres: float) -> WaterBody:
    return WaterBody(IBC, litres, T0)


def test_a_tap_and_a_valve_pass_what_the_domain_page_states() -> None:
    assert outflow_lps(circle_mm2(15), 1000) * 60 == pytest.approx(29, abs=0.5)
    assert outflow_lps(circle_mm2(50), 1000) * 60 == pytest.approx(323, abs=3)
    assert outflow_lps(circle_mm2(50), -5) == 0


def test_an_open_valve_empties_an_ibc_in_the_time_of_the_formula() -> None:
    body = _body(1000.0)
    body.openings.append(Opening(0.0, circle_mm2(50)))
    head_m = body.level_mm / 1000
    expected_s = AREA_M2 * 2 * sqrt(head_m) / (0.62 * circle_mm2(50) * 1e-6 * sqrt(2 * 9.81))
    body.advance(T0 + expected_s / 2)
    assert body.litres == pytest.approx(250.0, rel=0.01)  # half the time leaves half the root
    body.advance(T0 + expected_s * 1.01)
    assert body.litres < 0.5
    assert body.lost_l == pytest.approx(1000.0, abs=0.5)


def test_a_cut_ends_at_its_own_height() -> None:
    body = _body(900.0)
    body.openings.append(Opening(400.0, 2000.0))
    body.advance(T0 + 7200)
    assert body.level_mm == pytest.approx(400.0, abs=0.1)
    assert body.drawn_l == 0


def test_people_draw_down_to_the_tap_and_a_delivery_up_to_the_brim() -> None:
    body = _body(100.0)
    body.streams.append(Stream(T0 + 600, 1.0, into=False))
    body.advance(T0 + 50)
    assert (body.litres, body.drawn_l) == (pytest.approx(50.0), pytest.approx(50.0))
    body.advance(T0 + 600)
    assert (body.litres, body.drawn_l) == (pytest.approx(20.0), pytest.approx(80.0))
    body.streams.append(Stream(T0 + 2600, 1.0, into=True))
    body.advance(T0 + 2600)
    assert body.litres == pytest.approx(1020.0)
    assert body.delivered_l == pytest.approx(1000.0)
    assert sum(body.drawn_by_hour.values()) == pytest.approx(80.0)


def test_people_draw_their_mean_in_cans_and_little_at_night() -> None:
    people = crowd(Random(3), 600.0)
    days = 60
    bursts = [b for h in range(days * 24) for b in people.bursts(T0 + h * 3600)]
    assert sum(litres for _, litres in bursts) / days == pytest.approx(600.0, rel=0.15)
    assert all(litres % 5 == 0 and litres > 0 for _, litres in bursts)
    by_night = [li for at, li in bursts if (at + local_s(at)) // 3600 % 24 in (1, 2, 3, 4)]
    assert sum(by_night) / days < 0.05 * 600


def test_a_feast_multiplies_the_use() -> None:
    people = crowd(Random(3), 600.0)
    at = T0 // 86400 * 86400 + 14 * 3600
    usual = people.litres_per_h(at)
    people.feasts.append((at, at + 3600, 4.0))
    assert people.litres_per_h(at) == pytest.approx(max(usual, 25.0) * 4)
    assert people.litres_per_h(at + 3600) != people.litres_per_h(at)


def test_calais_is_two_hours_ahead_in_summer_only() -> None:
    assert local_s(1_774_745_999) == 3600
    assert local_s(1_774_746_000) == 7200
    assert local_s(1_792_889_999) == 7200
    assert local_s(1_792_890_000) == 3600


def _sensor(**fields: object) -> LevelSensor:
    return LevelSensor(Random(1), 1100, 3.0, **fields)  # pyright: ignore[reportArgumentType]


def test_a_sensor_reads_the_distance_with_its_noise_and_a_spread_that_fits() -> None:
    sensor = _sensor()
    values = [sensor.read(T0 + i, 500.0) for i in range(2000)]
    distances = [v[0] for v in values if v[0] is not None]
    assert mean(distances) == pytest.approx(600.0, abs=0.5)
    assert pstdev(distances) == pytest.approx(3.0, rel=0.1)
    spread = mean(v[1] for v in values)
    expected = 3.0 * sqrt(1 - sensor.common**2) * sqrt(7) / 1.2533
    assert spread == pytest.approx(expected, rel=0.1)


def test_an_uncorrected_sensor_errs_by_the_speed_of_sound() -> None:
    sensor = _sensor(corrected=False, air_c=-5.0, swing_c=0.0)
    read = mean(sensor.read(T0 + i, 200.0)[0] or 0 for i in range(500))
    assert read == pytest.approx(900 + 41, abs=4)  # DOMAIN: +41 mm at 900 mm and -5 degrees
    assert corrected_mm(read, -5.0) == pytest.approx(900.0, abs=1)


def test_a_full_tank_in_the_blind_zone_reads_far() -> None:
    sensor = _sensor(blind_mm=200.0, far_mm=4000)
    assert (sensor.read(T0, 950.0)[0] or 0) > 3800
    assert (sensor.read(T0, 880.0)[0] or 0) == pytest.approx(220, abs=15)


def test_faults_hold_for_their_spell_only() -> None:
    sensor = _sensor(faults=[(T0, T0 + 100, "stuck"), (T0 + 100, T0 + 200, "null")])
    stuck = {sensor.read(T0 + i, 500.0 - i)[0] for i in range(100)}
    assert stuck == {600}
    assert sensor.read(T0 + 100, 500.0)[0] is None
    assert sensor.read(T0 + 200, 500.0)[0] is not None


def _node(**fields: object) -> Node:
    given: dict[str, object] = {
        "random": Random(1), "device": "k7f3q5", "tank": "t", "sensor": _sensor(),
        "interval_s": 600.0, "report_every": 6, "uplink": "u", "battery": None, "rssi": -70.0,
    }  # fmt: skip
    return Node(**(given | fields))  # pyright: ignore[reportArgumentType]


def test_a_node_reports_after_six_readings_and_promises_an_hour() -> None:
    node = _node()
    for i in range(5):
        node.measure(T0 + 600 * i, 500.0)
        assert not node.wants_to_report(T0 + 600 * i)
    node.measure(T0 + 3000, 500.0)
    assert node.wants_to_report(T0 + 3000)
    (payload,) = node.seal(T0 + 3001)
    message = json.loads(payload)
    assert message["next"] == 3600
    assert [r["o"] for r in message["r"]] == [3001, 2401, 1801, 1201, 601, 1]
    assert not node.wants_to_report(T0 + 3002)


def test_a_backlog_is_sent_with_the_newest_message_first() -> None:
    node = _node()
    for i in range(60):
        node.measure(T0 + 600 * i, 500.0)
    sent = [json.loads(p) for p in node.seal(T0 + 36_000)]
    assert [m["seq"] for m in sent] == [3, 1, 2]
    assert [len(m["r"]) for m in sent] == [12, 24, 24]
    assert sent[0]["r"][-1]["o"] == 600


def test_recovery_mode_reports_each_half_minute_then_each_five_and_ends_when_still() -> None:
    node = _node()
    node.shaken_until = T0 + 2000
    node.recover(T0)
    assert (node.promise_s(T0), node.promise_s(T0 + 1799)) == (30, 30)
    assert node.promise_s(T0 + 1800) == 300
    node.measure(T0 + 1900, 500.0)
    assert [e["k"] for _, e in node.events] == ["motion"]
    node.measure(T0 + 2499, 500.0)
    assert node.recovery_at is not None
    node.measure(T0 + 2500, 500.0)
    assert node.recovery_at is None
    assert node.events[-1][1]["k"] == "still"


def test_a_node_without_network_backs_off_to_four_hours_and_to_five_minutes_in_recovery() -> None:
    node = _node()
    waits: list[float] = []
    for _ in range(10):
        node.fail(T0)
        waits.append(node.retry_at - T0)
    assert waits[:4] == [60, 120, 240, 480]
    assert waits[-1] == 4 * 3600
    node.recover(T0)
    node.fail(T0)
    assert node.retry_at - T0 == 300


def test_a_flat_battery_allows_events_only_and_then_nothing() -> None:
    node = _node(battery=Battery(T0, 100.0), report_every=1)
    assert node.battery is not None
    assert node.battery.millivolts(T0) == pytest.approx(4150)
    node.measure(T0 + 98, 500.0)
    assert 3300 < node.battery.millivolts(T0 + 98) < 3400
    assert not node.wants_to_report(T0 + 98)
    assert node.promise_s(T0 + 98) == 604_800
    node.urgent = True
    assert node.wants_to_report(T0 + 98)
    assert not node.wants_to_report(T0 + 99.9)
