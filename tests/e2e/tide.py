"""Tanks that run low and are refilled, again and again: the same story at every run.

While a program is dead the levels do not change, and every state lasts for seconds while all
live: so no decision depends on the second in which a program was dead, or on a slow machine.
"""

import contextlib
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator

from tests.wire_node.node import Lost, Node
from tests.wire_node.sealed import Sealed, drawn

SPEED = 120.0
"""Story seconds in a real one."""

# (real seconds into the cycle, litres): straight lines between; the refill is a jump. The falls
# are people drawing water: at most a quarter of what the taps would let through.
_CYCLE = ((0.0, 800.0), (7.0, 800.0), (16.0, 230.0), (24.0, 230.0), (28.0, 90.0), (36.0, 90.0))
CYCLE_S = 36.0
TAPS = 12


def litres_at(real_s: float) -> float:
    """The level so many real seconds into the story."""
    at = real_s % CYCLE_S
    for (start, before), (end, after) in itertools.pairwise(_CYCLE):
        if at < end:
            return before + (after - before) * (at - start) / (end - start)
    return _CYCLE[-1][1]


class Tide:
    """How far the story is, in real seconds during which everybody lived."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self._lock = threading.Lock()
        self._held_s = 0.0
        self._held_at: float | None = None

    @property
    def real_s(self) -> float:
        """Seconds into the story."""
        with self._lock:
            at = time.time() if self._held_at is None else self._held_at
            return at - self.begun - self._held_s

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The levels do not change."""
        with self._lock:
            self._held_at = began = time.time()
        yield
        with self._lock:
            self._held_at = None
            self._held_s += time.time() - began


class Sender:
    """One node at one tank, on a thread of its own, that follows WIRE.md through every outage."""

    def __init__(self, number: int, port: int, tide: Tide) -> None:
        self.tank = f"tank-{number}"
        self.node = Node(drawn(7), secrets.token_bytes(32), port, "any")
        self.made: list[tuple[float, Sealed]] = []  # (story time of sealing, message)
        self._tide, self._begun = tide, tide.begun
        self._offset_s = 5.0 * number
        self.finishing = threading.Event()
        self.failed: BaseException | None = None
        self.thread = threading.Thread(target=self._live, name=self.tank)
        self._seal, self.node.ring.seal = self.node.ring.seal, self._sealed  # type: ignore[method-assign]

    def now(self) -> float:
        """Story time, Unix s."""
        return self._begun + (time.time() - self._begun) * SPEED

    def _sealed(self, t: float, **more: object) -> Sealed:
        ring = self.node.ring
        level = litres_at(self._tide.real_s + self._offset_s)
        mm = round(1100 - level / 1.0716) + (0, 1, -1, 0, 1)[ring.seq % 5]
        reading = {"o": 0, "mm": mm, "sp": 3, "n": 7, "of": 7, "tc": 150}
        message = self._seal(t, up=int(t - self._begun) + 60, next=86400, r=[reading], **more)
        self.made.append((t, message))
        return message

    def _live(self) -> None:
        try:
            while not (self.finishing.is_set() and self.node.unacked == 0):
                burst = 1 if self.finishing.is_set() else secrets.randbelow(12) + 2
                try:
                    self.node.connection(burst, self.now, pace_s=0.03, wait_s=1.0)
                    if secrets.randbelow(8) == 0:
                        self.node.ring.reboot()
                except Lost:
                    time.sleep(0.1)
        except BaseException as error:
            self.failed = error
            raise


def registry(senders: list[Sender]) -> str:
    """One tank and one device for each."""
    rows = ['[[site]]\nid = "north"\n']
    for sender in senders:
        ring = sender.node.ring
        rows.append(
            f'[[tank]]\nid = "{sender.tank}"\nsite = "north"\nshape = "ibc1000"\n'
            f"sensor_height_mm = 1100\nempty_l = 20\ntaps = {TAPS}\n"
            f'[[device]]\nid = "{ring.device}"\n'
            f'tank = "{sender.tank}"\nkey = "{ring.key.hex()}"\n'
        )
    return "".join(rows)


def finish(senders: list[Sender], timeout_s: float, waiting: Callable[[], str]) -> None:
    """No more bursts; return when an ack covers every node's last message."""
    for sender in senders:
        sender.finishing.set()
    deadline = time.monotonic() + timeout_s
    for sender in senders:
        sender.thread.join(max(0.1, deadline - time.monotonic()))
    assert [t.failed for t in senders] == [None] * len(senders)
    assert [t.node.unacked for t in senders] == [0] * len(senders), waiting()
