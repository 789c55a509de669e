"""Anomalous messages by device, for the coordinator's page of devices.

The journal counts them; the gateway copies changed counts to the database, which the server reads.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction
from gateway.journal.counters import Mark

device_oddity = sa.Table(
    "device_oddity",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    # fork flagged era gap bad_mac revoked old_key oversize flood
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),  # Unix s
)


def save(engine: sa.Engine, gateway: str, marks: Iterable[Mark]) -> None:
    """Replace the rows of this gateway for these devices and anomalies."""
    rows = [(gateway, mark.device, mark.what, mark.count, mark.last) for mark in marks]
    with write_transaction(engine) as connection:
        upsert(connection, device_oddity, rows)


def by_device(engine: sa.Engine) -> dict[str, list[Mark]]:
    """The anomalies of each device, counted over all gateways, the latest first."""
    table = device_oddity.c
    query = (
        sa.select(table.device, table.what, sa.func.sum(table.count), sa.func.max(table.last))
        .group_by(table.device, table.what)
        .order_by(sa.func.max(table.last).desc(), table.what)
    )
    found: dict[str, list[Mark]] = {}
    with engine.connect() as connection:
        for device, what, count, last in connection.execute(query):
            found.setdefault(device, []).append(Mark(device, what, int(count), int(last)))
    return found
