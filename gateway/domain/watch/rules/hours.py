"""The hourly work of a tank: add the hour to its profile, check for leaks, forecast."""

from gateway.domain.outputs import Forecast, Span
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import TankState
from gateway.domain.watch.tracks import flow, leaks
from gateway.domain.watch.tracks import forecast as forecasts
from gateway.domain.watch.tracks.forecast import HOUR_S


def start_timer(context: WatchContext, tank: TankState) -> None:
    """Start the hourly timer at a tank's first reading."""
    if "hour" not in tank.due:
        context.set_timer(tank, "hour", (context.now // HOUR_S + 1) * HOUR_S)


def close_hour(context: WatchContext, tank: TankState) -> None:
    """Add the hour that ends now to the profile, and forecast while the tank is registered."""
    row = context.tank_row(tank.tank)
    if row is None:
        return
    context.set_timer(tank, "hour", context.now + HOUR_S)
    state = context.profile(tank.tank)
    forecasts.account(state.profile, tank.level, tank.flow, context.now)
    context.touch(state)
    if row.kind == "tank" and tank.episode is None:
        context.outputs += leaks.check(tank.flow, state.profile, row, context.now)
    emit_forecast(context, tank, row)


def emit_forecast(context: WatchContext, tank: TankState, row: Tank) -> None:
    """Emit when the tank will be low and empty; nothing while its level is unknown."""
    source = context.source(tank)
    level = tank.level
    if source is None or source.presence == "silent" or tank.health.faulty:
        tank.low_at, tank.empty_at = [], []
        return
    profile = context.profile(tank.tank).profile
    ahead = forecasts.outlook(profile, level, flow.trend_lph(tank.flow), row, context.now)
    tank.low_at, tank.empty_at = (list(span) if span else [] for span in ahead)
    low, empty = (Span(*span) if span else None for span in ahead)
    context.outputs.append(Forecast(context.now, tank.tank, low, empty))
