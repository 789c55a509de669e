"""What a page shows of one tank."""

from gateway.domain.outputs import LevelState, Span, TankNow
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import presence
from gateway.domain.watch.tracks import flow
from gateway.domain.watch.tracks.level import newest
from gateway.domain.watch.tracks.settling import Sample


def tank_now(context: WatchContext, tank: str) -> TankNow:
    """The newest good level with its age, the tank's state, and when its next message is due."""
    record = context.tanks.get(tank)
    row = context.tank_row(tank)
    if record is None or row is None:
        return TankNow(tank=tank, state="unknown", state_since=None)
    device = context.source(record)
    state, since = _state(record, device)
    level = _level(record)
    use = context.profiles.get(tank)
    known = state not in ("unknown", "fault")
    return TankNow(
        tank=tank, state=state, state_since=since, at=level and level.at,
        received=level and level.received, volume_l=level and level.litres,
        sd_l=level and level.sd_l,
        pct=None if level is None else round(100 * level.litres / row.capacity_l, 1),
        trend_lph=flow.trend_lph(record.flow) if known else None,
        low_at=_span(record.low_at) if known else None,
        empty_at=_span(record.empty_at) if known else None,
        presence=device.presence if device else "speaking",
        presence_since=device.presence_since if device else None,
        due=presence.next_message_due(context, device) if device else None,
        last_refill_at=record.flow.refill_at, last_refill_l=record.flow.refill_l,
        battery_mv=device.battery_mv if device else None,
        rssi_dbm=device.rssi_dbm if device else None, auth=device.auth if device else None,
        critical_at=_span(use.critical_at) if known and use else None,
        next_round_at=use.next_round_at if known and use else None,
        dry_before_round=use.dry_before_round if known and use else None,
    )  # fmt: skip


def _level(tank: TankState) -> Sample | None:
    """The newest believed sample: while the tank is tilted, the last one before that."""
    if tank.tilted is not None:
        return Sample(*tank.tilted.before) if tank.tilted.before else None
    return newest(tank.level)


def _state(tank: TankState, device: DeviceState | None) -> tuple[LevelState, float | None]:
    if device is not None and device.presence == "silent":
        return "unknown", tank.level.received
    if tank.health.faulty:
        return "fault", tank.health.fault_at
    if tank.tilted is not None:
        return "unknown", tank.tilted.at
    return tank.level.state, tank.level.since


def _span(values: list[float]) -> Span | None:
    return Span(*values) if values else None
