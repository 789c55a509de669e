"""The level that is shown and the state that follows: two readings past each threshold."""

import pytest

from gateway.domain.watch.tracks import level
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.settling import Sample, Settling
from tests.unit.calls import calls_in
from tests.unit.settled_tank import ROW, reading
from tests.unit.tank_story import T0

SD_L = 6.5
BACK_L = 30.0  # 3 % of the tank: more than three times SD_L
EMPTY_L = 20.0 + SD_L


class Shown:
    """A track after readings each 100 seconds, all of them settled."""

    def __init__(self, *litres: float) -> None:
        self.track, self.at = LevelTrack(), 0.0
        self.settled = Settling(smooth_l=litres[0] if litres else None)
        self.reads(*litres)

    def reads(self, *litres: float, sd_l: float = SD_L) -> list[str]:
        """The state after each reading."""
        states: list[str] = []
        for value in litres:
            self.at += 100
            self.settles(Sample(T0 + self.at, T0 + self.at, value, sd_l), sd_l=sd_l)
            states.append(self.track.state)
        return states

    def settles(self, *samples: Sample, sd_l: float = SD_L) -> None:
        """One reading settles some samples, itself the last of them."""
        newest = reading(samples[-1].at - T0, samples[-1].litres, sd_l=sd_l)
        level.show(self.track, self.settled, ROW, newest, list(samples))

    def waits(
        self, litres: float, *, after: float = 60.0, waiting: int = 1, level_l: float = 500.0
    ) -> bool:
        """Whether a reading that settles nothing yet is shown."""
        self.settled.smooth_l, self.settled.settled_at = level_l, T0 + self.at
        self.settled.waiting = [[T0 + self.at + after, 0.0, litres, SD_L, 0.0]] * waiting
        level.show(self.track, self.settled, ROW, reading(self.at + after, litres), [])
        return self.track.volume_l == litres

    @property
    def since(self) -> float | None:
        return None if self.track.since is None else self.track.since - T0


@pytest.mark.parametrize(
    ("litres", "state"),
    [
        (300.0, "ok"), (299.9, "low"), (150.0, "low"), (149.9, "critical"),
        (EMPTY_L, "critical"), (EMPTY_L - 0.1, "empty"), (0.0, "empty"),
    ],
)  # fmt: skip
def test_the_first_reading_alone_makes_the_state(litres: float, state: str) -> None:
    assert Shown(litres).track.state == state
    assert level.state_of_volume(ROW, litres, SD_L) == state


def test_the_thresholds_are_parts_of_the_tank_and_the_tap_with_one_deviation() -> None:
    assert level.limits_l(ROW, 6.5) == (("low", 300.0), ("critical", 150.0), ("empty", 26.5))
    assert level.limits_l(ROW, 11.0)[2] == ("empty", 30.0), "one percent of the tank at most"


def test_every_later_state_takes_two_readings() -> None:
    shown = Shown(800)
    assert shown.reads(290, 290, 140, 140, 10, 10) == [
        "ok", "low", "low", "critical", "critical", "empty",
    ]  # fmt: skip


def test_a_second_reading_that_is_not_settled_makes_no_state_alone() -> None:
    shown = Shown(310)
    assert shown.waits(250, level_l=310)  # people may have drawn 60 L in a minute
    assert shown.track.state == "ok"
    assert shown.reads(250) == ["low"]


def test_a_reading_above_every_threshold_is_shown_with_little_work() -> None:
    """This is on the path of every message."""
    shown = Shown(800, 800)

    def shows(litres: float) -> int:
        read = reading(shown.at + 100, litres)
        settled = [Sample(read.at, read.received, litres, SD_L)]
        return calls_in(lambda: level.show(shown.track, shown.settled, ROW, read, settled))

    assert shows(301.0) < 8
    assert shows(299.0) > 11


def test_one_reading_below_between_two_above_changes_nothing() -> None:
    shown = Shown(800)
    assert set(shown.reads(290, 310, 290, 310, 290)) == {"ok"}


@pytest.mark.parametrize(("litres", "state"), [(300.0, "ok"), (299.9, "low")])
def test_a_level_is_low_only_below_the_threshold(litres: float, state: str) -> None:
    assert Shown(800).reads(litres, litres)[-1] == state


def test_a_state_has_lasted_since_the_first_reading_past_its_threshold() -> None:
    shown = Shown(800)
    shown.reads(290, 290, 290)
    assert (shown.track.state, shown.since) == ("low", 200)
    shown.reads(290, 140, 290, 140, 140, 140)
    assert (shown.track.state, shown.since) == ("critical", 800)
    shown.reads(10, 10)
    assert (shown.track.state, shown.since) == ("empty", 1100)


def test_a_tank_is_well_again_since_the_reading_that_confirmed_it() -> None:
    shown = Shown(800)
    shown.reads(290, 290, 900, 900, 900)
    assert (shown.track.state, shown.since) == ("ok", 500)


@pytest.mark.parametrize(
    ("sd_l", "litres", "state"),
    [
        (SD_L, 300 + BACK_L, "low"),
        (SD_L, 300.1 + BACK_L, "ok"),
        (12.0, 336.0, "low"),
        (12.0, 336.1, "ok"),
    ],
)
def test_a_low_tank_is_low_until_it_is_well_above_the_threshold(
    sd_l: float, litres: float, state: str
) -> None:
    shown = Shown(800)
    shown.reads(290, 290)
    assert shown.reads(litres, litres, sd_l=sd_l) == ["low", state]


def test_samples_that_settle_with_a_reading_count_before_it_and_itself_once() -> None:
    shown = Shown(800)
    shown.settles(Sample(T0 + 150, T0 + 150, 290, SD_L), Sample(T0 + 200, T0 + 200, 290, SD_L))
    assert (shown.track.state, shown.since) == ("low", 150)
    shown = Shown(800)
    shown.settles(Sample(T0 + 200, T0 + 200, 290, SD_L))
    assert shown.track.state == "ok"


@pytest.mark.parametrize(("litres", "shows"), [(500, True), (501, False), (499.5, True)])
def test_a_reading_that_is_not_settled_is_shown_when_it_is_no_rise(
    litres: float, shows: bool
) -> None:
    assert Shown(500).waits(litres) is shows


@pytest.mark.parametrize(
    ("after", "litres", "shows"),
    [  # four taps give 80 L a minute; never more than 120 L between two readings
        (60, 420.0, True), (60, 419.9, False), (90, 380.0, True), (90, 379.9, False),
        (900, 380.0, True), (900, 379.9, False),
    ],
)  # fmt: skip
def test_a_reading_that_is_not_settled_is_shown_when_people_may_have_drawn_so_much(
    after: float, litres: float, shows: bool
) -> None:
    assert Shown(500).waits(litres, after=after) is shows


@pytest.mark.parametrize(("waiting", "shows"), [(1, True), (2, False)])
def test_of_readings_that_wait_only_the_first_may_be_shown(waiting: int, shows: bool) -> None:
    assert Shown(500).waits(495, waiting=waiting) is shows


def test_a_reading_that_is_not_shown_changes_no_state() -> None:
    shown = Shown(500)
    shown.waits(900)
    assert level.newest(shown.track) == Sample(T0 + 100, T0 + 100, 500, SD_L)
    assert shown.track.state == "ok"


def test_without_a_shown_reading_there_is_no_newest_one() -> None:
    assert level.newest(LevelTrack()) is None
    assert level.newest(LevelTrack(at=1.0, received=2.0)) is None
    assert level.newest(LevelTrack(at=1.0, received=2.0, volume_l=3.0)) == Sample(1, 2, 3, 0)
