"""The rate limiter by its figures: the burst, the refill, the average of the others, the undo."""

from copy import deepcopy
from functools import cache

import pytest

from gateway.domain.rate_limit import BURST, DAY_BYTES, FAIR, PER_S, WINDOW_S, RateLimiter

T = 1_795_212_000.0


def spend(limiter: RateLimiter, device: str, times: int, now: float) -> None:
    for _ in range(times):
        limiter.spend(device, now)


def left(limiter: RateLimiter, device: str, now: float) -> int:
    """How many messages of ``device`` pass at ``now``; they are spent."""
    count = 0
    while not limiter.floods(device, now):
        limiter.spend(device, now)
        count += 1
    return count


def emptied(now: float = T) -> RateLimiter:
    """A limiter whose device ``a`` has spent its burst at ``now``."""
    return deepcopy(_emptied(now))


@cache
def _emptied(now: float) -> RateLimiter:
    limiter = RateLimiter()
    spend(limiter, "a", BURST, now)
    limiter.settle()
    return limiter


def test_the_limits_are_those_of_the_largest_backlog_and_of_recovery() -> None:
    # A full ring has 9,072 readings; a third of the burst.
    assert (BURST, PER_S, FAIR, WINDOW_S) == (30_000, 10.0, 4.0, 10.0)


def test_exactly_the_burst_passes_at_once() -> None:
    limiter = RateLimiter()
    assert not limiter.floods("a", T)
    assert left(limiter, "a", T) == 30_000
    assert left(limiter, "a", T) == 0


def test_the_last_message_passes_where_a_whole_one_is_left() -> None:
    limiter = RateLimiter()
    spend(limiter, "a", BURST - 1, T)
    assert not limiter.floods("a", T)
    limiter.spend("a", T)
    assert limiter.floods("a", T)


@pytest.mark.parametrize(("later", "passes"), [(0.05, 0), (0.1, 1), (0.25, 2), (1.0, 10)])
def test_an_empty_bucket_regains_ten_messages_a_second(later: float, passes: int) -> None:
    limiter = emptied(0.0)
    assert left(limiter, "a", later) == passes


def test_parts_of_a_message_add_up_and_no_second_counts_twice() -> None:
    limiter = emptied(0.0)
    for part in (1, 2, 3):
        assert limiter.floods("a", part / 32)
    assert left(limiter, "a", 0.125) == 1
    assert left(limiter, "a", 1.125) == 10
    assert left(limiter, "a", 1.125) == 0


def test_a_bucket_never_has_more_than_the_burst() -> None:
    limiter = emptied()
    assert left(limiter, "a", T + 2 * BURST / PER_S) == BURST
    limiter = emptied()
    assert left(limiter, "a", T + BURST / PER_S - 1) == BURST - 10


def test_a_clock_stepped_back_refills_nothing_and_counts_on_from_there() -> None:
    limiter = emptied()
    assert left(limiter, "a", T - 3600) == 0
    assert left(limiter, "a", T - 3599) == 10


def rate(limiter: RateLimiter, at: float, since_s: float) -> float:
    """How many messages a second ``a`` regained in ``since_s`` until ``at`` seconds after T."""
    return left(limiter, "a", T + at) / since_s


def neighbours(others: int, each: int) -> RateLimiter:
    """A window, begun at T, in which ``a`` spent its burst and each neighbour so many."""
    limiter = emptied()
    for number in range(others):
        spend(limiter, f"n{number}", each, T)
    return limiter


@pytest.mark.parametrize(
    ("others", "each", "per_s"),
    [(1, 10, 10), (1, 25, 10), (1, 30, 12), (1, 50, 20), (3, 50, 20), (3, 100, 40)],
)
def test_in_the_next_window_a_device_may_send_four_times_the_others_average(
    others: int, each: int, per_s: float
) -> None:
    limiter = neighbours(others, each)
    limiter.spend("n0", T + 10)
    assert rate(limiter, 10, 10) == per_s


def test_only_a_whole_window_counts() -> None:
    limiter = neighbours(1, 50)
    limiter.spend("n0", T + 9.5)
    assert rate(limiter, 9.5, 9.5) == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize(("at", "per_s"), [(19.5, 20), (20.0, 10), (35.0, 10)])
def test_a_window_long_past_counts_for_nothing(at: float, per_s: float) -> None:
    limiter = neighbours(1, 50)
    limiter.spend("n0", T + at)
    assert rate(limiter, at, at) == per_s


def test_a_clock_stepped_back_begins_a_window() -> None:
    limiter = neighbours(1, 50)
    limiter.spend("n0", T - 1)
    assert rate(limiter, 1, 1) == 20


def test_a_device_alone_in_its_window_regains_the_least() -> None:
    limiter = emptied()
    limiter.spend("b", T + 10)
    assert rate(limiter, 10, 10) == 10


def test_a_device_that_was_quiet_is_compared_with_all_the_others() -> None:
    limiter = emptied()
    spend(limiter, "b", 50, T + 10)
    spend(limiter, "c", 150, T + 10)
    limiter.spend("b", T + 20)
    assert rate(limiter, 20, 20) == 4 * 100 / 10


# What a batch spent is returned where the disk refuses it


def test_what_was_not_saved_is_returned_once() -> None:
    limiter = RateLimiter()
    spend(limiter, "a", BURST, T)
    assert limiter.floods("a", T)
    limiter.undo()
    limiter.undo()
    assert left(limiter, "a", T) == BURST


def test_what_was_saved_is_not_returned() -> None:
    limiter = RateLimiter()
    spend(limiter, "a", BURST - 7, T)
    limiter.settle()
    spend(limiter, "a", 5, T)
    limiter.undo()
    assert left(limiter, "a", T) == 7


def test_an_undo_returns_a_message_to_the_bucket_of_its_device() -> None:
    limiter = RateLimiter()
    spend(limiter, "a", BURST, T)
    limiter.settle()
    limiter.spend("b", T)
    limiter.undo()
    assert (left(limiter, "a", T), left(limiter, "b", T)) == (0, BURST)


def test_a_device_has_so_many_bytes_a_day() -> None:
    limiter = RateLimiter()
    size, sent, now = 8_000, 0, T
    while not limiter.floods("a", now):
        limiter.spend("a", now, size)
        sent += size
        now += 0.1  # within its rate of messages
    passed_s = now - T
    assert DAY_BYTES <= sent <= DAY_BYTES + passed_s * DAY_BYTES / 86_400 + size
    assert not limiter.floods("b", now)
    assert limiter.floods("a", now + 1) and not limiter.floods("a", now + 60)
    for _ in range(100):
        if not limiter.floods("a", now + 60):
            limiter.spend("a", now + 60, size)
    assert limiter.floods("a", now + 60)


def test_bytes_of_a_batch_that_failed_are_given_back() -> None:
    limiter = RateLimiter()
    limiter.spend("a", T, DAY_BYTES - 10)
    limiter.settle()
    limiter.spend("a", T, 10)
    assert limiter.floods("a", T)
    limiter.undo()
    assert not limiter.floods("a", T)
