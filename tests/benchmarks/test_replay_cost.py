"""What a reading costs in ``noria replay --trust``, CPU, and where it goes.

Each part is compared with what the same bytes cost to decode as plain JSON, in the same run: a
machine that is busy or slow changes both. A profile goes to ``build/benchmarks/replay.txt``.
"""

import cProfile
import io
import json
import pstats
import time
from collections.abc import Callable

import msgspec
import pytest

from gateway.domain.registry import Registry
from gateway.projections.replay import Replay
from tests.benchmarks import figures
from tests.benchmarks.fleet import registry_of
from tests.wire_node.sealed import Ring, drawn

TANKS, DAYS, EVERY_S = 20, 10, 600


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("readings", "most"), [(1, 80.0), (6, 160.0)])
def test_cost_of_a_reading_in_replay(readings: int, most: float) -> None:
    """``most``: so many times what decoding its line and its message as JSON costs."""
    rings = [Ring(drawn(8), n.to_bytes(32, "big")) for n in range(1, TANKS + 1)]
    registry, lines = registry_of(rings), _lines(rings, readings)
    count = len(lines) * readings
    floor_s = _spent_s(lambda: _decode_only(lines))
    spent_s = _spent_s(lambda: _replay(registry, lines))
    figures.put(
        f"noria replay, {readings} a message", f"{spent_s / count * 1e6:.1f} us of CPU a reading",
        f"{spent_s / floor_s:.0f} times its JSON alone",
    )  # fmt: skip
    _profile(registry, lines)
    assert spent_s / floor_s <= most


def _lines(rings: list[Ring], readings: int) -> list[bytes]:
    """People draw 250 L by day, and a bowser fills the tank up at 06:00."""
    begin, lines = 1_795_212_000, list[bytes]()
    for at in range(begin, begin + DAYS * 86_400, EVERY_S * readings):
        for n, ring in enumerate(rings):
            burst = [_reading(at - k * EVERY_S, k * EVERY_S, n) for k in reversed(range(readings))]
            message = ring.seal(at, up=at - begin + 9000, next=EVERY_S * readings, r=burst)
            ring.sealed.clear()
            line = {"received": at + 1, "topic": ring.topic, "payload": ring.payload(message)}
            lines.append(json.dumps(line).encode())
    return lines


def _reading(at: int, age_s: int, tank: int) -> dict[str, int]:
    hour = (at % 86_400) / 3600
    drawn_l = 250 * min(max((hour - 7) / 13, 0.0), 1.0) if hour >= 6 else 250.0
    noise_mm = (at // EVERY_S * 7 + tank * 5) % 11 - 5
    mm = 200 + round(drawn_l / 1.0716) + noise_mm
    return {"o": age_s, "mm": mm, "sp": 4 + at // EVERY_S % 3, "n": 7, "of": 7, "tc": 112}


def _spent_s(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def _decode_only(lines: list[bytes]) -> None:
    for line in lines:
        msgspec.json.decode(msgspec.json.decode(line)["payload"].partition("\n")[0])


def _replay(registry: Registry, lines: list[bytes]) -> int:
    run = Replay(registry, trust=True)
    return sum(len(msgspec.json.encode(row)) for row in run.rows(lines))


def _profile(registry: Registry, lines: list[bytes]) -> None:
    profile, out = cProfile.Profile(), io.StringIO()
    profile.runcall(_replay, registry, lines)
    pstats.Stats(profile, stream=out).strip_dirs().sort_stats("tottime").print_stats(25)
    figures.write("replay.txt", out.getvalue())
