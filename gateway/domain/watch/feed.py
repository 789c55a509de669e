"""One reading of the device that feeds a tank's level: health, level, then flow and falls.

Flow and falls need the readings in order. After a gap they wait for those from the gap, which a
node sends after its newest message; level and state do not wait.
"""

from typing import cast

from gateway.domain.inputs import Reading
from gateway.domain.message import Quantity
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Gap, TankState
from gateway.domain.watch.rules import doubt, falls, hours, removal
from gateway.domain.watch.tracks import delivery, flow, health, level, settling, tilt
from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.profile import largest_hour_l
from gateway.domain.watch.tracks.settling import Sample
from gateway.domain.watch.tracks.tamper import Episode

_GAP_S, _GAP_PROMISES = 2700.0, 1.6
_WAIT_S = 120.0
_MOST_WAITING = 1024
_SUSPECT_S = 2 * 3600.0
_NEWEST = 2
_RISE_SIGMAS, _RISE_PART = 5.0, 0.018
_Saved = tuple[
    str, str, str, int, int, int, float, bool, int, float, Quantity, int | None, int | None,
    int | None, int | None, int | None, float | None, float | None, str | None,
]  # fmt: skip


def apply(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, reading: Reading
) -> None:
    """Apply one reading of a newest message."""
    is_late = reading.at - tank.fed_at > _GAP_S  # seldom, on the path of every reading
    if is_late and tank.gap is None and _is_after_gap(tank, device, reading):
        tank.gap = Gap(settling.copy_of(tank.settling))
        context.set_timer(tank, "gap", context.now + _WAIT_S)
    if reading.at > tank.fed_at:
        tank.fed_at = reading.at
    if tank.tilted is not None:  # a beam that misses the water is no level and no sensor fault
        tank.tilted = tilt.update_tilt(tank.tilted, row, reading)
        if tank.tilted is not None:
            return
    settled: list[Sample] = []
    if reading.volume_l is not None:
        if tank.episode is not None:
            _note_rise(tank, tank.episode, row, reading)
        settled = settling.settle(tank.settling, row, reading)
    was_faulty = tank.health.faulty
    context.outputs += health.update(tank.health, row, reading, tank.settling.noise)
    hours.start_timer(context, tank)
    if tank.gap is not None:
        fill_gap(tank, reading)
    if tank.health.faulty and tank.health.fault == health.ERRATIC:
        doubt.drop(tank)
    if reading.volume_l is None or tank.health.faulty:
        return
    level.show(tank.level, tank.settling, row, reading, settled)
    if tank.gap is not None:
        return
    if was_faulty:
        _resume(context, tank, row, device, reading)
    elif tank.doubt is not None and reading.at >= tank.doubt.until:
        events = doubt.end(tank)
        is_refilled = any(event.kind == "refill" for event in events)
        _report(context, tank, row, device, events, is_refilled)
        _flow(context, tank, row, device, settled)
    else:
        _flow(context, tank, row, device, settled)


def _note_rise(tank: TankState, episode: Episode, row: Tank, reading: Reading) -> None:
    """Remember that water rose while the lid was open, in one reading only, if need be: a few cans
    may have been drawn before the next.
    """
    level_l = tank.settling.smooth_l
    if episode.lid_at is None or level_l is None or reading.volume_l is None:
        return
    if reading.at < episode.lid_at:
        return
    sigma = scatter.sigma_l(tank.settling.noise, reading.sd_l or 0.0, row.capacity_l)
    least = max(_RISE_SIGMAS * sigma, _RISE_PART * row.capacity_l)
    before_l = max(level_l, tank.level.volume_l or 0.0)
    if reading.volume_l - before_l > least:
        episode.water_rose = True


def fill_gap(tank: TankState, reading: Reading) -> bool:
    """Keep a reading for the end of the gap, if there is one; returns whether there is."""
    if tank.gap is None or len(tank.gap.readings) >= _MOST_WAITING:
        return False
    tank.gap.readings.append(list(reading))
    return True


def end_gap(context: WatchContext, tank: TankState) -> None:
    """Settle the readings since the gap again, in order, with those from it."""
    gap, row, device = tank.gap, context.tank_row(tank.tank), context.source(tank)
    tank.gap = None
    context.touch(tank)
    if gap is None or row is None or device is None:
        return
    readings = [Reading(*cast(_Saved, tuple(kept))) for kept in gap.readings]
    readings = [r for r in sorted(readings, key=_by_place) if r.volume_l is not None]
    tank.settling = gap.before
    for i, reading in enumerate(readings):
        settled = settling.settle(tank.settling, row, reading)
        if not tank.health.faulty and tank.tilted is None:
            later = readings[i + 1 :][-_NEWEST:]
            later_l = max([r.volume_l or 0.0 for r in later], default=0.0)
            _flow(context, tank, row, device, settled, later_l)


def _by_place(reading: Reading) -> tuple[float, int, int, int]:
    return reading.at, reading.boot, reading.seq, reading.i


def _is_after_gap(tank: TankState, device: DeviceState, reading: Reading) -> bool:
    """Whether readings from before this one may be on their way."""
    if tank.settling.smooth_l is None or not device.promises:
        return False
    longest = max(_GAP_S, _GAP_PROMISES * device.promises[-1].next_s)
    return reading.at - max(tank.settling.settled_at, tank.fed_at) > longest


def _flow(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, settled: list[Sample],
    later_l: float = 0.0,
) -> None:  # fmt: skip
    """Refills, draws and falls; ``later_l``: the level that is known from after these samples."""
    account = tank.flow
    for sample in settled:
        sigma = scatter.sigma_l(tank.settling.noise, sample.sd_l, row.capacity_l)
        is_suspect = tank.episode is not None and _is_suspect(tank.episode, sample.at)
        refilled_at, doubted = account.refill_at, tank.doubt
        events = flow.update(account, row, sample, sigma, is_suspect)
        doubt.note_step(context, tank, row)
        if doubted is not None and tank.doubt is not None:
            doubt.keep(tank.doubt, events)
        elif events or account.refill_at != refilled_at:
            _report(context, tank, row, device, events, account.refill_at != refilled_at)
        known_l = later_l if sample is settled[-1] else max(later_l, settled[-1].litres)
        falls.check(context, tank, row, device, sample, known_l)


def _is_suspect(episode: Episode, at: float) -> bool:
    """Whether a fall may yet turn out to be a loss."""
    if episode.fall is None or episode.loss_reported:
        return False
    return at - episode.fall.until < _SUSPECT_S


def _resume(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, reading: Reading
) -> None:
    """The readings are believable again: what happened in between is known by its sum only.

    It may be a pause in a long sick spell, so that is not reported before a day has passed.
    """
    litres, sd_l = tank.settling.smooth_l, reading.sd_l
    assert litres is not None and sd_l is not None
    sample = Sample(reading.at, reading.received, litres, sd_l)
    sigma = scatter.sigma_l(tank.settling.noise, sd_l, row.capacity_l)
    was_erratic = tank.health.fault == health.ERRATIC
    if was_erratic:
        most_l = largest_hour_l(context.profile(tank.tank).profile) or 0.0
        context.outputs += delivery.release(tank.flow)
        doubt.begin(tank, reading.at, most_l)
    refilled_at = tank.flow.refill_at
    events = flow.resume(tank.flow, row, sample, sigma)
    if was_erratic and tank.doubt is not None:
        doubt.keep(tank.doubt, events)
    else:
        _report(context, tank, row, device, events, tank.flow.refill_at != refilled_at)


def _report(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState,
    events: list[TankEvent], is_refilled: bool,
) -> None:  # fmt: skip
    """Report events, and act on a refill, whose own event may wait for more of the delivery."""
    context.outputs += events
    if is_refilled:
        if device.auth != "unsigned":  # an unproved reading must not close a theft
            removal.close_refilled(context, tank)
        hours.emit_forecast(context, tank, row)
