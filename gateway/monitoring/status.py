"""Counts, lags and the broker, for an operator (WIRE.md, section 3)."""

import time
from typing import Any, TypeAlias

import sqlalchemy as sa

from gateway.alerts import relevance
from gateway.database import feed_problems, heartbeat, troubles
from gateway.database.engine import open_database
from gateway.database.tables import projection
from gateway.journal import counters, failure_file
from gateway.journal.reader import JournalReader
from gateway.mqtt.certificates import facts
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from gateway.stores.port import STORE, readings_cursor

Status: TypeAlias = dict[str, dict[str, Any]]
"""``noria status --json`` (WIRE.md): figures by section."""


def read_status(settings: Settings) -> Status:
    """Counts over the life of the data folder, lag of each projection in entries, the broker.

    Works whether or not the gateway runs. ``projections`` has those that have run before. Where
    gateways share a PostgreSQL, counts and lags are over all of them, and ``gateways`` has each.
    """
    engine = open_database(settings)
    try:
        return _read(settings, engine)
    finally:
        engine.dispose()


def _read(settings: Settings, engine: sa.Engine) -> Status:
    if settings.shared:
        from gateway.cluster import status  # imports PostgreSQL's types, not needed by one gateway

        found, newest = status.read_counts(engine)
    else:
        found, newest = _journal(settings)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(projection)).all()
        cursors = {row.name: row.cursor for row in rows}
        if settings.shared:
            own = cursors.get(readings_cursor(settings))
            cursors = {name: at for name, at in cursors.items() if not name.startswith(STORE)}
            cursors |= {} if own is None else {STORE: own}
        waiting = troubles.read(connection)
        problems = feed_problems.read(connection, settings.gateway_id)
        clock = Clock(settings.clock_speed, settings.clock_origin)
        outbox = relevance.lag(connection, clock.now())
    found["journal"]["trouble"] = failure_file.read(settings.data)
    known = heartbeat.read(engine, settings.gateway_id)
    feeds = heartbeat.read_feeds(engine, settings.gateway_id)
    return {
        **found,
        "feeds": found["feeds"]
        | {"brokers": {b: {"connected": c} for b, c in feeds.items()}}
        | ({"problems": {d: p._asdict() for d, p in problems.items()}} if problems else {}),
        "projections": {
            name: {"lag": max(0, newest - at)}
            | ({"trouble": waiting[name].reason} if name in waiting else {})
            for name, at in cursors.items()
        },
        "broker": {"connected": known.connected, **_tls(settings)},
        "gateway": {"running": known.running},
        "outbox": outbox,
    }


def _tls(settings: Settings) -> dict[str, Any]:
    """Whether devices have TLS, where anybody may connect without, the certificate's end (Unix s)
    and what to do about it."""
    found: dict[str, Any] = {"plain": facts.plain(settings)}
    found["tls"] = facts.has_tls(settings)
    served = facts.noted(settings) if facts.source(settings) else None
    if served is not None:
        found["certificate_ends"] = served.ends
        if warning := facts.warning(settings, time.time()):
            found["warning"] = warning
    return found


def _journal(settings: Settings) -> tuple[Status, int]:
    """The journal's counts and its newest entry; zeros where there is no journal yet."""
    if not settings.journal_path.exists():
        return counters.status({}) | {"journal": {"messages": 0, "leaves": 0}}, 0
    reader = JournalReader(settings.journal_path)
    found: Status = {**counters.status(reader.counts())}
    found["journal"]["leaves"] = reader.last_id()
    newest = reader.last_id()
    reader.close()
    return found, newest
