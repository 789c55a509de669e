"""One delivery that came in several parts: a pump rests, cans are carried one after the other.

A refill is kept back until no more water can belong to it; the draws after it wait with it, so that
what is reported adds up at any time.
"""

from typing import cast

from gateway.domain.entry import JSON
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch.tracks.account import Flow

_PAUSE_S, _PAUSE_STEPS = 1200.0, 0.75
"""Parts of one delivery are at most 20 minutes apart, as far as readings show: where these are
seldom, those between which no reading shows a pause."""
_PUMP_STEPS, _PUMP_S, _PUMP_PAUSE_S = 3.5, 1500.0, 2400.0
"""A pump is what lately filled this tank for so many readings and so long without a pause; it
pauses longer, and people draw as much as comes in."""
_KEPT = 0.8  # of the longest part, from one delivery to the next
_LONGEST_S = 6 * 3600.0  # a node that sends no more; one that sends in batches does it sooner
_STEPS = 4  # samples that show how often this node measures
_Saved = tuple[float, float, str, EventKind, float, float, float]


def hold(flow: Flow, events: list[TankEvent], at: float) -> list[TankEvent]:
    """Take the events that ended with the sample of ``at``; returns those that are complete."""
    complete: list[TankEvent] = []
    for event in events:
        if event.kind == "refill":
            complete += _hold_refill(flow, event)
        elif flow.held:
            flow.held.append(_saved(event))
        else:
            complete.append(event)
    if flow.held:
        begins = flow.rise.at if flow.rise is not None else at
        if begins - _until(flow) > _pause_s(flow):
            complete += release(flow)
    return complete


def _hold_refill(flow: Flow, event: TankEvent) -> list[TankEvent]:
    """Keep a refill back; returns what was kept back, unless this is another part of it."""
    part_s = event.until - event.at
    if flow.held and event.at - _until(flow) <= _pause_s(flow):
        flow.part_s = max(flow.part_s, part_s)
        _join(flow, flow.held[0], event)
        return []
    complete = release(flow)
    flow.held = [_saved(event)]
    flow.part_s = max(_KEPT * flow.part_s, part_s)
    return complete


def release(flow: Flow) -> list[TankEvent]:
    """All events that are kept back; none are after it."""
    held, flow.held = flow.held, []
    return [TankEvent(*cast(_Saved, tuple(saved))) for saved in held]


def release_old(flow: Flow, now: float) -> list[TankEvent]:
    """The same when no sample has come for six hours: its node may never send another."""
    is_old = flow.held and now - flow.recent_at[-1] > _LONGEST_S
    return release(flow) if is_old else []


def _saved(event: TankEvent) -> list[JSON]:
    return [event.at, event.until, event.tank, event.kind, event.litres, event.least_l,
            event.most_l]  # fmt: skip


def _until(flow: Flow) -> float:
    return cast(float, flow.held[0][1])


def _join(flow: Flow, held: list[JSON], event: TankEvent) -> None:
    """Add a part to the delivery that is kept back."""
    held[1] = event.until
    for i, litres in enumerate((event.litres, event.least_l, event.most_l), 4):
        held[i] = round(cast(float, held[i]) + (litres or 0.0), 1)
    flow.refill_l = cast(float, held[4])


def _pause_s(flow: Flow) -> float:
    """How long a delivery to this tank may pause, in seconds."""
    recent = flow.recent_at[-_STEPS:]
    every = (recent[-1] - recent[0]) / max(len(recent) - 1, 1)
    is_pump = flow.part_s >= max(_PUMP_STEPS * every, _PUMP_S)
    return max(_PUMP_PAUSE_S if is_pump else _PAUSE_S, _PAUSE_STEPS * every)
