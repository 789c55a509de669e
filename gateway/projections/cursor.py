"""Where each projection stands in the journal, and the state that belongs to that place.

A projection saves its cursor and its state in one transaction, after its effects are safe (or
together with them): after a crash it applies some entries again, never too few. The watch's state
may stand behind its cursor (``gateway.projections.watch.checkpoint``).
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import projection, projection_state

JSON: TypeAlias = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None
_AT_ONCE = 100
_FORGET = projection_state.delete().where(
    projection_state.c.name == sa.bindparam("of"), projection_state.c.key == sa.bindparam("under")
)


def load(connection: sa.Connection, name: str) -> int:
    """The id of the last journal entry that projection ``name`` has applied; 0 before the first."""
    found = connection.scalar(sa.select(projection.c.cursor).where(projection.c.name == name))
    return int(found or 0)


def save(connection: sa.Connection, name: str, entry_id: int) -> None:
    """Projection ``name`` has applied everything up to ``entry_id``."""
    upsert(connection, projection, [(name, entry_id)])


def load_state(connection: sa.Connection, name: str) -> dict[str, JSON]:
    """The saved state of projection ``name``, by key."""
    rows = connection.execute(
        sa.select(projection_state.c.key, projection_state.c.value).where(
            projection_state.c.name == name
        )
    )
    return {row.key: row.value for row in rows}


def save_state(connection: sa.Connection, name: str, changed: Mapping[str, Any]) -> None:
    """Replace the state under the given keys; a value of None forgets its key.

    Values are JSON values, or whatever msgspec makes JSON of: a hundred at a time, since a whole
    fleet's are dozens of megabytes.
    """
    gone = [{"of": name, "under": key} for key, value in changed.items() if value is None]
    if gone:
        connection.execute(_FORGET, gone)
    kept = [(key, value) for key, value in changed.items() if value is not None]
    for first in range(0, len(kept), _AT_ONCE):
        some = kept[first : first + _AT_ONCE]
        upsert(connection, projection_state, [(name, key, _json(value)) for key, value in some])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def reset(connection: sa.Connection, name: str) -> None:
    """Projection ``name`` begins again at the journal's first entry, without state."""
    connection.execute(projection.delete().where(projection.c.name == name))
    connection.execute(projection_state.delete().where(projection_state.c.name == name))


def lags(connection: sa.Connection, last_id: int) -> dict[str, int]:
    """How many entries each projection is behind a journal that ends at ``last_id``."""
    rows = connection.execute(sa.select(projection.c.name, projection.c.cursor))
    return {name: max(0, last_id - cursor) for name, cursor in rows}
