"""Finds falls too fast for taps; ``removal`` weighs them as part of an episode."""

from itertools import combinations
from math import sqrt

from gateway.domain.geometry import Curve
from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import removal
from gateway.domain.watch.tracks.flow import TAP_LPM
from gateway.domain.watch.tracks.level import Sample
from gateway.domain.watch.tracks.tamper import Fall

_LATELY = 6  # samples
_STEP_PART = 0.06  # of the capacity: a smaller recent change cannot begin a significant fall
_LEAST_PART, _LEAST_SD = 0.10, 6.0
_NOISE_PART, _NOISE_SD = 0.012, 2.0
_BOTTOM_PART = 0.05  # of the capacity above the tap: practically empty
_PLATEAU_S = 45.0
_OLD_S = 3600.0
_LEAST_TAPS = 2  # one wide or uncounted tap must not look like a theft
_ORDINARY = 0.3  # of all taps open: without other evidence people are drawing water
_LATE_KEPT = 24


def check(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, sample: Sample
) -> None:
    """Look for a fast fall that ends at the newest sample or is in progress."""
    recent = tank.flow.recent
    if len(recent) < 2 or row.kind == "station":  # people carry cans away quickly
        return
    in_progress = tank.episode is not None and tank.episode.fall is not None
    lately = max([litres for _, litres in recent[-_LATELY:]])
    if not in_progress and lately - recent[-1][1] < _STEP_PART * row.capacity_l:
        return
    found = _fast_fall(recent, row, sample.sd_l)
    if found is not None and (tank.episode or found.taps_ratio >= _ORDINARY):
        removal.add_fall(context, tank, device, found)


def check_backlog(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, reading: Reading
) -> None:
    """Look for a fast fall in backlog, unless later readings show the water back."""
    if reading.volume_l is None or row.kind == "station":
        return
    if context.now - reading.at > removal.TOO_OLD_S:
        return
    backlog = tank.backlog
    backlog.append([reading.at, reading.volume_l])
    backlog.sort()
    del backlog[:-_LATE_KEPT]
    found = _fast_fall(backlog, row, reading.sd_l or 0.0)
    if found is None or not (tank.episode or found.taps_ratio >= _ORDINARY):
        return
    if not _is_reverted(tank, row, found):
        removal.add_fall(context, tank, device, found)


def _is_reverted(tank: TankState, row: Tank, fall: Fall) -> bool:
    """Whether a later reading shows the level from before the fall."""
    at, litres = tank.level.at, tank.level.volume_l
    if tank.level.pending:
        at, _, litres, _ = tank.level.pending
    if at is None or litres is None or at <= fall.until:
        return False
    return litres > fall.from_l - _LEAST_PART * row.capacity_l


def _fast_fall(samples: list[list[float]], row: Tank, sd_l: float) -> Fall | None:
    """The fall that ends at the tail of ``samples`` ([at, litres], oldest first), or None.

    The tail is the newest samples that agree within the noise; the fall is the run before it,
    within an hour and without a rise.
    """
    noise = max(_NOISE_PART * row.capacity_l, _NOISE_SD * sd_l)
    end = _tail(samples, noise)
    start = _head(samples, end, noise)
    low = min(litres for _, litres in samples[end:])
    fallen = samples[start][1] - low
    stayed = samples[-1][0] - samples[end][0]
    settled = max(_PLATEAU_S, 1.5 * (samples[end][0] - samples[max(end - 1, 0)][0]))
    if fallen < max(_LEAST_PART * row.capacity_l, _LEAST_SD * sd_l) or stayed > _OLD_S:
        return None
    emptied = low <= row.empty_l + _BOTTOM_PART * row.capacity_l
    lpm, ratio = _fastest(samples[start : end + 1], row, sd_l)
    return Fall(
        at=samples[start][0], until=samples[end][0], from_l=samples[start][1], to_l=low,
        lpm=lpm, taps_ratio=ratio,
        single_step=end - start == 1, plateau=not emptied and stayed >= settled, emptied=emptied,
    )  # fmt: skip


def _tail(samples: list[list[float]], noise: float) -> int:
    """Index of the first sample of the flat tail."""
    low = high = samples[-1][1]
    end = len(samples) - 1
    while end > 0:
        low, high = min(low, samples[end - 1][1]), max(high, samples[end - 1][1])
        if high - low > noise:
            break
        end -= 1
    return end


def _head(samples: list[list[float]], end: int, noise: float) -> int:
    """Index of the last sample before the level began to fall."""
    first = end
    while first > 0 and samples[first - 1][1] >= samples[first][1] - noise:
        if samples[end][0] - samples[first - 1][0] > _OLD_S:
            break
        first -= 1
    top = max(litres for _, litres in samples[first : end + 1])
    return max(i for i in range(first, end + 1) if samples[i][1] >= top - noise)


def _fastest(run: list[list[float]], row: Tank, sd_l: float) -> tuple[float, float]:
    """The fastest part of a run: its rate in L/min, and its ratio to all taps open.

    Each fall is reduced by two sd, so that noise over a short time makes no rate.
    """
    curve = Curve(row)
    best = (0.0, 0.0)
    for (at, litres), (until, left) in combinations(run, 2):
        fallen = litres - left - _NOISE_SD * sd_l
        if fallen > 0 and until > at:
            lpm = fallen / (until - at) * 60
            ratio = lpm / _all_taps_lpm(curve, row, litres, left)
            best = (max(best[0], lpm), max(best[1], ratio))
    return best


def _all_taps_lpm(curve: Curve, row: Tank, from_l: float, to_l: float) -> float:
    """The flow of all open taps together while the level falls from ``from_l`` to ``to_l``, L/min.

    Torricelli: the flow is proportional to the root of the water's height above the tap, so with
    straight walls its mean over a fall is the mean of both ends.
    """
    tap_mm = curve.level_mm(row.empty_l)
    heights = (max(curve.level_mm(litres) - tap_mm, 10.0) for litres in (from_l, to_l))
    roots = [sqrt(height / 1000) for height in heights]
    return max(row.taps, _LEAST_TAPS) * TAP_LPM * sum(roots) / 2
