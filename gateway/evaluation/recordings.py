"""Real recordings with what is known about them: refills, thefts, sensor faults.

A folder has, for each NAME, ``NAME.jsonl.gz`` (lines of ``noria replay --trust``), ``NAME.toml``
(registry) and ``NAME.truth.json``: ``refills`` [[at, until]], optional ``slack`` in seconds, and
``at`` where a real loss began.
"""

import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from gateway.domain.outputs import THEFT_KINDS, IncidentChange, TankEvent
from gateway.errors import NoriaError
from gateway.evaluation import trial
from gateway.evaluation.scores import part
from gateway.evaluation.truth import DAY_S
from gateway.registry import toml

_SLACK_S = 900.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What the watch made of one recording. ``refills``: matched events, all events, matched true
    ones, all true ones. ``thefts``: incidents with a theft kind that nothing explains.
    ``loss_delay_s``: from a real loss to its first theft incident, None if it was not found.
    """

    name: str
    days: float
    readings: int
    every_s: float
    cpu_s: float
    refills: tuple[int, int, int, int]
    thefts: int
    has_loss: bool
    loss_delay_s: float | None
    loss_kind: str
    faults: tuple[Span, ...]
    unusable: int

    @property
    def refills_f1(self) -> float | None:
        """Harmonic mean of precision and recall; None without true refills."""
        matched, all_events, found, true = self.refills
        precision, recall = part(matched, all_events), part(found, true)
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def run(folder: Path) -> Iterator[RecordingResult]:
    """The results of all recordings in a folder; raises NoriaError when there is none."""
    files = sorted(folder.glob("*.jsonl.gz"))
    if not files:
        raise NoriaError(f"{folder} has no *.jsonl.gz: name a folder of recordings")
    for file in files:
        yield _result(file, file.name.removesuffix(".jsonl.gz"))


def _result(file: Path, name: str) -> RecordingResult:
    registry = toml.read(file.with_name(f"{name}.toml"))
    truth = json.loads(file.with_name(f"{name}.truth.json").read_text("utf-8"))
    with gzip.open(file) as lines:
        found = trial.run(registry, lines)
    times = sorted(level.at for levels in found.levels.values() for level in levels)
    loss = truth.get("at")
    thefts = _thefts(found.changes)
    hits = [t for t in thefts if loss is not None and loss - 3600 <= t.at <= loss + DAY_S]
    first = min(hits, key=lambda t: t.received, default=None)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    return RecordingResult(
        name, (times[-1] - times[0]) / DAY_S if times else 0.0, found.readings,
        median(gaps) if gaps else 0.0, found.cpu_s,
        overlaps(truth["refills"], found.events, truth.get("slack", _SLACK_S)),
        len(thefts) - len(hits), loss is not None,
        None if first is None or loss is None else first.received - loss,
        first.kind if first else "", tuple(_faults(found.changes, times)),
        sum(found.unusable.values()),
    )  # fmt: skip


def overlaps(
    true: Sequence[Sequence[float]], events: Sequence[TankEvent], slack_s: float
) -> tuple[int, int, int, int]:
    """Refill events that overlap a true one, all of them; true ones overlapped, all of them."""
    refills = [e for e in events if e.kind == "refill"]

    def meet(event: TankEvent, span: Sequence[float]) -> bool:
        return event.at - slack_s <= span[1] and span[0] <= event.until + slack_s

    matched = sum(any(meet(event, span) for span in true) for event in refills)
    found = sum(any(meet(event, span) for event in refills) for span in true)
    return matched, len(refills), found, len(true)


def _thefts(changes: Sequence[IncidentChange]) -> list[IncidentChange]:
    """The first change with a theft kind of each incident."""
    found: dict[str, IncidentChange] = {}
    for change in changes:
        if change.kind in THEFT_KINDS:
            found.setdefault(change.id, change)
    return list(found.values())


def _faults(changes: Sequence[IncidentChange], times: Sequence[float]) -> Iterator[Span]:
    """From the report of each sensor fault to its end."""
    opened: dict[str, float] = {}
    for change in changes:
        if change.kind == "sensor_fault":
            if change.change == "closed":
                yield opened.pop(change.id, change.at), change.received
            else:
                opened.setdefault(change.id, change.received)
    for at in opened.values():
        yield at, times[-1]


def table(results: Sequence[RecordingResult]) -> str:
    """One block for each recording."""
    return "\n".join(line for result in results for line in _lines(result))


def _lines(result: RecordingResult) -> Iterator[str]:
    matched, events, found, true = result.refills
    yield f"{result.name}: {result.days:.0f} days, {result.readings} readings"
    if true or events:
        f1 = "-" if result.refills_f1 is None else f"{result.refills_f1:.3f}"
        yield f"  refills: {found} of {true} found, {events - matched} false, F1 {f1}"
    yield f"  thefts where none was: {result.thefts}"
    if result.has_loss and result.loss_delay_s is not None:
        readings = result.loss_delay_s / max(result.every_s, 1.0)
        minutes = result.loss_delay_s / 60
        yield f"  loss: called {result.loss_kind} after {minutes:.0f} min ({readings:.1f} readings)"
    elif result.has_loss:
        yield "  loss: not found"
    days = sum(end - at for at, end in result.faults) / DAY_S
    yield f"  sensor faults: {len(result.faults)}, {days:.1f} days in all"
    yield f"  {result.readings / max(result.cpu_s, 1e-9):.0f} readings/s"
    if result.unusable:
        yield f"  {result.unusable} lines could not be used"
