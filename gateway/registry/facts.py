"""The log's facts about registry rows, without names, keys or free text.

A tank and a site are identified by their random id, a key by its SHA-256.
"""

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa

from gateway.database.tables import queue_fact
from gateway.domain.registry import Device, Install, Plan, Site, Tank
from gateway.registry.tables import Row

_PRIVATE = ("id", "name", "people_source", "uplink", "key", "public_key", "site", "tank")


def queue(
    connection: sa.Connection,
    row: Row,
    row_id: int,
    now: float,
    rids: Mapping[tuple[str, str], str],
) -> None:
    """Queue the fact of one new row: ``plan`` for plans, ``cal`` for installs and for tanks that
    were measured with a bucket, else ``reg``.

    A device's row also queues the fact ``cust``: the gateway has this key from now on.
    """
    table = type(row).__name__.lower()
    kind = {"plan": "plan", "install": "cal"}.get(table, "reg")
    if isinstance(row, Tank) and row.table:
        kind = "cal"
    public = {name: getattr(row, name) for name in row.__slots__ if name not in _PRIVATE}
    public = {name: value for name, value in public.items() if value is not None}
    subject, ids = _identify(row, rids)
    queue_fact(connection, f"{kind}:{row_id}", now, kind, subject, {"row": table, **public, **ids})
    if isinstance(row, Device) and row.key is not None:
        custody = {"device": row.id, "key_sha256": hashlib.sha256(row.key).hexdigest()}
        queue_fact(connection, f"cust:{row_id}", now, "cust", subject, custody)


def _identify(row: Row, rids: Mapping[tuple[str, str], str]) -> tuple[str, dict[str, str]]:
    """The fact's subject, and the ids in its body."""
    if isinstance(row, Site):
        return "-", {}
    if isinstance(row, Tank):
        return row.rid, {"site": rids.get(("site", row.site), "-")}
    tank = rids.get(("tank", row.tank), "-")
    match row:
        case Install():
            return row.device, {"tank": tank}
        case Plan():
            return tank, {"tank": tank}
        case Device():
            ids = {"device": row.id, "tank": tank}
            if row.key is not None:
                ids["key_sha256"] = hashlib.sha256(row.key).hexdigest()
            if row.public_key is not None:
                ids["public_key"] = row.public_key.hex()
            return row.id, ids
