"""A planned move of a tank (``[[plan]]``) sets ``move_from`` and ``move_to`` of its devices.

A window that a person set by ``noria device set`` has priority until it is over. A changed plan
changes its window, a cancelled one clears it.
"""

import math
from collections.abc import Iterable

import sqlalchemy as sa

from gateway.database.engine import serialise
from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction
from gateway.devices import commands, state
from gateway.devices.state import DesiredState
from gateway.domain.registry import Plan, Registry

_CHECK_S = 60.0  # without a change of the registry: a window may have ended
_Window = tuple[int, int]

planned_move = sa.Table(
    "planned_move",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("move_from", sa.Integer, nullable=False),  # Unix s
    sa.Column("move_to", sa.Integer, nullable=False),
)
"""The window that a plan last set for each device."""


class PlannedMoves:
    """Follows the plans; each change is a new desired state of the devices concerned."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._registry: Registry | None = None
        self._check_at = 0.0

    def turn(self, registry: Registry, now: float) -> None:
        """Set the windows that changed since the last turn (``now``: Unix s).

        Raises OperationalError.
        """
        if registry is self._registry and now < self._check_at:
            return
        with write_transaction(self._engine) as connection:
            serialise(connection)  # before reading, so that no command races this one
            wanted = state.load(connection)
            planned = {row.device: (row.move_from, row.move_to)
                    for row in connection.execute(sa.select(planned_move))}  # fmt: skip
            for device in registry.devices:
                row = registry.device(device)
                if row is not None and row.key is not None and not row.revoked:
                    current = _window(wanted.get(device))
                    _follow(connection, registry, device, current, planned.get(device), now)
        self._registry, self._check_at = registry, now + _CHECK_S


def _follow(
    connection: sa.Connection, registry: Registry, device: str, current: _Window | None,
    planned: _Window | None, now: float,
) -> None:  # fmt: skip
    """``current`` is the device's desired window, ``planned`` the one that a plan last set."""
    is_open = current is not None and current[1] > now
    if is_open and current != planned:
        return  # a person set it
    tank = registry.tank_of(device, now)
    move = next_move(registry.plans.get(tank, ()) if tank else (), now)
    if move == current or (move is None and not is_open):
        return  # a window that is over has no effect, so it need not be cleared
    start, end = move or (None, None)
    changes: dict[str, int | None] = {"move_from": start, "move_to": end}
    commands.change_settings(connection, registry, device, changes, now)
    connection.execute(sa.delete(planned_move).where(planned_move.c.device == device))
    if move is not None:
        connection.execute(sa.insert(planned_move).values(device=device, **changes))


def next_move(plans: Iterable[Plan], now: float) -> _Window | None:
    """The move (from, to) in progress at ``now``, or the next one; adjacent moves are one.

    Whole Unix s, within the range that a node accepts.
    """
    found: tuple[float, float] | None = None
    for plan in sorted(plans, key=lambda plan: plan.start):
        if plan.kind != "move" or plan.cancelled or plan.end <= now:
            continue
        if found is not None and plan.start > found[1]:
            break
        found = (found[0], max(found[1], plan.end)) if found else (plan.start, plan.end)
    if found is None:
        return None
    low, high = commands.TIME_RANGE
    start, end = max(math.floor(found[0]), low), min(math.ceil(found[1]), high)
    return (start, end) if start < end else None


def _window(wanted: DesiredState | None) -> _Window | None:
    if wanted is None or "move_from" not in wanted.settings:
        return None
    return wanted.settings["move_from"], wanted.settings["move_to"]
