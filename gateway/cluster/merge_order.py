"""One order for the entries of all journals, made by the leader.

An entry gets its place once the horizon has passed its receive time (``domain.horizon``): sorted by
receive time, then gateway, then its number there. Later entries are appended at the end. The times
when no gateway listened become entries, as in one gateway's journal.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gateway.cluster import tables
from gateway.domain.horizon import GatewayMark, Horizon, HorizonStep
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

NAME = "merging"
TOGETHER = "-"
"""The gateway id of entries about all gateways: when none of them listened."""
POLL_S = 0.2
_MOST = 5000
_FAR_S = 60.0  # entries of a clock that is further ahead do not wait for the horizon
_LISTENS_AGAIN = ("start", "broker_back", "broker_drained")


@dataclass
class MergeOrder:
    """A ``Worker`` runs its ``turn``; ``wake`` wakes the projections that follow the order."""

    engine: sa.Engine
    clock: Clock
    wake: Wakeup
    steady: Callable[[], float] = time.monotonic
    _horizon: Horizon | None = None
    at: float = float("-inf")
    """Timers that are due until then may fire (Unix s)."""

    def turn(self) -> float:
        """Place the entries that the horizon has passed; returns the wait in real s."""
        try:
            full = self._merge()
        except BaseException:
            self._horizon = None  # load the saved state at the next turn
            raise
        self.wake.notify()
        return 0.0 if full else POLL_S

    def _merge(self) -> bool:
        with self.engine.begin() as connection:
            horizon = self._horizon or self._loaded(connection)
            now = self.clock.now()
            step = horizon.look(_members(connection), now, self.steady())
            reach = horizon.at if horizon.at is not None else float("-inf")
            self._record(connection, step)
            full = _give_places(connection, reach, now + _FAR_S * self.clock.speed)
            if step is not None:
                saved = {"at": horizon.at, "hears": horizon.listening}
                again = insert(tables.horizon).values(one=1, **saved)
                connection.execute(again.on_conflict_do_update(index_elements=["one"], set_=saved))
        self._horizon = horizon
        if not full:
            self.at = reach
        return full

    def _loaded(self, connection: sa.Connection) -> Horizon:
        row = connection.execute(sa.select(tables.horizon)).first()
        found = (row.at, row.hears) if row else (None, False)
        return Horizon(*found, speed=self.clock.speed)

    def _record(self, connection: sa.Connection, step: HorizonStep | None) -> None:
        """Write the changes of listening and the step of the clock as entries, at their times."""
        if step is None or not (step.switches or step.back_s):
            return
        e = tables.entry.c
        highest = sa.select(sa.func.max(e.entry)).where(e.gateway == TOGETHER)
        number = connection.scalar(highest) or 0
        found: list[tuple[float, str, dict[str, object]]] = []
        for at, listening in step.switches:
            for run in _LISTENS_AGAIN if listening else ("stop",):
                found.append((at, "run", {"run": run}))
        if step.back_s:
            found.append((step.at, "clock", {"source": "system", "step_s": round(step.back_s, 3)}))
        rows = [_row(number + n, *one) for n, one in enumerate(found, 1)]
        connection.execute(sa.insert(tables.entry), rows)


def _row(number: int, at: float, kind: str, body: dict[str, object]) -> dict[str, object]:
    text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode("ascii")
    return {
        "gateway": TOGETHER, "entry": number, "received": at, "kind": kind, "subject": "-",
        "body": text, "lines": {}, "newest": False,
    }  # fmt: skip


def _members(connection: sa.Connection) -> dict[str, GatewayMark]:
    c = tables.member.c
    rows = connection.execute(sa.select(c.gateway, c.until, c.since, c.waiting))
    return {row.gateway: GatewayMark(row.until, row.since, row.waiting) for row in rows}


def _give_places(connection: sa.Connection, reach: float, far: float) -> bool:
    """Place entries received up to ``reach``; returns whether there may be more."""
    e, m = tables.entry.c, tables.merged.c
    known = sa.outerjoin(tables.entry, tables.merged, e.gateway == m.gateway)
    due = sa.or_(e.received <= reach, e.received > far)
    rows = connection.execute(
        sa.select(e.gateway, e.entry)
        .select_from(known)
        .where(e.entry > sa.func.coalesce(m.entry, 0), due)
        .order_by(e.received, e.gateway, e.entry)
        .limit(_MOST)
    ).all()
    if not rows:
        return False
    last = connection.scalar(sa.select(sa.func.max(tables.place.c.place))) or 0
    ends: dict[str, int] = {}
    for row in rows:
        ends[row.gateway] = max(ends.get(row.gateway, 0), row.entry)
    placed = [{"place": last + n, "gateway": r[0], "entry": r[1]} for n, r in enumerate(rows, 1)]
    connection.execute(sa.insert(tables.place), placed)
    upsert = insert(tables.merged)
    upsert = upsert.on_conflict_do_update(
        index_elements=["gateway"], set_={"entry": upsert.excluded.entry}
    )
    connection.execute(upsert, [{"gateway": g, "entry": n} for g, n in ends.items()])
    return len(rows) == _MOST
