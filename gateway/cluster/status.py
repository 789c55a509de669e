"""Counts over all gateways that share a database, for ``noria status``."""

from typing import Any

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.database import heartbeat
from gateway.journal import counters


def read_counts(engine: sa.Engine) -> tuple[dict[str, Any], int]:
    """``counters.status`` over all journals, and the newest place in their common order.

    Refusals are each gateway's own counts, which it publishes every few seconds.
    """
    with engine.connect() as connection:
        kept = connection.execute(sa.select(tables.head.c.counts)).scalar_one()
        members = connection.execute(sa.select(tables.member)).all()
        holder = connection.execute(sa.select(tables.holder.c.gateway)).scalar_one()
        last = connection.scalar(sa.select(sa.func.max(tables.place.c.place))) or 0
    found: dict[str, Any] = counters.status(kept)
    found["journal"]["leaves"] = 0
    for row in members:
        if row.counts:
            _add(found, row.counts)
    known = heartbeat.read_all(engine)
    names = [row.gateway for row in members if row.gateway in known]
    gateways = {name: _gateway(engine, name, holder) for name in names}
    return found | {"gateways": gateways}, last


def _add(found: dict[str, Any], counts: dict[str, Any]) -> None:
    found["received"]["duplicate"] += counts["received"]["duplicate"]
    found["journal"]["leaves"] += counts["journal"]["leaves"]
    for reason, number in counts["refused"].items():
        found["refused"][reason] += number
    for reason, number in counts.get("feeds", {}).items():
        found["feeds"][reason] += number


def _gateway(engine: sa.Engine, name: str, holder: str) -> dict[str, bool]:
    known = heartbeat.read(engine, name)
    watches = name == holder and known.running
    return {"running": known.running, "connected": known.connected, "watches": watches}
