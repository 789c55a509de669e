"""What a page shows of one tank."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

from gateway.domain.outputs import LevelState, Span, TankNow
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import presence
from gateway.domain.watch.tracks import flow

_NO_LEVEL = (None, None, None, None)


def tank_now(context: WatchContext, tank: str) -> TankNow:
    """The newest good level with its age, the tank's state, and when its next message is due."""
    known = shown(context, tank)
    for name in ("low_at", "empty_at", "critical_at"):
        if span := cast(dict[str, float] | None, known[name]):
            known[name] = Span(**span)
    return TankNow(**known)  # pyright: ignore[reportArgumentType] - fields of TankNow


def shown(context: WatchContext, tank: str) -> dict[str, object]:
    """The fields of ``tank_now`` as JSON values; the gateway saves them with every message.

    They take a third of the time of the value, whose class assigns each field by a call.
    """
    record = context.tanks.get(tank)
    row = context.tank_row(tank)
    if record is None or row is None:
        return asdict(TankNow(tank=tank, state="unknown", state_since=None))
    device = context.source(record)
    state, since = _state(record, device)
    at, received, litres, sd_l = _level(record)
    known = state not in ("unknown", "fault")
    use = context.profiles.get(tank) if known else None
    return {
        "tank": tank, "state": state, "state_since": since, "at": at, "received": received,
        "volume_l": litres, "sd_l": sd_l,
        "pct": None if litres is None else round(100 * litres / row.capacity_l, 1),
        "trend_lph": flow.trend_lph(record.flow) if known else None,
        "low_at": _span(record.low_at) if known else None,
        "empty_at": _span(record.empty_at) if known else None,
        "presence": device.presence if device else "speaking",
        "presence_since": device.presence_since if device else None,
        "due": presence.next_message_due(context, device) if device else None,
        "last_refill_at": record.flow.refill_at, "last_refill_l": record.flow.refill_l,
        "battery_mv": device.battery_mv if device else None,
        "rssi_dbm": device.rssi_dbm if device else None, "auth": device.auth if device else None,
        "critical_at": _span(use.critical_at) if use else None,
        "next_round_at": use.next_round_at if use else None,
        "dry_before_round": use.dry_before_round if use else None,
        "known_h": use.profile.known if use else 0,
    }  # fmt: skip


def _level(tank: TankState) -> Sequence[float | None]:
    """The newest believed sample, as ``Sample``: while tilted, the last one before that."""
    if tank.tilted is not None:
        return tank.tilted.before or _NO_LEVEL
    return tank.level.at, tank.level.received, tank.level.volume_l, tank.level.sd_l


def _state(tank: TankState, device: DeviceState | None) -> tuple[LevelState, float | None]:
    if device is not None and device.presence == "silent":
        return "unknown", tank.level.received
    if tank.health.faulty:
        return "fault", tank.health.fault_at
    if tank.tilted is not None:
        return "unknown", tank.tilted.at
    return tank.level.state, tank.level.since


def _span(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    at, lo, hi = values
    return {"at": at, "lo": lo, "hi": hi}
