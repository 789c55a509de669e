"""What is wrong with the messages of third-party sensors, written by the gateway for others."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction

feed_problem = sa.Table(
    "feed_problem",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("lasts", sa.Boolean, nullable=False),
)


class FeedProblem(NamedTuple):
    """``number`` of messages without a readable level, the newest ``reason``, and whether nothing
    was readable since for as long as the feed promises.
    """

    number: int
    reason: str
    lasts: bool


def replace(engine: sa.Engine, gateway: str, found: Mapping[str, FeedProblem]) -> None:
    """Replace the problems of this gateway's feeds, by device."""
    rows = [{"gateway": gateway, "device": d, **p._asdict()} for d, p in found.items()]
    with write_transaction(engine) as connection:
        connection.execute(sa.delete(feed_problem).where(feed_problem.c.gateway == gateway))
        if rows:
            connection.execute(sa.insert(feed_problem), rows)


def read(connection: sa.Connection, gateway: str) -> dict[str, FeedProblem]:
    """By device."""
    query = sa.select(feed_problem).where(feed_problem.c.gateway == gateway)
    rows = connection.execute(query.order_by(feed_problem.c.device)).all()
    return {row.device: FeedProblem(row.number, row.reason, row.lasts) for row in rows}
