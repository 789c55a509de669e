"""How long a worker waits for what is due."""

import pytest

from gateway.runtime.clock import Clock


@pytest.mark.parametrize(
    ("due", "wait_s"), [(None, 5.0), (1.0e12, 5.0), (0.0, 0.0), (-1.0e12, 0.0)]
)
def test_a_wait_ends_when_something_is_due_or_after_the_longest(
    due: float | None, wait_s: float
) -> None:
    assert Clock().wait_s(due, 5.0) == wait_s


def test_a_fast_clock_waits_less() -> None:
    fast = Clock(speed=100.0)
    assert fast.wait_s(fast.now() + 200.0, 5.0) == pytest.approx(2.0, abs=0.5)
