"""What a burst makes of its samples, and what is believed of it."""

from drivers import SensorError
from flash import Flash
from node.measure import faults, plausibility, sampling
from node.policy import alarm_budget
from node.storage import records
from node.storage.queue import Queue
from node.storage.ring import Ring
from node.storage.state import State

WINDOW = 40


def _burst(*samples):
    return sampling.burst(list(samples), WINDOW)


def test_five_that_agree_are_a_reading_with_a_robust_spread():
    burst = _burst(431, 430, 433, 429, 431)
    assert (burst.value, burst.spread, burst.valid, burst.tried) == (431, 1, 5, 5)


def test_one_stranger_among_seven_is_left_out():
    burst = _burst(431, 430, 433, 900, 429, 431, 430)
    assert (burst.value, burst.valid, burst.tried, burst.code) == (430, 6, 7, "")


def test_two_strangers_among_seven_are_too_many_and_among_nine_not():
    assert _burst(431, 430, 433, 900, 429, None, 430).value is None
    assert _burst(431, 430, 433, 900, 429, None, 430, 431, 432).value == 431


def test_a_burst_without_any_echo_has_no_value():
    burst = sampling.burst([None] * 9, WINDOW)
    assert (burst.value, burst.spread, burst.valid, burst.tried) == (None, None, 0, 9)
    assert burst.code == "no_echo"


def test_samples_that_contradict_each_other_are_no_reading():
    burst = _burst(100, 300, 500, 700, 900, 1100, 1300, 1500, 1700)
    assert (burst.value, burst.valid, burst.code) == (None, 9, "disagree")


def test_why_there_was_nothing_is_kept():
    assert sampling.burst([None] * 9, WINDOW, "garbage").code == "garbage"


def test_half_and_half_is_nobodys_majority():
    assert _burst(100, 100, 100, 100, 900, 900, 900, 900).value is None


def test_a_median_of_an_even_count_is_the_mean_of_the_middle():
    assert sampling.median([10, 20]) == 15
    assert sampling.spread([0, 10, 20]) == 15  # deviations 0 10 10: 10 x 1.4826


class _Sensor:
    window = WINDOW

    def __init__(self, *samples):
        self._left = list(samples)
        self.read_times = 0

    def read(self):
        self.read_times += 1
        sample = self._left.pop(0)
        if isinstance(sample, str):
            raise SensorError(sample, sample)
        return sample


def _taken(*samples, step_ms=100):
    sensor = _Sensor(*samples)
    moments = iter(range(0, 100_000, step_ms))
    return sampling.take_burst(sensor, lambda: next(moments), lambda a, b: a - b), sensor.read_times


def test_a_clear_burst_ends_after_five():
    burst, times = _taken(431, 430, 433, 429, 431, 0)
    assert (burst.value, burst.tried, times) == (431, 5, 5)


def test_an_unclear_burst_goes_on_to_nine():
    burst, times = _taken(431, 900, 433, "garbage", 431, 431, 431, 430, 431)
    assert (burst.value, burst.valid, times) == (431, 7, 9)


def test_a_dead_sensor_costs_three_reads():
    burst, times = _taken("missing", "missing", "missing", 431)
    assert (burst.value, burst.valid, burst.tried, burst.code, times) == (None, 0, 3, "missing", 3)


def test_a_burst_ends_with_its_budget():
    burst, times = _taken(431, 431, 431, 431, step_ms=1000)
    assert (burst.value, times) == (None, 3)


# Plausibility


def _judged(value, last=None, since_s=600, blind_mm=0, blind_n=0, bounds=(30, 1160)):
    return plausibility.judged(value, bounds, blind_mm, last, since_s, blind_n)


def test_a_level_is_between_the_highest_water_and_the_floor():
    assert _judged(431) == ""
    assert _judged(29) == "near" and _judged(1161) == "far"


class _Config:
    floor_mm, near_mm = 1100, 60


class _Range:
    lowest, highest = 30, 4500

    def __init__(self, quantity):
        self.quantity = quantity


def test_the_tank_narrows_the_sensors_range():
    assert plausibility.limits(_Config, _Range("mm")) == (60, 1160)
    assert plausibility.limits(_Config, _Range("pa")) == (30, 4500)


def test_the_first_bounce_of_a_jsn_sr04t_is_never_a_level():
    for distance in range(1, 200):
        bounce = -(-200 // distance) * distance
        assert _judged(bounce, blind_mm=200) == "blind", distance
        assert _judged(bounce, last=700, blind_mm=200) == "blind"
    assert _judged(400, blind_mm=200) == ""


def test_a_full_tank_that_reads_far_is_blind_and_not_empty():
    # The last level was 420 mm below the face; a refill continued; now it reads 700.
    assert _judged(700, last=420, blind_mm=200) == "blind"
    assert _judged(700, last=420, blind_mm=0) == ""  # a sensor without that fault


def test_it_stays_blind_until_a_reading_is_near_again():
    assert _judged(700, last=420, since_s=60000, blind_mm=200, blind_n=1) == "blind"
    assert _judged(515, last=420, since_s=60000, blind_mm=200, blind_n=1) == ""


def test_an_hour_of_bursts_that_agree_is_a_tank_that_was_emptied():
    codes = [_judged(700, last=420, blind_mm=200, blind_n=times) for times in range(6)]
    assert codes == ["blind"] * 5 + [""]


def test_a_drain_that_is_watched_is_believed():
    level, codes = 420, []
    for _ in range(4):  # an open valve, a reading each half minute
        codes.append(_judged(level + 150, last=level, since_s=30, blind_mm=200))
        level += 150
    assert codes == [""] * 4


def test_a_level_far_from_the_blind_zone_may_fall_at_any_rate():
    assert _judged(1100, last=560, blind_mm=200) == ""


# Faults are reported once


def _reported(state, *codes):
    return [faults.update(state, code) for code in codes]


def test_a_missing_sensor_is_one_event_and_one_when_it_is_back():
    state = State()
    assert _reported(state, "", "missing", "missing", "missing") == [None, "missing", None, None]
    assert _reported(state, "", "", "") == [None, "ok", None]


def test_one_burst_without_an_echo_is_no_fault_two_are():
    state = State()
    assert _reported(state, "no_echo", "", "disagree") == [None, None, None]
    assert _reported(state, "no_echo") == ["no_echo"]


def test_an_intermittent_sensor_is_not_reported_at_each_wake():
    state = State()
    codes = ["missing", ""] * 50
    reported = _reported(state, *codes)
    assert reported == ["missing"] + [None] * 99


def test_a_fault_has_a_report_of_its_own_every_six_hours_at_most():
    state = State()
    assert faults.should_report(state, 0) and not faults.should_report(state, 21000)
    assert faults.should_report(state, 21602)


def test_every_code_of_a_driver_can_be_kept():
    for code in ("missing", "garbage", "wire", "over", "stuck", "saturated", "timing"):
        assert code in faults.CODES
    state = State()
    assert (
        _reported(state, "else", "else") == [None, "else"] and state.fault == len(faults.CODES) - 1
    )


# The budget of unordered alarms


def test_thirty_days_of_false_alarms_cost_less_than_five_percent_of_the_cell():
    state, spent_uah = State(), 0
    for up in range(0, 30 * 86400, 30):
        if alarm_budget.pay_report(state, up):
            spent_uah += alarm_budget.REPORT_UAH
    assert spent_uah <= 127_500, spent_uah
    assert spent_uah >= 120_000  # and real alarms may use it


def test_recovery_may_begin_three_times_and_then_waits_for_the_budget():
    state, entries = State(), 0
    while alarm_budget.may_recover(state, 0):
        entries += 1
        for _ in range(20):  # ten minutes of reports
            assert alarm_budget.pay_report(state, 0)
    assert entries == 3
    assert not alarm_budget.may_recover(state, 5 * 86400)
    assert alarm_budget.may_recover(state, 6 * 86400)


def test_a_real_theft_may_use_what_the_bucket_holds():
    state, reports = State(), 0
    state.spent_uah = 27_000  # the fullest at which recovery still begins
    while alarm_budget.pay_report(state, 0):
        reports += 1
    assert reports >= 50


def test_a_restart_refills_nothing_but_what_time_did():
    state = State()
    state.spent_uah, state.looked, state.budget_up = 30_000, 500, 480_000
    alarm_budget.carry_over(state, 484_000)
    assert (state.spent_uah, state.looked, state.budget_up) == (29_900, 400, 0)
    for _ in range(9):
        alarm_budget.carry_over(state, 20)
    assert (state.spent_uah, state.looked) == (29_900, 400)


def test_asking_changes_nothing():
    state = State()
    state.spent_uah = 30_000
    before = state.packed()
    assert alarm_budget.may_recover(state, 130_000) and alarm_budget.may_look(state, 130_000)
    assert state.packed() == before


def test_looks_at_the_accelerometer_are_counted():
    state = State()
    looks = 0
    while alarm_budget.may_look(state, 0):
        alarm_budget.pay_look(state, 0)
        looks += 1
    assert looks == 60
    assert alarm_budget.may_look(state, 900)


# State folded from flash


def test_a_quiet_wake_writes_its_sample_and_nothing_else():
    queue = Queue(Ring(Flash(4)), "test")
    queue.save()
    for up in (600, 1200, 1800):
        queue.add_sample(records.Sample(up, "mm", 431, 1, 5, 5))
        written = queue.ring.tail
        queue.save()
        assert queue.ring.tail == written
    again = Queue(Ring(queue.ring._device), "test").state
    assert (again.good, again.good_set, again.good_up, again.same_up) == (431, 1, 1800, 600)
    queue.add_sample(records.Sample(2400, "mm", None, None, 0, 9))
    assert (queue.state.good, queue.state.good_up) == (431, 1800)
