"""A tank's readings as continuous runs and the gaps between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from gateway.domain.inputs import Reading

_LEAST_GAP_S = 1500.0
_BUCKETS = 360

Sample = tuple[float, float]
"""Event time (Unix s), litres."""


@dataclass(frozen=True, slots=True)
class Line:
    """``runs`` of samples without a gap, ``gaps`` as (from, to) in Unix s."""

    runs: tuple[tuple[Sample, ...], ...]
    gaps: tuple[Sample, ...]


def line(readings: Sequence[Reading], start: float, now: float) -> Line:
    """Split where readings are missing for three times their median interval."""
    samples = [(r.at, r.volume_l) for r in readings if r.volume_l is not None and r.at <= now]
    if not samples:
        return Line((), ((start, now),))
    longest = _longest_step(samples)
    runs: list[list[Sample]] = [[samples[0]]]
    gaps: list[Sample] = []
    if samples[0][0] - start > longest:
        gaps.append((start, samples[0][0]))
    for before, after in pairwise(samples):
        if after[0] - before[0] > longest:
            gaps.append((before[0], after[0]))
            runs.append([])
        runs[-1].append(after)
    if now - samples[-1][0] > longest:
        gaps.append((samples[-1][0], now))
    width = (now - start) / _BUCKETS
    return Line(tuple(_thinned(run, width) for run in runs), tuple(gaps))


def _longest_step(samples: Sequence[Sample]) -> float:
    steps = [b[0] - a[0] for a, b in pairwise(samples) if b[0] > a[0]]
    return max(3.0 * median(steps) + 120.0, _LEAST_GAP_S) if steps else _LEAST_GAP_S


def _thinned(run: Sequence[Sample], width_s: float) -> tuple[Sample, ...]:
    """First, lowest, highest and last of every bucket, so that extremes remain."""
    kept: list[Sample] = []
    bucket: list[Sample] = []
    for sample in run:
        if bucket and sample[0] // width_s != bucket[0][0] // width_s:
            kept += _extremes(bucket)
            bucket = []
        bucket.append(sample)
    return tuple(kept + _extremes(bucket))


def _extremes(bucket: list[Sample]) -> list[Sample]:
    if len(bucket) < 3:
        return bucket
    low, high = min(bucket, key=lambda s: s[1]), max(bucket, key=lambda s: s[1])
    return sorted({bucket[0], low, high, bucket[-1]})
