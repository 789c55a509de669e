"""Drivers, measuring, clock and policy: pure parts."""

from drivers import a02yyuw, hx711, lis3dh
from node import clock, config, measure, policy
from node.state import FIELDS, State


def _config(**more):
    given = {"device": "k7f3q5", "key": "00" * 32, "broker": {"host": "localhost"}}
    given.update(more)
    return config.Config(given)


def test_a_burst_is_its_median_with_a_robust_spread():
    burst = measure.burst([431, 430, 433, None, 900, 429, 431])
    assert (burst.value, burst.valid, burst.tried) == (431, 6, 7)
    assert burst.spread == 1  # deviations 0 0 1 2 2 469: their median, 1, x 1.4826


def test_a_burst_of_an_even_count_takes_the_mean_of_the_middle():
    assert measure.burst([10, 20]).value == 15


def test_a_spread_is_scaled_and_rounded():
    assert measure.burst([0, 10, 20]).spread == 15


def test_a_burst_without_any_echo_has_no_value():
    burst = measure.burst([None] * 6)
    assert (burst.value, burst.spread, burst.valid, burst.tried) == (None, None, 0, 6)


def test_sampling_ends_with_its_budget():
    moments = iter(range(0, 10000, 1000))
    samples = measure.sampled(lambda: 5, lambda: next(moments), lambda a, b: a - b, 7, 2500)
    assert samples == [5, 5, 5]


def test_a_frame_is_found_among_noise():
    data = b"\x00\xff\x01" + b"\xff\x01\xaf\xaf" + b"\xff\x07"
    found = None
    while found is None:
        found, data = a02yyuw.split(data)
    assert a02yyuw.distance_mm(found) == 431 and data == b"\xff\x07"


def test_a_wrong_sum_is_no_frame():
    assert a02yyuw.split(b"\xff\x01\xaf\xae")[0] is None


def test_a_distance_outside_the_range_is_no_echo():
    assert a02yyuw.distance_mm(b"\xff\x00\x00\xff") is None
    assert a02yyuw.distance_mm(b"\xff\x11\x95\xa5") is None  # 4501
    assert a02yyuw.distance_mm(b"\xff\x11\x94\xa4") == 4500


def test_counts_become_grams():
    assert hx711.grams(1000 + 21500 * 20, 1000, 21500) == 20000
    assert hx711.grams(-21500, 0, 21500) == -1000
    assert hx711.grams(0x7FFFFF, 0, 21500) is None


class _Wire:
    """An HX711 that shifts out ``counts``, most significant bit first."""

    def __init__(self, counts):
        self.bits = [counts >> at & 1 for at in range(23, -1, -1)]
        self.clocks = 0

    def value(self, level=None):
        if level == 1:
            self.clocks += 1
        if level is not None or not 1 <= self.clocks <= 24:
            return 0
        return self.bits[self.clocks - 1]


def test_the_converter_is_read_in_twenty_five_clocks():
    for counts in (0, 1, 431000, -1, -431000):
        wire = _Wire(counts & 0xFFFFFF)
        assert hx711.HX711(wire, wire, 0, 1).read_counts() == counts
        assert wire.clocks == 25


def test_milli_g_are_signed():
    assert lis3dh.milli_g(0, 0x3E) == 992 and lis3dh.milli_g(0, 0xC2) == -992


def test_tilt_is_measured_from_upright():
    assert measure.tilt_deg((0, 0, 1000)) == 0
    assert measure.tilt_deg((1000, 0, 0)) == 90
    assert measure.tilt_deg((0, -707, 707)) == 45
    assert measure.tilt_deg((0, 0, -1000)) == 180


def test_setting_the_clock_does_not_move_up():
    state = State()
    state.base = 946684800
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
    assert all(getattr(State, name) in (0, b"") for name, _ in FIELDS)
    assert len(State().packed()) <= 250


def test_the_state_survives_the_flash():
    state = State()
    for index, (name, code) in enumerate(FIELDS):
        setattr(state, name, index + 1 if code in "BHIQi" else bytes([index] * int(code[:-1])))
    again = State()
    again.copy(state)
    assert again.packed() == state.packed()


def _plan(**state_fields):
    state = State()
    for name, value in state_fields.items():
        setattr(state, name, value)
    return policy.Plan(_config(), state)


def test_a_node_speaks_for_event_change_and_promise_only():
    plan = _plan(promise_up=900)
    assert not plan.speaks(100, False, False, 3900)
    assert plan.speaks(100, True, False, 3900)
    assert plan.speaks(100, False, True, 3900)
    assert plan.speaks(873, False, False, 3900)


def test_a_low_battery_speaks_for_events_only_and_an_empty_one_never():
    plan = _plan(promise_up=900, low=1)
    assert not plan.speaks(873, True, False, 3390)
    assert plan.speaks(100, False, True, 3390)
    assert not plan.speaks(873, True, True, 3299)
    assert plan.promise_s(0) == 604800


def test_a_node_on_mains_knows_no_low_battery():
    assert policy.low_battery(State(), 0) == 0
    assert _plan(promise_up=900).speaks(873, False, False, 0)


def test_the_battery_has_hysteresis():
    state = State()
    assert policy.low_battery(state, 3400) == 0 and policy.low_battery(state, 3399) == 1
    state.low = 1
    assert policy.low_battery(state, 3450) == 1 and policy.low_battery(state, 3500) == 0


def test_it_sleeps_short_of_the_promise():
    assert _plan(promise_up=900).sleep_s(0) == 600
    assert _plan(promise_up=900).sleep_s(600) == 291


def test_it_backs_off_to_four_hours_and_in_recovery_to_five_minutes():
    waits = [policy.retry_s(fails, 0) for fails in range(1, 10)]
    assert waits[:3] == [120, 240, 480] and waits[-1] == 14400
    assert policy.retry_s(9, 1) == 300
    plan = _plan(promise_up=900, retry_up=1300, fails=2)
    assert not plan.speaks(1200, True, False, 3900) and plan.speaks(1300, False, False, 3900)


def test_recovery_reports_every_half_minute_then_every_five():
    plan = _plan(recovery=1, recovery_up=1000, promise_up=1030)
    assert plan.promise_s(1000) == 30 and plan.sleep_s(1000) == 29
    assert plan.promise_s(2800) == 300 and plan.sleep_s(2800) == 291


def test_a_wrong_configuration_names_the_value():
    for more, word in (
        ({"device": "K7F3Q5"}, "K7F3Q5"),
        ({"key": "00"}, "1 bytes"),
        ({"sensor": "eyes"}, "eyes"),
        ({"interval_s": 5}, "interval_s"),
        ({"broker": {}}, "broker.host"),
    ):
        try:
            _config(**more)
        except config.ConfigError as error:
            assert word in str(error), error
        else:
            raise AssertionError(more)
