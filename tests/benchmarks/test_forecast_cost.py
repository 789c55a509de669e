"""What the hourly work of one tank costs: learn the hour, check for leaks, forecast.

CPU seconds, beside a loop of plain Python in the same run, so that a busy machine matters little.
"""

import time
from collections.abc import Callable

import pytest

from gateway.domain.watch.rules import hours
from tests.benchmarks.figures import put
from tests.stories.camp import a_month

pytestmark = pytest.mark.benchmark

HOURS = 2000
MOST_LOOPS = 3.0
"""A step takes about 55 us where the loop takes 35 us; in version 0.2.0 it took 430 us."""


def test_an_hour_of_a_tank_costs_no_more_than_a_short_loop() -> None:
    context = a_month(3, days=10).story.watch._context
    tank = context.tank("north-1")
    start = context.now // 3600 * 3600

    def live() -> None:
        nonlocal start
        for _ in range(HOURS):
            start += 3600
            context.now = tank.level.received = tank.level.at = start
            tank.flow.drawn_l += 20
            hours.close_hour(context, tank)
            context.outputs.clear()

    step, loop = _cost(live), _cost(_loops)
    put("hourly work of a tank", f"{step * 1e6:.0f} us", f"a loop: {loop * 1e6:.0f} us")
    assert step < MOST_LOOPS * loop


def _loops() -> None:
    for _ in range(HOURS):
        total = 0.0
        for k in range(1000):
            total += k * 0.5


def _cost(work: Callable[[], None]) -> float:
    """CPU seconds of one of ``HOURS`` rounds, the least of five."""
    found: list[float] = []
    for _ in range(5):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) / HOURS)
    return min(found)
