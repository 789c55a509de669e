"""Clock, policy and configuration: pure parts."""

from node import config
from node.policy import schedule
from node.storage import clock, records
from node.storage.ring import PAYLOAD_LIMIT, Record
from node.storage.state import FIELDS, State


def _config(**more):
    given = {"device": "k7f3q5", "key": "00" * 32, "broker": {"host": "localhost"}}
    given.update(more)
    return config.Config(given)


def test_setting_the_clock_does_not_move_up():
    state = State()
    clock.begin(state, 946684800)
    assert clock.stamp(state, 5) == (0, clock.NONE, 0)
    assert clock.step(state, 946684900, 1795212000, clock.NTP) == 0
    assert clock.up(state, 1795212000) == 100
    assert clock.stamp(state, 160) == (1795212060, clock.NTP, 60)


def test_a_step_of_a_known_clock_is_an_event():
    state = State()
    clock.step(state, 946684900, 1795212000, clock.NTP)
    assert clock.step(state, 1795212000, 1795211990, clock.GW) == -10
    assert clock.step(state, 1795211990, 1795211992, clock.GW) == 0


def test_a_time_before_2026_or_no_number_is_not_taken():
    assert clock.plausible(1795212000)
    assert not any(clock.plausible(t) for t in (None, 0, 1767225599, "1795212000"))


def test_every_state_field_is_an_attribute_and_fits_a_record():
    state = State()
    assert not any(any(v) if isinstance(v, bytes) else v for v in state.__dict__.values())
    assert len(state.__dict__) == len(FIELDS) // 2
    assert len(State().packed()) <= PAYLOAD_LIMIT


def test_the_state_survives_the_flash():
    state = State()
    for index in range(0, len(FIELDS), 2):
        name, code = FIELDS[index], FIELDS[index + 1]
        setattr(state, name, index + 1 if code in "BHIQi" else bytes([index] * int(code[:-1])))
    assert State(state.packed()).__dict__ == state.__dict__


def test_a_change_record_has_exactly_the_changed_fields():
    before, after = State(), State()
    after.fails, after.retry_up, after.era, after.reported = 3, 2**32 - 1, b"abcdefgh", -7
    changes = after.changes(before.packed())
    assert len(changes) == (1 + 1) + (1 + 4) + (1 + 8) + (1 + 4)
    before.fold(Record(0, 0, records.CHANGE, changes + bytes((len(FIELDS) // 2, 9, 9))))
    assert before.packed() == after.packed() and after.changes(before.packed()) == b""


def test_a_state_of_a_build_with_fewer_or_more_fields_is_read():
    state, again = State(), State()
    state.boot, state.seq = 7, 9
    for payload in (state.packed()[:-8], state.packed() + b"later"):
        again.fold(Record(0, 0, records.STATE, payload))
        assert again.packed() == state.packed()


def _plan(**state_fields):
    state = State()
    for name, value in state_fields.items():
        setattr(state, name, value)
    return schedule.Plan(_config(), state)


def test_a_node_reports_for_event_change_and_promise_only():
    plan = _plan(promise_up=900)
    assert not plan.should_report(100, False, False, 3900)
    assert plan.should_report(100, True, False, 3900)
    assert plan.should_report(100, False, True, 3900)
    assert plan.should_report(873, False, False, 3900)


def test_a_low_battery_reports_events_only_and_an_empty_one_never():
    plan = _plan(promise_up=900, low=1)
    assert not plan.should_report(873, True, False, 3390)
    assert plan.should_report(100, False, True, 3390)
    assert not plan.should_report(873, True, True, 3299)
    assert plan.promise_s(0) == 604800
    assert plan.sleep_s(100) == 1800 and _plan(low=1, interval_s=3600).interval_s == 3600
    assert _plan(low=1, recovery=1).interval_s == 600


def test_a_node_on_mains_knows_no_low_battery():
    assert schedule.low_battery(State(), 0) == 0
    assert _plan(promise_up=900).should_report(873, False, False, 0)


def test_the_battery_has_hysteresis():
    state = State()
    assert schedule.low_battery(state, 3400) == 0 and schedule.low_battery(state, 3399) == 1
    state.low = 1
    assert schedule.low_battery(state, 3450) == 1 and schedule.low_battery(state, 3500) == 0


def test_it_sleeps_short_of_the_promise():
    assert _plan(promise_up=900).sleep_s(0) == 600
    assert _plan(promise_up=900).sleep_s(600) == 291


def test_without_acks_it_reports_events_at_once_and_the_rest_less_and_less_often():
    assert _plan(misses=11).promise_s(0) == 900 and _plan(misses=12).promise_s(0) == 3600
    away = _plan(misses=36, promise_up=7200)
    assert away.promise_s(0) == 7200 and _plan(misses=36, report_s=9000).promise_s(0) == 9000
    assert not away.should_report(100, True, False, 3900) and away.should_report(
        100, False, True, 3900
    )
    assert away.should_report(6984, False, False, 3900)


def test_it_backs_off_to_four_hours_and_in_recovery_to_five_minutes():
    waits = [schedule.retry_s(fails, 0) for fails in range(1, 10)]
    assert waits[:3] == [120, 240, 480] and waits[-1] == 14400
    assert schedule.retry_s(9, 1) == 300
    assert schedule.retry_s(9, 0, lte=True) == 28800 and schedule.retry_s(9, 1, lte=True) == 300
    plan = _plan(promise_up=900, retry_up=1300, fails=2)
    assert not plan.should_report(1200, True, False, 3900) and plan.should_report(
        1300, False, False, 3900
    )


def test_recovery_reports_every_half_minute_then_every_five():
    plan = _plan(recovery=1, recovery_up=1000, promise_up=1030)
    assert plan.promise_s(1000) == 30 and plan.sleep_s(1000) == 29
    assert plan.promise_s(2800) == 300 and plan.sleep_s(2800) == 291


def test_a_wrong_configuration_names_the_value():
    for more, word in (
        ({"device": "K7F3Q5"}, "K7F3Q5"),
        ({"key": "00"}, "key: 64 hex digits"),
        ({"sensor": "eyes"}, "eyes"),
        ({"interval_s": 5}, "interval_s"),
        ({"broker": {}}, "broker.host"),
        ({"sensor": "jsn-sr04t"}, "floor_mm"),
        ({"mode": "telepathy"}, "telepathy"),
        ({"full_pa": 0}, "full_pa 0"),
        ({"shunt_ohm": 0}, "shunt_ohm 0"),
        ({"counts_per_kg": -3}, "-3"),
        ({"change_g": 200}, "change_g 200"),
        ({"lid": "string"}, "string"),
        ({"rest": [0, 0]}, "rest [0, 0]"),
        ({"rest": [0, 0, 9.5]}, "rest 9.5"),
        ({"interval_s": True}, "interval_s True"),
        ({"interval_s": 60.0}, "interval_s 60.0"),
        ({"interval_s": "600"}, "interval_s '600'"),
        ({"motion": 1}, "motion 1"),
        ({"gnss": "yes"}, "gnss 'yes'"),
        ({"temp_zero": 21.5}, "temp_zero 21.5"),
        ({"release_key": "00"}, "release_key: 64"),
        ({"board": "../evil"}, "board '../evil'"),
        ({"near_mm": 900, "floor_mm": 800}, "near_mm 900"),
        ({"wifi": {"ssid": "a"}}, "wifi: a list"),
        ({"wifi": [{"ssid": "x" * 33}]}, "wifi "),
        ({"wifi": [{"ssid": "site", "password": "short"}]}, "wifi.password of 'site'"),
        ({"lte": {"apn": 'a"b'}}, "lte"),
        ({"lte": {"user": "u"}}, "lte"),
        ({"broker": {"host": "b", "port": 0}}, "broker.port 0"),
        ({"broker": {"host": "b", "ca": "not PEM"}}, "broker.ca"),
        ({"broker": ["b"]}, "broker: an object"),
        ({"ntp": 5}, "ntp 5"),
        ({"device": 5}, "device 5"),
        ({"key": None}, "key: 64"),
    ):
        try:
            _config(**more)
        except ValueError as error:
            assert type(error).__name__ == "ConfigError" and word in str(error), error
            assert "short" not in str(error)  # no secret in a message
        else:
            raise AssertionError(more)


def test_a_configuration_at_its_limits_is_taken():
    taken = _config(
        interval_s=30, report_s=604800, change_g=500, floor_mm=1100, near_mm=1099, drift=-7,
        temp_zero=-12, rest=[0, 0, 1000], lid="light", battery=False, sensor="hx711",
        release_key="00" * 32, wifi=[{"ssid": "s", "password": "8 bytes."}, {"ssid": "open"}],
        lte={"apn": "iot.example", "user": "u", "password": "p"},
    )  # fmt: skip
    assert taken.lte == ("iot.example", "u", "p") and taken.rest == (0, 0, 1000)
    assert taken.wifi == [("s", "8 bytes."), ("open", "")] and taken.lid == "light"
    plain = _config()
    assert plain.lte is plain.lid is plain.temp_zero is None and plain.motion is True
    assert (plain.interval_s, plain.sensor, plain.mode) == (600, "a02yyuw", "pulse")
