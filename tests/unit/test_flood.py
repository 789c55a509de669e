"""The rate limit: a backlog passes, a device far above the others does not."""

from gateway.domain.rate_limit import BURST, FAIR, PER_S, RateLimiter

T0 = 1795212000.0


def taken(flood: RateLimiter, device: str, times: int, now: float, step_s: float = 0.0) -> int:
    """How many of so many new messages are taken."""
    count = 0
    for n in range(times):
        if not flood.floods(device, now + n * step_s):
            flood.spend(device, now + n * step_s)
            count += 1
    flood.settle()
    return count


def test_sixty_three_days_of_readings_at_once_are_no_flood() -> None:
    assert taken(RateLimiter(), "a", 63 * 144, T0) == 63 * 144


def test_a_device_that_invents_a_thousand_a_second_is_dropped_down_to_a_trickle() -> None:
    flood = RateLimiter()
    hundred_s = taken(flood, "a", 100_000, T0, 0.001)
    assert BURST <= hundred_s <= BURST + 100 * PER_S + 1
    assert taken(flood, "a", 10_000, T0 + 100, 0.001) <= 10 * PER_S + 1


def test_others_are_taken_while_one_floods() -> None:
    flood = RateLimiter()
    taken(flood, "a", BURST + 1, T0)
    assert flood.floods("a", T0)
    assert taken(flood, "b", 500, T0) == 500


def test_where_all_are_as_busy_nobody_floods() -> None:
    flood = RateLimiter()
    for second in range(40):  # more than a burst each
        for device in "abc":
            assert taken(flood, device, 1000, T0 + second, 0.001) == 1000


def test_one_that_sends_far_more_than_its_busy_neighbours_floods() -> None:
    flood = RateLimiter()
    dropped = 0
    for second in range(30):  # twice the burst
        for device in "bcde":
            assert taken(flood, device, 20, T0 + second, 0.05) == 20
        dropped += 2000 - taken(flood, "a", 2000, T0 + second, 0.0005)
    assert dropped >= 30 * 2000 - BURST - 30 * FAIR * 20 - 100


def test_a_minute_of_quiet_refills_a_minutes_worth() -> None:
    flood = RateLimiter()
    taken(flood, "a", BURST, T0)
    assert flood.floods("a", T0)
    assert taken(flood, "a", 10_000, T0 + 60) == 60 * PER_S


def test_a_clock_stepped_back_changes_no_bucket() -> None:
    flood = RateLimiter()
    taken(flood, "a", BURST, T0)
    assert flood.floods("a", T0 - 86400)
    assert not flood.floods("a", T0 - 86400 + 1)


def test_undo_returns_what_was_spent() -> None:
    flood = RateLimiter()
    for _ in range(3):  # the disk is full: the same batch again and again
        for _ in range(BURST):
            flood.spend("a", T0)
        assert flood.floods("a", T0)
        flood.undo()
        assert not flood.floods("a", T0)
