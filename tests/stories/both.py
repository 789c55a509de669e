"""One gateway and a cluster of two receive the same stories; their alerts are compared."""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.parts.mosquitto_service import mosquitto
from tests.parts.postgresql_service import PostgreSQL, settings_lines
from tests.parts.services import until
from tests.stories.script import DeviceStory
from tests.stories.world import Alert, Kill, World, clock_at, play

START = 1_795_212_000.0
_BEFORE_S = float(os.environ.get("NORIA_STORIES_BEFORE_S", "12"))
"""Real seconds for two worlds to start."""
_SETTLE_S = 2.0
"""Real seconds after the last wake; later decisions belong to no story."""


@dataclass(frozen=True)
class Compared:
    """The alerts of both worlds during the stories, matched one to one."""

    alerts: int
    incidents: int
    unmatched: tuple[str, ...]
    apart_s: tuple[float, ...]
    """Real seconds between the two worlds' messages, for every alert, sorted."""
    acks_back: int
    messages: int


def compare(
    folder: Path,
    cluster: PostgreSQL,
    stories: Sequence[DeviceStory],
    speed: float,
    kills: Sequence[Kill] = (),
) -> Compared:
    """Play the stories to both worlds; ``kills`` are of the two gateways."""
    clock = clock_at(START - _BEFORE_S * speed, speed)
    lines = settings_lines(cluster.fresh())
    with ExitStack() as parts:
        worlds: list[World] = []
        for name, databases in (("one", [""]), ("two", [lines, lines])):
            broker = parts.enter_context(mosquitto(folder / f"{name}-broker"))
            world = World(folder / name, broker, stories, databases, clock, START)
            parts.callback(world.end)
            worlds.append(world)
        for world in worlds:
            world.begin()
        end = max(story.wakes[-1].at for story in stories)
        play(worlds, stories, clock, START, kills)
        last = START + end + _SETTLE_S * speed
        until(lambda: clock.now() >= last, 60, "the stories' end")
        for world in worlds:
            until(lambda w=world: w.has_finished_until(last), 600, "all outputs")
        return _compared(worlds, stories, end / speed)


def _compared(worlds: Sequence[World], stories: Sequence[DeviceStory], end_s: float) -> Compared:
    one, two = (w.alerts() for w in worlds)
    pairs, unmatched = _match(one, two, end_s)
    incidents = [w.incidents(end_s) for w in worlds]
    missing = [f"incident only in one: {k}" for k in (incidents[0] - incidents[1]).elements()]
    missing += [f"incident only in two: {k}" for k in (incidents[1] - incidents[0]).elements()]
    return Compared(
        alerts=len(pairs),
        incidents=incidents[0].total(),
        unmatched=(*unmatched, *missing),
        apart_s=tuple(sorted(abs(a.sent - b.sent) for a, b in pairs)),
        acks_back=sum(w.acks_back() for w in worlds),
        messages=sum(len(story.wakes) for story in stories),
    )


def _match(
    one: Sequence[Alert], two: Sequence[Alert], end_s: float
) -> tuple[list[tuple[Alert, Alert]], list[str]]:
    """Match the n-th alert of a subject and kind in one world with the n-th in the other."""
    by_name: list[dict[tuple[str, str], list[Alert]]] = []
    for alerts in (one, two):
        groups: dict[tuple[str, str], list[Alert]] = defaultdict(list)
        for alert in alerts:
            groups[alert.subject, alert.kind].append(alert)
        by_name.append(groups)
    pairs: list[tuple[Alert, Alert]] = []
    unmatched: list[str] = []
    for key in sorted(by_name[0].keys() | by_name[1].keys()):
        a, b = by_name[0][key], by_name[1][key]
        pairs += zip(a, b, strict=False)
        for n, extra in enumerate((a[len(b) :], b[len(a) :])):
            world = ("one", "two")[n]
            unmatched += [
                f"alert only in {world}: {key} at {e.made:.1f} s" for e in extra if e.made <= end_s
            ]
    return pairs, unmatched
