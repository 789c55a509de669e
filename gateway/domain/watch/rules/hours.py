"""The hourly work of a tank: add the hour to its profile, check for leaks, forecast."""

from gateway.domain.local_time import HOUR_S
from gateway.domain.outputs import Forecast, Span
from gateway.domain.registry import Site, Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import ProfileState, TankState
from gateway.domain.watch.rules import access
from gateway.domain.watch.tracks import delivery, leaks, profile, rounds
from gateway.domain.watch.tracks import forecast as forecasts
from gateway.domain.watch.tracks.profile import Usual

_NO_SITE = Site("", "")


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
    if tank.doubt is None:
        context.outputs += delivery.release_old(tank.flow, context.now)
    site = _site(context, row)
    state = _started(context, row, site)
    usual = context.usual[row.id] = forecasts.account(
        state.profile, state.scaling, tank.level, tank.flow, row, site.timezone, context.now,
        _usual(context, state), is_known=tank.tilted is None and not tank.health.faulty,
    )  # fmt: skip
    if row.kind == "tank" and tank.episode is None:
        context.outputs += leaks.check(
            tank.flow, state.profile, row, site.timezone, context.now, usual
        )
    _emit(context, tank, row, site, state, usual)


def emit_forecast(context: WatchContext, tank: TankState, row: Tank) -> None:
    """Emit when the tank will be low and empty; nothing while its level is unknown.

    Before it, the newest refill is added to the usual rounds, and a missed one is asked about.
    """
    site = _site(context, row)
    state = _started(context, row, site)
    _emit(context, tank, row, site, state, _usual(context, state))


def _emit(
    context: WatchContext, tank: TankState, row: Tank, site: Site, state: ProfileState,
    usual: Usual,
) -> None:  # fmt: skip
    tank.low_at, tank.empty_at = [], []
    state.critical_at, state.next_round_at, state.dry_before_round = [], None, None
    context.touch(state)
    rounds.note(
        state.rounds, tank.flow.refill_at, tank.flow.refill_l, row.capacity_l, site.timezone
    )
    access.decide(context, tank, state.rounds, site.timezone)
    source = context.source(tank)
    if source is None or source.presence == "silent" or tank.health.faulty:
        return
    round_at = rounds.next_round(state.rounds, site.timezone, context.now)
    ahead = forecasts.outlook(
        usual, state.scaling, tank.level, row, site.timezone, context.now, round_at
    )
    tank.low_at, tank.empty_at = list(ahead.low or ()), list(ahead.empty or ())
    state.critical_at = list(ahead.critical or ())
    state.next_round_at, state.dry_before_round = round_at, ahead.dry_before_round
    context.outputs.append(
        Forecast(
            context.now, tank.tank, low_at=_span(ahead.low), empty_at=_span(ahead.empty),
            critical_at=_span(ahead.critical), next_round_at=round_at,
            dry_before_round=ahead.dry_before_round,
        )
    )  # fmt: skip


def _site(context: WatchContext, row: Tank) -> Site:
    return context.registry.site(row.site) or _NO_SITE


def _started(context: WatchContext, row: Tank, site: Site) -> ProfileState:
    """The tank's profile, started with the prior of its site."""
    state = context.profile(row.id)
    if not state.profile.by_hour:
        at_site = context.site_l.get(row.site, 0.0)
        profile.start(state.profile, profile.prior_day_l(row, site, at_site))
        context.touch(state)
    return state


def _usual(context: WatchContext, state: ProfileState) -> Usual:
    """What is usual at a tank: it changes once an hour."""
    return context.usual.get(state.tank) or profile.usual(state.profile)


def _span(values: forecasts.Span3 | None) -> Span | None:
    return Span(*values) if values else None
