"""Usual refill rounds, learned from past refills: when the next is due, which one was missed."""

import pytest

from gateway.domain.watch.tracks import rounds as usual_rounds
from gateway.domain.watch.tracks.rounds import MissedRound, Rounds
from tests.unit.hourly_tank import HOUR, MONDAY

DAY = 24 * HOUR
T0 = MONDAY * HOUR  # a Monday, 0:00 UTC


def refilled(*times: float, timezone: str = "UTC", litres: float = 500.0) -> Rounds:
    """Refills at these hours after Monday 0:00."""
    rounds = Rounds()
    for hours in times:
        usual_rounds.note(rounds, T0 + hours * HOUR, litres, 1000.0, timezone)
    return rounds


def daily(days: int, at: float = 10.0, every: int = 1) -> list[float]:
    return [24.0 * day + at for day in range(0, days * every, every)]


def next_hours(rounds: Rounds, now: float, timezone: str = "UTC") -> float | None:
    """Hours after Monday 0:00 of the next round."""
    found = usual_rounds.next_round(rounds, timezone, T0 + now * HOUR)
    return None if found is None else (found - T0) / HOUR


def test_daily_refills_make_a_round_from_the_fifth_on() -> None:
    assert next_hours(refilled(*daily(4)), 80) is None
    assert next_hours(refilled(*daily(5)), 110) == 24 * 5 + 10


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_rounds_every_few_days_are_due_when_these_days_have_passed(every: int) -> None:
    times = daily(5, every=every)
    assert next_hours(refilled(*times), times[-1] + 1) == times[-1] + 24 * every


def test_what_comes_less_than_weekly_is_no_round() -> None:
    assert next_hours(refilled(*daily(6, every=8)), 24 * 40 + 11) is None


def test_a_round_is_at_the_median_time_of_day() -> None:
    rounds = refilled(9.0, 33.5, 58.5, 82.2, 107.0)  # 9:00 9:30 10:30 10:12 11:00
    assert next_hours(rounds, 108) == pytest.approx(24 * 5 + 10.2)


def test_a_late_round_is_due_now_until_it_is_missed() -> None:
    rounds = refilled(*daily(6))
    due = 24 * 6 + 10
    assert next_hours(rounds, due - 1) == due
    assert next_hours(rounds, due + 2) == due + 2
    assert next_hours(rounds, due + 5) == due + 5
    assert next_hours(rounds, due + 5.01) == due + 24


def test_after_three_missed_rounds_none_is_usual_any_more() -> None:
    rounds = refilled(*daily(6))
    third = 24 * 8 + 10
    assert next_hours(rounds, third + 5) == third + 5
    assert next_hours(rounds, third + 5.01) is None


def test_two_rounds_a_day_are_two_rounds() -> None:
    rounds = refilled(*sorted(daily(6, at=8) + daily(6, at=15)))
    assert next_hours(rounds, 24 * 5 + 16) == 24 * 6 + 8
    assert next_hours(rounds, 24 * 6 + 13.1) == 24 * 6 + 15


def test_a_round_around_midnight_is_one_round() -> None:
    rounds = refilled(23.5, 48.5, 71.5, 96.5, 119.5, 144.0)  # 23:30 0:30 23:30 0:30 23:30 0:00
    assert next_hours(rounds, 145) == 24 * 7 - 0.25
    assert len(rounds.usual) == 1


def test_refills_at_any_time_of_day_make_no_round() -> None:
    rounds = refilled(8, 24 + 11, 48 + 13.5, 72 + 16, 96 + 18.5, 120 + 9, 144 + 15)
    assert rounds.usual == []


def test_a_spread_of_two_hours_is_regular_and_more_is_not() -> None:
    spread = [10, 24 + 12, 48 + 8, 72 + 12, 96 + 8]
    assert len(refilled(*spread).usual) == 1
    assert refilled(*[h + 0.1 * (h % 24 == 12) for h in spread]).usual == []
    far = [*daily(5), 24 * 5 + 12.9]  # one of six may be farther off
    assert len(refilled(*far).usual) == 1


def test_three_of_ten_pauses_may_have_another_length() -> None:
    times = daily(14)
    assert len(refilled(*[t for k, t in enumerate(times) if k not in (3, 6, 9)]).usual) == 1
    uneven = [t for k, t in enumerate(times) if k not in (2, 4, 6, 8, 10)]
    assert refilled(*uneven).usual == []


def test_small_deliveries_and_second_loads_are_no_rounds_of_their_own() -> None:
    assert len(refilled(*daily(6), litres=100.0).refills) == 6
    assert refilled(*daily(6), litres=99.9).refills == []
    twice = refilled(*sorted(daily(6) + daily(6, at=12.9)))
    assert [round((at - T0) / HOUR % 24) for at in twice.refills] == [10] * 6
    apart = refilled(10.0, 13.0)
    assert len(apart.refills) == 2


def test_a_refill_is_noted_once_and_none_without_a_time() -> None:
    rounds = refilled(10.0)
    usual_rounds.note(rounds, T0 + 10 * HOUR, 500.0, 1000.0, "UTC")
    usual_rounds.note(rounds, None, 500.0, 1000.0, "UTC")
    usual_rounds.note(rounds, T0 + 40 * HOUR, None, 1000.0, "UTC")
    assert (rounds.refills, rounds.noted_at) == ([T0 + 10 * HOUR], T0 + 10 * HOUR)


def test_the_last_refills_are_kept() -> None:
    rounds = refilled(*daily(30))
    assert [(at - T0 - 10 * HOUR) / DAY for at in rounds.refills] == list(range(9, 30))


@pytest.mark.parametrize(("change", "before", "after"), [(1774746000, 9, 8), (1792890000, 8, 9)])
def test_a_round_keeps_its_local_time_when_the_clock_is_changed(
    change: int, before: int, after: int
) -> None:
    """10:00 in Paris: 9:00 UTC in winter, 8:00 in summer; the change is on a Sunday."""
    sunday = change - HOUR
    rounds = Rounds()
    for day in range(-6, 0):
        at = sunday + day * DAY + before * HOUR
        usual_rounds.note(rounds, at, 500.0, 1000.0, "Europe/Paris")
    due = usual_rounds.next_round(rounds, "Europe/Paris", sunday)
    assert due == sunday + after * HOUR


def missed(rounds: Rounds, now: float) -> MissedRound | None:
    return usual_rounds.missed(rounds, "UTC", T0 + now * HOUR)


def test_a_round_is_missed_five_hours_after_its_time() -> None:
    rounds = refilled(*daily(6))
    due = 24 * 6 + 10
    assert missed(rounds, due + 5) is None
    assert missed(rounds, due + 5.01) == MissedRound(T0 + due * HOUR, 6, 0)
    assert missed(rounds, due + 24) == MissedRound(T0 + due * HOUR, 6, 0)
    assert missed(rounds, due + 29.01) == MissedRound(T0 + (due + 24) * HOUR, 6, 0)
    assert missed(rounds, due + 500) == MissedRound(T0 + (due + 48) * HOUR, 6, 0)


def test_a_round_that_is_less_punctual_is_missed_later() -> None:
    rounds = refilled(8.5, 24 + 10, 48 + 11.5, 72 + 10, 96 + 8.5)  # spread 1.5 h
    due = 24 * 5 + 10
    assert missed(rounds, due + 6) is None
    assert missed(rounds, due + 6.01) == MissedRound(T0 + due * HOUR, 5, 0)


def test_rounds_missed_before_are_counted() -> None:
    times = [t for k, t in enumerate(daily(12)) if k not in (3, 7, 8)]
    found = missed(refilled(*times), 24 * 12 + 16)
    assert found == MissedRound(T0 + (24 * 12 + 10) * HOUR, 9, 3)


def test_any_refill_since_makes_up_for_a_round() -> None:
    times = daily(6)
    due = 24 * 6 + 10
    assert missed(refilled(*times, due - 5.01), due + 6)
    assert missed(refilled(*times, due - 4.99), due + 6) is None
    assert missed(refilled(*times, due + 5.5), due + 6) is None


def test_without_usual_rounds_none_is_missed() -> None:
    assert missed(Rounds(), 1000) is None
    assert missed(refilled(*daily(4)), 200) is None
