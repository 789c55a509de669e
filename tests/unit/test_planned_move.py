"""The planned move that is sent to a device: the one in progress, or the next."""

from gateway.devices.planned_moves import next_move
from gateway.domain.registry import Plan, PlanKind

NOW = 1_795_212_000


def _plan(start: float, end: float, kind: PlanKind = "move", cancelled: bool = False) -> Plan:
    return Plan("north-1", NOW + start, NOW + end, kind, cancelled)


def _next(*plans: Plan) -> tuple[int, int] | None:
    move = next_move(plans, NOW)
    return None if move is None else (move[0] - NOW, move[1] - NOW)


def test_the_move_in_progress_precedes_the_next_one() -> None:
    later = _plan(7200, 9000)
    assert _next(later, _plan(-60, 600), _plan(-900, -300)) == (-60, 600)
    assert _next(later) == (7200, 9000)


def test_only_moves_that_are_neither_over_nor_cancelled_count() -> None:
    over, cleaning = _plan(-900, 0), _plan(0, 900, "cleaning")
    assert _next(over, cleaning, _plan(60, 900, cancelled=True)) is None
    assert _next() is None


def test_adjacent_and_overlapping_moves_are_one() -> None:
    assert _next(_plan(60, 900), _plan(900, 1200), _plan(300, 600)) == (60, 1200)
    assert _next(_plan(60, 900), _plan(901, 1200)) == (60, 900)


def test_a_window_is_in_whole_seconds_within_the_range_that_a_node_accepts() -> None:
    assert _next(_plan(60.5, 900.5)) == (60, 901)
    for start, end in ((0.0, 9e9), (0.0, NOW + 60.0)):
        move = next_move([Plan("north-1", start, end, "move")], NOW)
        assert move == (1_767_225_600, min(end, 4_102_444_799))
    assert next_move([Plan("north-1", 4.2e9, 4.3e9, "move")], NOW) is None
