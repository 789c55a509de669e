"""What the log is told of a registry row: no name, no key, no free text.

A tank and a site stand by their random id, a key by its SHA-256; free text is left out.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gateway.database.tables import fact
from gateway.domain.registry import Device, Install, Plan, Site, Tank

_LEFT_OUT = ("id", "name", "people_source", "uplink", "key", "public_key", "site", "tank")


def queue(
    connection: sa.Connection,
    row: Site | Tank | Device | Install | Plan,
    row_id: int,
    now: float,
    rids: Mapping[tuple[str, str], str],
) -> None:
    """Queue the fact of one new row: ``plan`` for plans, ``cal`` for installs and for tanks that
    were measured with a bucket, else ``reg``.

    A device's row also says, as ``cust``, which key is in our hands from then on.
    """
    kind = {"Plan": "plan", "Install": "cal"}.get(type(row).__name__, "reg")
    if isinstance(row, Tank) and row.table:
        kind = "cal"
    body = {"row": type(row).__name__.lower(), **_figures(row), **_ids(row, rids)}
    subject = _subject(row, rids)
    _add(connection, f"{kind}:{row_id}", now, kind, subject, body)
    if isinstance(row, Device) and row.key is not None:
        custody = {"device": row.id, "key_sha256": hashlib.sha256(row.key).hexdigest()}
        _add(connection, f"cust:{row_id}", now, "cust", subject, custody)


def _add(
    connection: sa.Connection, key: str, now: float, kind: str, subject: str, body: dict[str, Any]
) -> None:
    connection.execute(
        sa.insert(fact).values(key=key, time=now, kind=kind, subject=subject, lines={}, body=body)
    )


def _figures(row: Site | Tank | Device | Install | Plan) -> dict[str, Any]:
    figures = {name: getattr(row, name) for name in row.__slots__ if name not in _LEFT_OUT}
    return {name: value for name, value in figures.items() if value is not None}


def _ids(
    row: Site | Tank | Device | Install | Plan, rids: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    match row:
        case Site():
            return {}
        case Tank():
            return {"site": rids.get(("site", row.site), "-")}
        case Device():
            ids: dict[str, Any] = {"device": row.id, "tank": rids.get(("tank", row.tank), "-")}
            if row.key is not None:
                ids["key_sha256"] = hashlib.sha256(row.key).hexdigest()
            if row.public_key is not None:
                ids["public_key"] = row.public_key.hex()
            return ids
        case Install() | Plan():
            return {"tank": rids.get(("tank", row.tank), "-")}


def _subject(
    row: Site | Tank | Device | Install | Plan, rids: Mapping[tuple[str, str], str]
) -> str:
    match row:
        case Site():
            return "-"
        case Device():
            return row.id
        case Install():
            return row.device
        case Tank():
            return row.rid
        case Plan():
            return rids.get(("tank", row.tank), "-")
