"""Each rule of the horizon by its figures: which gateway delays it, and when anybody listened."""

import pytest

from gateway.domain.horizon import HOLD_S, SKEW_S, STEP_S, GatewayMark, Horizon

T = 1_795_212_000.0


def mark(until: float, since: float | None = -9.0, *, waiting: bool = False) -> GatewayMark:
    """Times in seconds after T."""
    return GatewayMark(T + until, None if since is None else T + since, waiting)


def look(h: Horizon, at: float, *members: GatewayMark, steady: float | None = None) -> object:
    names = (f"g{n}" for n in range(len(members)))
    step = h.look(dict(zip(names, members, strict=True)), T + at, at if steady is None else steady)
    if step is None:
        return None
    return (step.at - T, tuple((at - T, on) for at, on in step.switches), step.back_s)


def moved(at: float, *switches: tuple[float, bool], back_s: float = 0.0) -> object:
    return (at, switches, back_s)


def test_the_limits_are_five_seconds_a_minute_and_five_seconds() -> None:
    assert (HOLD_S, SKEW_S, STEP_S) == (5.0, 60.0, 5.0)


def test_without_a_member_nothing_moves() -> None:
    h = Horizon(T, True)
    assert look(h, 1) is None
    assert (h.at, h.listening) == (T, True)


@pytest.mark.parametrize(
    ("since", "until", "listens"), [(0.0, 5.0, True), (5.0, 5.0, True), (6.0, 5.0, False)]
)
def test_the_first_horizon_listens_where_a_member_listened_by_then(
    since: float, until: float, listens: bool
) -> None:
    h = Horizon(None, False)
    expected = moved(5, (5, True)) if listens else moved(5)
    assert look(h, 6, mark(until, since), mark(9, None)) == expected
    assert (h.at, h.listening) == (T + 5, listens)


def test_the_first_horizon_without_a_listener_keeps_what_was_saved() -> None:
    for listening in (False, True):
        h = Horizon(None, listening)
        assert look(h, 5, mark(5, None)) == moved(5)
        assert h.listening is listening


def test_a_horizon_that_was_reached_does_not_move() -> None:
    h = Horizon(T, True)
    assert look(h, 1, mark(0)) is None
    assert look(h, 2, mark(-1)) is None
    assert look(h, 3, mark(0.5)) == moved(0.5)


@pytest.mark.parametrize(("steady", "delays"), [(4.9, True), (5.0, False), (6.0, False)])
def test_a_member_without_progress_delays_for_less_than_five_seconds(
    steady: float, delays: bool
) -> None:
    h = Horizon(T, True)
    look(h, 0, mark(0.0), mark(0.0))
    look(h, 2, mark(2), mark(0), steady=2.0)
    found = look(h, steady, mark(steady), mark(0), steady=steady)
    assert found == (None if delays else moved(steady))


def test_progress_begins_the_delay_again() -> None:
    h = Horizon(T, True)
    for at in range(5):
        look(h, at, mark(at), mark(0))
    assert look(h, 4.5, mark(4.5), mark(0.5)) == moved(0.5)
    assert look(h, 9, mark(9), mark(0.5)) is None
    assert look(h, 9.5, mark(9.5), mark(0.5)) == moved(9.5)


@pytest.mark.parametrize(
    ("until", "waiting", "delays"),
    [(-59.5, False, True), (-60.0, False, True), (-60.5, False, False), (-99.0, True, True)],
)
def test_a_clock_more_than_a_minute_behind_delays_nothing_unless_entries_wait(
    until: float, waiting: bool, delays: bool
) -> None:
    h = Horizon(T - 200, True)
    found = look(h, 0, mark(0, -300), mark(until, -300, waiting=waiting))
    assert found == moved(until if delays else 0)


def test_a_member_without_an_end_sets_no_limit() -> None:
    h = Horizon(T, True)
    assert h.look({"a": GatewayMark(float("inf"), T)}, T + 1, 1.0) is None


@pytest.mark.parametrize(
    ("gap", "delays"), [(5.0, False), (5.5, True)], ids=["looked on", "was away"]
)
def test_after_a_pause_of_more_than_five_seconds_progress_begins_again(
    gap: float, delays: bool
) -> None:
    h = Horizon(T, True)
    look(h, 0, mark(0), mark(0))
    found = look(h, gap, mark(gap), mark(0))
    assert found == (None if delays else moved(gap))


@pytest.mark.parametrize(
    ("now", "found"), [(-59.0, None), (-60.0, None), (-60.5, moved(-60.5, back_s=-60.5))]
)
def test_a_clock_stepped_back_by_more_than_a_minute_moves_the_horizon_back(
    now: float, found: object
) -> None:
    h = Horizon(T, True)
    assert look(h, now, mark(now, -99), steady=1.0) == found
    assert h.listening


@pytest.mark.parametrize(
    ("now", "skipped"), [(6.0, False), (6.5, True)], ids=["5 s more", "over 5 s more"]
)
def test_time_that_our_clock_gained_on_the_steady_one_was_not_listened_to(
    now: float, skipped: bool
) -> None:
    h = Horizon(T, True)
    look(h, 0, mark(0))
    found = look(h, now, mark(now), steady=1.0)
    assert found == (moved(now, (0, False)) if skipped else moved(now))


def test_a_skipped_time_is_forgotten_once_the_horizon_has_passed_it() -> None:
    h = Horizon(T, True)
    look(h, 1, mark(1), steady=1.0)
    look(h, 101, mark(51), steady=2.0)  # skipped: 1 to 101
    assert look(h, 102, mark(102), steady=3.0) == moved(102, (101, True))
    assert look(h, 103, mark(103), steady=4.0) == moved(103)


def test_at_another_speed_limits_grow_with_it() -> None:
    h = Horizon(T, True, speed=100.0)
    look(h, 0, mark(0), steady=0.0)
    assert look(h, 600, mark(600), steady=1.0) == moved(600)
    assert look(h, 1201, mark(1201), steady=2.0) == moved(1201, (600, False))
    fast = Horizon(T, True, speed=100.0)
    assert look(fast, -6000, mark(-6000, -9000), steady=1.0) is None
    assert look(fast, -6001, mark(-6001, -9000), steady=2.0) == moved(-6001, back_s=-6001.0)
    slow = Horizon(T - 9000, True, speed=100.0)
    assert look(slow, 0, mark(0, -9999), mark(-6000, -9999)) == moved(-6000)
    slow = Horizon(T - 9000, True, speed=100.0)
    assert look(slow, 0, mark(0, -9999), mark(-6001, -9999)) == moved(0)


@pytest.mark.parametrize(
    ("listening", "members", "switches"),
    [
        (True, [mark(100)], []),
        (False, [mark(100)], [(0, True)]),
        (True, [mark(100, 0)], []),
        (True, [mark(100, 20)], [(0, False), (20, True)]),
        (False, [mark(100, 20)], [(20, True)]),
        (True, [mark(100, None)], [(0, False)]),
        (False, [mark(100, None)], []),
        (True, [mark(100, 100)], [(0, False)]),
        # Members together: one listener is enough.
        (True, [mark(100, 40), mark(100, 20)], [(0, False), (20, True)]),
        (True, [mark(100, None), mark(100, 20)], [(0, False), (20, True)]),
        (True, [mark(100, 150), mark(100, -1)], []),
    ],
)
def test_switches_are_the_times_at_which_listening_ended_and_began(
    listening: bool, members: list[GatewayMark], switches: list[tuple[float, bool]]
) -> None:
    h = Horizon(T, listening)
    assert look(h, 100, *members) == moved(100, *switches)
    assert h.listening == (switches[-1][1] if switches else listening)


@pytest.mark.parametrize(
    ("dead", "alive_since", "switches"),
    [
        ((-9, 30), 50, [(30, False), (50, True)]),
        ((-9, 50), 50, []),  # adjoining
        ((-9, 60), 50, []),  # overlapping
        ((10, 30), 50, [(0, False), (10, True), (30, False), (50, True)]),
        ((10, 95), 50, [(0, False), (10, True)]),
        ((-50, -10), 50, [(0, False), (50, True)]),
        ((-9, 30), None, [(30, False)]),
        ((30, 30), 50, [(0, False), (50, True)]),
    ],
)
def test_the_spells_of_a_dead_gateway_count_for_their_time(
    dead: tuple[float, float], alive_since: float | None, switches: list[tuple[float, bool]]
) -> None:
    h = Horizon(T, True)
    was = mark(dead[1], dead[0])  # more than a minute behind: delays nothing
    assert look(h, 200, mark(200, alive_since), was) == moved(200, *switches)


def test_spells_of_several_gateways_join_only_where_they_meet() -> None:
    h = Horizon(T, True)
    found = look(h, 200, mark(10, 0), mark(30, 20), mark(200, 25))
    assert found == moved(200, (10, False), (20, True))


def test_time_before_a_skip_was_listened_to() -> None:
    h = Horizon(T, True)
    assert look(h, 1, mark(0), steady=1.0) is None
    assert look(h, 101, mark(51), steady=2.0) == moved(51, (1, False))
