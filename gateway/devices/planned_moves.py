"""A planned move of a tank (``[[plan]]``) becomes ``move_from`` and ``move_to`` of its devices.

What a person set by ``noria device set`` stands until it is over; a plan that was changed or
cancelled is taken back.
"""

import math
from collections.abc import Iterable

import sqlalchemy as sa

from gateway.database.engine import serialise
from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction
from gateway.devices import commands, state
from gateway.devices.state import Desired
from gateway.domain.registry import Plan, Registry

_AGAIN_S = 60.0  # a move that ends makes room for the next, a person's window may end
_Window = tuple[int, int]

planned_move = sa.Table(
    "planned_move",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("move_from", sa.Integer, nullable=False),  # Unix s
    sa.Column("move_to", sa.Integer, nullable=False),
)
"""The window that each device was last told because of a plan, and not by a person."""


class PlannedMoves:
    """Follows the plans; each change goes to the devices concerned under a number of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._seen: Registry | None = None
        self._again = 0.0

    def turn(self, registry: Registry, now: float) -> None:
        """Tell what changed since the last turn. ``now`` is Unix s. Raises OperationalError."""
        if registry is self._seen and now < self._again:
            return
        with write_transaction(self._engine) as connection:
            serialise(connection)  # before we read: no command races us
            wanted = state.load(connection)
            told = {row.device: (row.move_from, row.move_to)
                    for row in connection.execute(sa.select(planned_move))}  # fmt: skip
            for device in registry.devices:
                row = registry.device(device)
                if row is not None and row.key is not None and not row.revoked:
                    before = _window(wanted.get(device))
                    self._one(connection, registry, device, before, told.get(device), now)
        self._seen, self._again = registry, now + _AGAIN_S

    def _one(
        self, connection: sa.Connection, registry: Registry, device: str, before: _Window | None,
        told: _Window | None, now: float,
    ) -> None:  # fmt: skip
        """``before`` is in force at the device, ``told`` came of a plan."""
        stands = before is not None and before[1] > now
        if stands and before != told:
            return  # a person set it
        tank = registry.tank_of(device, now)
        move = next_move(registry.plans.get(tank, ()) if tank else (), now)
        if move == before or (move is None and not stands):
            return  # what is over means nothing any more: it may lie where it is
        start, end = move or (None, None)
        given: dict[str, int | None] = {"move_from": start, "move_to": end}
        commands.settings(connection, registry, device, given, now)
        connection.execute(sa.delete(planned_move).where(planned_move.c.device == device))
        if move is not None:
            connection.execute(sa.insert(planned_move).values(device=device, **given))


def next_move(plans: Iterable[Plan], now: float) -> _Window | None:
    """The move (from, to) that goes on at ``now`` or comes next; moves that touch are one.

    Whole Unix s, within what a node takes for a time.
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
    low, high = commands.MOMENT
    start, end = max(math.floor(found[0]), low), min(math.ceil(found[1]), high)
    return (start, end) if start < end else None


def _window(wanted: Desired | None) -> _Window | None:
    if wanted is None or "move_from" not in wanted.settings:
        return None
    return wanted.settings["move_from"], wanted.settings["move_to"]
