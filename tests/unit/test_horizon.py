"""The horizon of several gateways, and the times when none of them listened."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.horizon import HOLD_S, GatewayMark, Horizon, HorizonStep

T = 1_795_212_000.0


def horizon(at: float = T, listening: bool = True) -> Horizon:
    return Horizon(at, listening)


def look(h: Horizon, now: float, **members: GatewayMark) -> HorizonStep | None:
    return h.look(members, now, now - T)


def test_it_moves_to_the_slowest_gateway() -> None:
    h = horizon()
    moved = look(h, T + 3, a=GatewayMark(T + 3, T - 9), b=GatewayMark(T + 1, T - 9))
    assert moved == HorizonStep(T + 1)
    assert look(h, T + 3.1, a=GatewayMark(T + 3.1, T - 9), b=GatewayMark(T + 1, T - 9)) is None


def test_a_gateway_without_progress_delays_it_for_some_seconds() -> None:
    h = horizon()
    dead = GatewayMark(T + 1, T - 9)
    look(h, T + 1, a=GatewayMark(T + 1, T - 9), b=dead)
    for s in range(2, int(HOLD_S) + 1):
        assert look(h, T + s, a=GatewayMark(T + s, T - 9), b=dead) is None
    late = T + HOLD_S + 1.5
    assert look(h, late, a=GatewayMark(late, T - 9), b=dead) == HorizonStep(late)


def test_it_counts_as_listening_while_any_gateway_listens() -> None:
    h = horizon()
    look(h, T + 1, a=GatewayMark(T + 1, T - 9), b=GatewayMark(T + 1, None))
    assert look(h, T + 60, a=GatewayMark(T + 60, T - 9)) == HorizonStep(T + 60)


def test_a_time_when_no_gateway_listened_has_its_begin_and_end() -> None:
    moved = horizon().look({"a": GatewayMark(T + 100, T + 80)}, T + 100, 0.0)
    assert moved == HorizonStep(T + 100, ((T, False), (T + 80, True)))


def test_a_dead_gateways_listening_counts_up_to_its_end() -> None:
    h = horizon()
    dead = GatewayMark(T + 30, T - 5)
    h.look({"a": GatewayMark(T, None), "b": dead}, T, 0.0)
    h.look({"a": GatewayMark(T + 1, None), "b": dead}, T + 1, 1.0)
    steps = [
        h.look({"a": GatewayMark(T + s, T + 50 if s >= 50 else None), "b": dead}, T + s, float(s))
        for s in range(2, 70)
    ]
    switches = [switch for step in steps if step for switch in step.switches]
    assert switches == [(T + 30, False), (T + 50, True)]


def test_a_step_ahead_of_our_clock_is_a_time_without_listening() -> None:
    h = horizon()
    h.look({"a": GatewayMark(T + 1, T - 9)}, T + 1, 1.0)
    moved = h.look({"a": GatewayMark(T + 3602, T - 9)}, T + 3602, 2.0)
    assert moved == HorizonStep(T + 3602, ((T + 1, False),))
    moved = h.look({"a": GatewayMark(T + 3603, T - 9)}, T + 3603, 3.0)
    assert moved == HorizonStep(T + 3603, ((T + 3602, True),))


def test_a_step_back_of_our_clock_is_reported() -> None:
    h = horizon()
    assert h.look({"a": GatewayMark(T - 3600, T - 3700)}, T - 3600, 1.0) == HorizonStep(
        T - 3600, (), -3600
    )


def test_a_gateway_with_a_wrong_clock_does_not_delay_the_others() -> None:
    h = horizon()
    moved = look(h, T + 9, a=GatewayMark(T + 9, T - 9), b=GatewayMark(T - 3600, T - 3700))
    assert moved == HorizonStep(T + 9)


def test_a_backlog_after_the_database_was_away_is_waited_for() -> None:
    h = horizon()
    slow = [GatewayMark(T + 10.0 * s, T - 9, waiting=True) for s in range(1, 50)]
    at = [look(h, T + 600 + s, a=GatewayMark(T + 600 + s, T - 9), b=b) for s, b in enumerate(slow)]
    assert [step.at for step in at if step] == [b.until for b in slow]
    assert all(step is None or not step.switches for step in at)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0.01, 4.0), st.booleans()), min_size=1, max_size=60
    )
)
def test_it_never_moves_back_and_its_switches_alternate(
    beats: list[tuple[int, float, bool]],
) -> None:
    h = Horizon(None, False)
    members = {0: GatewayMark(T, None), 1: GatewayMark(T, None)}
    now, switches, reached = T, list[tuple[float, bool]](), T
    for which, pause, listens in beats:
        now += pause
        since = members[which].since if listens else None
        members[which] = GatewayMark(now, (now if since is None else since) if listens else None)
        step = h.look({str(n): m for n, m in members.items()}, now, now - T)
        if step is not None:
            assert reached <= step.at <= now
            reached = step.at
            switches += step.switches
    assert [listening for _, listening in switches] == [n % 2 == 0 for n in range(len(switches))]
    assert [at for at, _ in switches] == sorted(at for at, _ in switches)
