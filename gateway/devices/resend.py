"""After a restore: what a device said before it drew its present era is asked for by name.

Whatever its present era holds, a node sends again by itself as soon as it hears our older ack. But
of former eras it sends again only what nobody ever acknowledged: what we acknowledged and lost, it
takes for safe.
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
    sa.Column("era", sa.Text, nullable=False),  # its last one when the backup was made
    sa.Column("boot", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),  # where that era's line stood
)


def note_restore(engine: sa.Engine, eras: Iterable[Era]) -> None:
    """The journal is a restored one: remember where each device's last era stood."""
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
    """Orders what is missing as soon as a device shows which era it is in now."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            rows = connection.execute(sa.select(resend_after)).all()
        self._waiting = {row.device: (row.era, row.boot, row.seq) for row in rows}

    def turn(self, eras: Eras, registry: Registry, now: float) -> None:
        """Order, or forget whoever has filled its era. ``now`` is Unix s."""
        for device, (era, boot, seq) in list(self._waiting.items()):
            last = eras.last_of(device)
            if last is None or (last.era == era and last.line.end.place == (boot, seq)):
                continue  # it has not spoken since
            row = registry.device(device)
            able = row is not None and row.key is not None and not row.revoked
            with write_transaction(self._engine) as connection:
                if able and last.era != era:
                    commands.order(connection, registry, device, "resend", now, (era, boot, seq))
                connection.execute(sa.delete(resend_after).where(resend_after.c.device == device))
            del self._waiting[device]
