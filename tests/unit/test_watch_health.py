"""Whether a sensor works: faults, scattered readings, frozen readings, doubtful ones."""

import pytest

from gateway.domain.inputs import Reading
from gateway.domain.watch.tracks import health
from gateway.domain.watch.tracks.health import SensorTrack
from gateway.domain.watch.tracks.noise import Noise
from tests.unit.settled_tank import ROW, reading
from tests.unit.tank_story import DAY, HOUR, T0

CALM = 24
"""Readings without an outlier that end a sick spell."""


class Sensor:
    """One sensor's readings and the noise that they are judged by; ``at`` is seconds since T0."""

    def __init__(self, **noise: float) -> None:
        self.track, self.noise, self.at = SensorTrack(), Noise(), 0.0
        self.told: list[str] = []
        self.is_noisy(**noise)

    def is_noisy(self, **noise: float) -> "Sensor":
        """Set figures of the noise."""
        for name, value in noise.items():
            setattr(self.noise, name, value)
        return self

    def reads(self, count: int = 1, *, every: float = 900, **fields: float) -> "Sensor":
        """Readings; with ``mm`` of one value, else each of another."""
        for i in range(count):
            self.at += every
            values = {"mm": 600 + i % 2, "litres": 500.0, "sd_l": 6.5} | fields
            self._keep(
                reading(self.at, values["litres"], mm=int(values["mm"]), sd_l=values["sd_l"])
            )
        return self

    def fails(self, count: int = 1, fault: str = "no_echo", every: float = 900) -> "Sensor":
        """Readings without a level."""
        for _ in range(count):
            self.at += every
            self._keep(reading(self.at, None, fault=fault))
        return self

    def _keep(self, one: Reading) -> None:
        self.told += [e.kind for e in health.update(self.track, ROW, one, self.noise)]


def test_two_missing_echoes_are_a_fault_and_two_levels_end_it() -> None:
    sensor = Sensor().reads(3).fails()
    assert sensor.told == []
    sensor.fails()
    assert (sensor.told, sensor.track.faulty) == (["fault"], True)
    sensor.fails(3).reads()
    assert (sensor.told, sensor.track.faulty) == (["fault"], True)
    sensor.reads()
    assert (sensor.told, sensor.track.faulty) == (["fault", "fault_over"], False)


def test_the_two_must_follow_one_another() -> None:
    sensor = Sensor()
    for _ in range(5):
        sensor.fails().reads()
    assert sensor.told == []


def test_a_fault_lasts_from_its_first_missing_echo_to_the_second_level() -> None:
    sensor = Sensor().reads(2).fails(4)
    sensor.reads()
    (over,) = health.update(sensor.track, ROW, reading(sensor.at + 900, 500), sensor.noise)
    assert (over.at, over.until) == (T0 + 2700, T0 + 7200)


@pytest.mark.parametrize(
    ("count", "every", "broken"),
    [(3, 1000, ""), (4, 600, "no_echo"), (4, 599, ""), (5, 450, "no_echo"), (5, 449, "")],
)
def test_four_faults_over_half_an_hour_ask_for_a_check(
    count: int, every: float, broken: str
) -> None:
    assert Sensor().reads().fails(count, every=every).track.broken == broken


def test_the_reason_is_the_newest_fault_and_ends_with_it() -> None:
    sensor = Sensor().reads().fails(4).fails(1, "out_of_range")
    assert sensor.track.broken == "out_of_range"
    sensor.reads(2)
    assert sensor.track.broken == ""


@pytest.mark.parametrize(("share", "erratic"), [(0.29, False), (0.30, True)])
def test_nearly_a_third_of_outliers_makes_a_sensor_erratic(share: float, erratic: bool) -> None:
    sensor = Sensor(bad_share=share).reads()
    assert sensor.track.erratic == sensor.track.faulty == erratic
    assert sensor.told == (["fault"] if erratic else [])


def test_an_erratic_sensor_is_checked_by_people_after_four_hours() -> None:
    sensor = Sensor(bad_share=0.4).reads(16)
    assert sensor.track.broken == ""
    sensor.reads()
    assert sensor.track.broken == "erratic"


@pytest.mark.parametrize(
    ("good", "share", "erratic"),
    [(CALM, 0.06, False), (CALM - 1, 0.06, True), (CALM, 0.07, True), (90, 0.07, True)],
)
def test_a_run_of_readings_without_an_outlier_ends_it(
    good: int, share: float, erratic: bool
) -> None:
    sensor = Sensor(bad_share=0.4).reads()
    sensor.is_noisy(good=good, bad_share=share).reads()
    assert sensor.track.erratic == erratic


def test_an_erratic_sensor_is_a_fault_until_its_second_good_reading() -> None:
    sensor = Sensor(bad_share=0.4).reads(20)
    sensor.is_noisy(good=CALM, bad_share=0.05).reads()
    assert (sensor.track.faulty, sensor.track.broken) == (True, "erratic")
    sensor.reads()
    assert (sensor.track.faulty, sensor.track.broken) == (False, "")
    assert sensor.told == ["fault", "fault_over"]


def spell(sensor: Sensor) -> Sensor:
    """A sick spell that has ended."""
    sensor.is_noisy(bad_share=0.4, good=0).reads()
    assert sensor.track.erratic
    return sensor.is_noisy(good=96, bad_share=0.0).reads()


@pytest.mark.parametrize(
    ("relapses", "calm", "share"),
    [(0, 24, 0.0625), (1, 48, 0.05), (2, 96, 0.05), (3, 96, 0.05), (5, 96, 0.05)],
)
def test_a_relapse_asks_for_a_longer_calm(relapses: int, calm: int, share: float) -> None:
    sensor = Sensor().reads()
    for _ in range(relapses):
        spell(sensor)
    sensor.is_noisy(bad_share=0.4, good=0).reads()
    assert sensor.track.relapses == relapses
    sensor.is_noisy(good=calm - 1, bad_share=share - 0.001).reads()
    assert sensor.track.erratic
    sensor.is_noisy(good=calm, bad_share=share + 0.001).reads()
    assert sensor.track.erratic
    sensor.is_noisy(bad_share=share - 0.001).reads()
    assert not sensor.track.erratic


@pytest.mark.parametrize(("after", "relapses"), [(7 * DAY - 901, 1), (7 * DAY, 0)])
def test_a_spell_after_a_week_is_no_relapse(after: float, relapses: int) -> None:
    sensor = spell(spell(Sensor().reads()))
    sensor.is_noisy(bad_share=0.4, good=0).reads(every=after)
    assert sensor.track.relapses == (2 if relapses else 0)


def experienced(rough: float = 10.0, run: float = 3.0) -> Sensor:
    """A sensor of forty runs, and a share of rough readings out of twenty."""
    sensor = Sensor(seen=20.0, rough=rough).reads(4)
    sensor.track.runs, sensor.track.longest_run = 60, run
    return sensor


@pytest.mark.parametrize(("count", "broken"), [(40, ""), (41, "stuck")])
def test_ten_hours_of_one_value_are_a_frozen_sensor_where_readings_scatter(
    count: int, broken: str
) -> None:
    assert experienced().reads(count, mm=470).track.broken == broken


@pytest.mark.parametrize(("count", "broken"), [(11, ""), (12, "stuck")])
def test_it_takes_twelve_of_them(count: int, broken: str) -> None:
    assert experienced(run=1.0).reads(count, mm=470, every=HOUR).track.broken == broken


@pytest.mark.parametrize(("count", "broken"), [(47, ""), (48, "stuck")])
def test_it_takes_six_times_the_longest_run_so_far(count: int, broken: str) -> None:
    sensor = experienced(run=8.0)
    sensor.track.longest_run = 8.0 / 0.99
    assert sensor.reads(count, mm=470).track.broken == broken


def test_a_value_may_repeat_all_night_where_readings_do_not_scatter() -> None:
    assert experienced(rough=8.0).reads(90, mm=470).track.broken == ""


def test_a_new_sensor_may_repeat_a_value_all_night() -> None:
    sensor = experienced()
    sensor.track.runs = 38  # the last run is learned with the next value
    assert sensor.reads(90, mm=470).track.broken == ""
    sensor = experienced()
    sensor.track.runs = 39
    assert sensor.reads(90, mm=470).track.broken == "stuck"


@pytest.mark.parametrize(
    ("count", "every", "broken"),
    [(96, 900, ""), (97, 900, "stuck"), (23, 4000, ""), (24, 4000, "stuck")],
)
def test_a_day_of_one_value_is_a_frozen_sensor_in_any_case(
    count: int, every: float, broken: str
) -> None:
    assert Sensor().reads(count, mm=470, every=every).track.broken == broken


@pytest.mark.parametrize(("litres", "broken"), [(39.5, ""), (39.6, "stuck")])
def test_an_empty_tank_may_repeat_its_value_for_days(litres: float, broken: str) -> None:
    """Empty at 20 L, give or take three sd."""
    assert Sensor().reads(200, mm=1060, litres=litres).track.broken == broken


def test_another_value_ends_it_and_the_frozen_run_teaches_nothing() -> None:
    sensor = Sensor().reads(3, mm=471).reads(120, mm=470)
    assert (sensor.track.broken, sensor.track.runs) == ("stuck", 1)
    sensor.reads(mm=469)
    assert sensor.track.broken == ""
    assert (sensor.track.runs, sensor.track.longest_run) == (1, 3.0)


def test_missing_echoes_do_not_end_a_frozen_value_and_good_ones_do_not_clear_it() -> None:
    sensor = Sensor().reads(120, mm=470).fails(1).reads(2, mm=470)
    assert sensor.track.broken == "stuck"


def test_the_longest_run_is_forgotten_slowly() -> None:
    sensor = Sensor().reads(10, mm=470).reads(mm=471)
    assert sensor.track.longest_run == 10.0
    sensor.reads(mm=470)
    assert sensor.track.longest_run == pytest.approx(9.9)
    assert sensor.track.runs == 2


@pytest.mark.parametrize(("runs", "count", "doubtful"), [(40, 7, True), (40, 6, False)])
def test_a_value_is_doubtful_when_it_repeats_twice_as_often_as_any(
    runs: int, count: int, doubtful: bool
) -> None:
    sensor = Sensor().reads()
    sensor.track.runs, sensor.track.longest_run = runs - 1, 3.0 / 0.99
    sensor.reads(count, mm=470)
    assert sensor.track.runs == runs
    assert health.is_doubtful(sensor.track) == doubtful


def test_nothing_is_doubtful_before_forty_runs() -> None:
    sensor = Sensor().reads()
    sensor.track.runs = 38
    sensor.reads(50, mm=470)
    assert not health.is_doubtful(sensor.track)


@pytest.mark.parametrize(
    ("run", "repeats", "frozen"), [(3.0, 6, False), (3.0, 7, True), (90.0, 97, True)]
)
def test_the_end_of_a_value_that_repeated_for_too_long_is_remembered(
    run: float, repeats: int, frozen: bool
) -> None:
    """More than twice the longest run, or a frozen sensor."""
    sensor = experienced()
    sensor.track.longest_run = run / 0.99
    sensor.reads(repeats, mm=470).reads(mm=471)
    assert sensor.track.frozen_until == (T0 + sensor.at if frozen else 0.0)
    sensor.reads(3)
    assert sensor.track.frozen_until == (T0 + sensor.at - 3 * 900 if frozen else 0.0)
