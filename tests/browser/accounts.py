"""The people of a scene: a coordinator and two vans, all with one password."""

from typing import Any

import sqlalchemy as sa

from gateway.database.tables import account
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
