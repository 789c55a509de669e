"""What an operator asks first: counts, lags, the broker (WIRE.md, section 3)."""

from typing import Any

import sqlalchemy as sa

from gateway import alive, database
from gateway.clock import Clock
from gateway.journal import counters, trouble
from gateway.journal.reader import JournalReader
from gateway.settings import Settings
from gateway.watching import news


def of(settings: Settings) -> dict[str, Any]:
    """Counts over the life of the data folder, lag of each projection in entries, the broker.

    Works whether or not the gateway runs. ``projections`` has those that have run once.
    """
    found, newest = _journal(settings)
    engine = database.connect(settings.database_path)
    with engine.connect() as connection:
        cursors = connection.execute(sa.select(database.projection)).all()
        clock = Clock(settings.clock_speed, settings.clock_origin)
        messages = news.lag(connection, clock.now())
    found["journal"]["trouble"] = trouble.read(settings.data)
    known = alive.look(engine, settings.gateway_id)
    engine.dispose()
    return {
        **found,
        "projections": {row.name: {"lag": max(0, newest - row.cursor)} for row in cursors},
        "broker": {"connected": known.connected},
        "gateway": {"running": known.running},
        "outbox": messages,
    }


def _journal(settings: Settings) -> tuple[dict[str, Any], int]:
    """The journal's counts and its newest entry; zeros where nothing was journaled yet."""
    if not settings.journal_path.exists():
        return counters.status({}) | {"journal": {"messages": 0, "leaves": 0}}, 0
    reader = JournalReader(settings.journal_path)
    found: dict[str, Any] = counters.status(reader.counts())
    found["journal"]["leaves"] = reader.leaves()
    newest = reader.last_id()
    reader.close()
    return found, newest
