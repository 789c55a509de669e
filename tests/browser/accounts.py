"""The people of a scene: a coordinator and two vans, all with one password, and their shifts."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.alerts.people import shifts
from gateway.database.tables import account
from gateway.domain.dispatch.rota import Shift
from server.accounts import people

PASSWORD = "rain-on-the-roof"
_made: list[dict[str, Any]] = []


def add_all(engine: sa.Engine, now: float) -> None:
    """Add their accounts, hashed once: three passwords take most of a second."""
    if _made:
        with engine.begin() as connection:
            connection.execute(sa.insert(account), [{**row, "created": now} for row in _made])
        return
    people.add(engine, "Sam", "coordinator", PASSWORD, now)
    for name in ("Van 1", "Van 2"):
        people.add(engine, name, "volunteer", PASSWORD, now)
    with engine.connect() as connection:
        _made.extend(dict(row) for row in connection.execute(sa.select(account)).mappings())


def add_shifts(engine: sa.Engine, now: float) -> None:
    """``Van 1`` has every morning, ``Van 2`` three evenings of one site."""
    ids = {one.login: one.id for one in people.everyone(engine)}
    since = datetime.fromtimestamp(now, UTC).date() - timedelta(days=30)
    with engine.begin() as connection:
        for new in (_shift("early", ids["van-1"], range(7), 6, since, None),
                    _shift("late", ids["van-2"], (0, 2, 4), 18, since, "canal")):  # fmt: skip
            shifts.add(connection, new, ids["sam"], now)


def _shift(
    name: str, person: str, days: Iterable[int], hour: int, since: date, site: str | None
) -> Shift:
    return Shift(name, person, frozenset(days), hour * 60, 300, since, None, site)
