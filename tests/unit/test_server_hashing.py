"""Passwords are hashed two at once; others wait in a short queue, or are told to come back."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.accounts.hashing import AT_ONCE, WAITING, Busy, Hashing
from tests.parts.services import until


@pytest.fixture
def hashing() -> Iterator[Hashing]:
    made = Hashing()
    yield made
    made.close()


class Gate:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.running = self.most = self.admitted = 0
        self._lock = threading.Lock()

    def work(self) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.let_go.wait(10)
        with self._lock:
            self.running -= 1
        return "done"

    def admit(self) -> None:
        with self._lock:
            self.admitted += 1


def test_two_run_eight_wait_and_the_next_is_refused_before_it_counts(hashing: Hashing) -> None:
    gate = Gate()
    with ThreadPoolExecutor(20) as callers:
        calls = [callers.submit(hashing.run, gate.work, gate.admit) for _ in range(10)]
        until(lambda: (gate.running, gate.admitted) == (AT_ONCE, AT_ONCE + WAITING))
        with pytest.raises(Busy):
            hashing.run(gate.work, gate.admit)
        assert (gate.running, gate.admitted) == (2, 10)
        calls += [callers.submit(hashing.run, gate.work, gate.admit, known=True) for _ in range(4)]
        until(lambda: gate.admitted == 14)
        with pytest.raises(Busy):
            hashing.run(gate.work, gate.admit, known=True)
        gate.let_go.set()
        assert [call.result() for call in calls] == ["done"] * 14
    assert gate.most == 2
    assert hashing.run(lambda: 7) == 7


def test_a_place_is_given_back_after_an_error(hashing: Hashing) -> None:
    def fail() -> None:
        raise ValueError("x")

    for _ in range(30):
        with pytest.raises(ValueError, match="x"):
            hashing.run(fail)
        with pytest.raises(ValueError, match="x"):
            hashing.run(lambda: 1, fail)
    assert hashing.run(lambda: 1) == 1
