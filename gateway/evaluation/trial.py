"""One story through the watch, as ``noria replay --trust`` runs it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.domain.outputs import Forecast, IncidentChange, Level, TankEvent
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from gateway.domain.watch.fitted import FITTED
from gateway.domain.watch.tracks.cause import Review
from gateway.domain.watch.tracks.weights import Weights
from gateway.projections.replay import Replay


@dataclass(slots=True)
class Trial:
    """The outputs of one story. ``cpu_s``: what the replay took, without making the story."""

    changes: list[IncidentChange] = field(default_factory=list[IncidentChange])
    events: list[TankEvent] = field(default_factory=list[TankEvent])
    forecasts: list[Forecast] = field(default_factory=list[Forecast])
    levels: dict[str, list[Level]] = field(default_factory=dict[str, list[Level]])
    readings: int = 0
    cpu_s: float = 0.0
    unusable: dict[str, int] = field(default_factory=dict[str, int])


def run(
    registry: Registry, lines: Iterable[bytes], weights: Weights = FITTED,
    observe: Callable[[Review], None] | None = None,
) -> Trial:  # fmt: skip
    """Replay the lines; returns all outputs, sorted by their type.

    ``observe`` is called with each review of an episode.
    """
    watch = Watch(registry, weights=weights, observe=observe)
    trial, replay = Trial(), Replay(registry, trust=True, watch=watch)
    began = time.process_time()
    outputs = [output for line in lines for output in replay.line(line)]
    trial.cpu_s = time.process_time() - began
    for output in outputs:
        if isinstance(output, Level):
            trial.readings += 1
            trial.levels.setdefault(output.tank, []).append(output)
        elif isinstance(output, IncidentChange):
            trial.changes.append(output)
        elif isinstance(output, TankEvent):
            trial.events.append(output)
        else:
            trial.forecasts.append(output)
    trial.unusable = dict(replay.unusable)
    return trial
