"""Each projection's position in the journal, and the state saved with it.

A projection saves its cursor and its state in one transaction, after its effects are durable (or
with them): after a crash it applies some entries twice, but misses none. The watch's state may be
behind its cursor (``gateway.projections.watch.checkpoint``).
"""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import projection, projection_state
from gateway.domain.entry import JSON

_DELETE = projection_state.delete().where(
    projection_state.c.name == sa.bindparam("of_name"),
    projection_state.c.key == sa.bindparam("of_key"),
)


def load(connection: sa.Connection, name: str) -> int:
    """The id of the last journal entry that projection ``name`` has applied; 0 before the first."""
    found = connection.scalar(sa.select(projection.c.cursor).where(projection.c.name == name))
    return int(found or 0)


def save(connection: sa.Connection, name: str, entry_id: int) -> None:
    """Record that projection ``name`` has applied everything up to ``entry_id``."""
    upsert(connection, projection, [(name, entry_id)])


def load_state(connection: sa.Connection, name: str) -> dict[str, JSON]:
    """The saved state of projection ``name``, by key."""
    rows = connection.execute(
        sa.select(projection_state.c.key, projection_state.c.value).where(
            projection_state.c.name == name
        )
    )
    return {row.key: row.value for row in rows}


def save_state(connection: sa.Connection, name: str, changed: Mapping[str, object]) -> None:
    """Replace the state under the given keys; a value of None deletes its key.

    Values are JSON values, or objects that msgspec encodes as JSON.
    """
    deleted = [{"of_name": name, "of_key": key} for key, value in changed.items() if value is None]
    if deleted:
        connection.execute(_DELETE, deleted)
    kept = ((key, value) for key, value in changed.items() if value is not None)
    rows = ((name, key, msgspec.json.encode(value).decode()) for key, value in kept)
    upsert(connection, projection_state, rows)


def reset(connection: sa.Connection, name: str) -> None:
    """Projection ``name`` starts again at the journal's first entry, without state."""
    connection.execute(projection.delete().where(projection.c.name == name))
    connection.execute(projection_state.delete().where(projection_state.c.name == name))
