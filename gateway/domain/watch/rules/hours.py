"""The hourly turn of a tank: what was drawn, and what that says about the days ahead."""

from gateway.domain.outputs import Forecast, Span
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import TankState
from gateway.domain.watch.tracks import flow, leaks
from gateway.domain.watch.tracks import forecast as forecasts

HOUR_S = 3600.0


def start(scene: WatchContext, tank: TankState) -> None:
    """Let the hourly timer run from a tank's first reading on."""
    if "hour" not in tank.due:
        scene.set_timer(f"tank:{tank.tank}", "hour", (scene.now // HOUR_S + 1) * HOUR_S)


def turn(scene: WatchContext, tank: TankState) -> None:
    """An hour is over: account for it, and forecast anew while the tank is known."""
    row = scene.tank_row(tank.tank)
    if row is None:
        return
    scene.set_timer(f"tank:{tank.tank}", "hour", scene.now + HOUR_S)
    forecasts.account(scene.profile(tank.tank).profile, tank.level, tank.flow, scene.now)
    scene.touch(f"profile:{tank.tank}")
    if row.kind == "tank" and tank.episode is None:
        profile = scene.profile(tank.tank).profile
        scene.told += leaks.check(tank.flow, profile, row, scene.now)
    forecast(scene, tank, row)


def forecast(scene: WatchContext, tank: TankState, row: Tank) -> None:
    """Tell when the tank will be low and empty; nothing while its level is not known."""
    source = scene.source(tank)
    level = tank.level
    if source is None or source.presence == "silent" or tank.health.faulty:
        tank.low_at, tank.empty_at = [], []
        return
    profile = scene.profile(tank.tank).profile
    ahead = forecasts.outlook(profile, level, flow.trend_lph(tank.flow), row, scene.now)
    tank.low_at, tank.empty_at = (list(span) if span else [] for span in ahead)
    low, empty = (Span(*span) if span else None for span in ahead)
    scene.told.append(Forecast(scene.now, tank.tank, low, empty))
