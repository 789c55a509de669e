"""After a restore: orders devices to resend messages of former eras.

A node resends messages of its present era by itself as soon as it receives the older ack. Of former
eras it resends only messages that were never acknowledged: those that were acknowledged and are
missing from the backup have to be ordered.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction
from gateway.devices import commands
from gateway.domain.registry import Registry
from gateway.journal.eras import Era, Eras

resend_after = sa.Table(
    "resend_after",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("era", sa.Text, nullable=False),  # the newest one in the backup
    sa.Column("boot", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),  # the last message of that era in the backup
)


def note_restore(engine: sa.Engine, eras: Iterable[Era]) -> None:
    """Record the end of each device's newest era in the restored journal."""
    last = {era.device: era for era in eras}
    rows = [
        {"device": e.device, "era": e.era, "boot": e.line.end.place[0], "seq": e.line.end.place[1]}
        for e in last.values()
    ]
    with write_transaction(engine) as connection:
        connection.execute(sa.delete(resend_after))
        if rows:
            connection.execute(sa.insert(resend_after), rows)


class ResendOrders:
    """Orders missing messages as soon as a device's present era is known."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            rows = connection.execute(sa.select(resend_after)).all()
        self._waiting = {row.device: (row.era, row.boot, row.seq) for row in rows}

    def turn(self, eras: Eras, registry: Registry, now: float) -> None:
        """Order from each device that has sent since the restore (``now``: Unix s).

        A device that is still in the same era needs no order.
        """
        for device, (era, boot, seq) in list(self._waiting.items()):
            last = eras.last_of(device)
            if last is None or (last.era == era and last.line.end.place == (boot, seq)):
                continue  # no message since the restore
            row = registry.device(device)
            has_key = row is not None and row.key is not None and not row.revoked
            with write_transaction(self._engine) as connection:
                if has_key and last.era != era:
                    start = (era, boot, seq)
                    commands.add_order(connection, registry, device, "resend", now, start)
                connection.execute(sa.delete(resend_after).where(resend_after.c.device == device))
            del self._waiting[device]
