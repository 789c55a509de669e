"""A gateway's files with the watch on them, without broker or threads."""

from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.ingest import pending_facts
from gateway.journal.diary import Diary
from gateway.projections import cursor
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime.wakeup import Wakeup
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance

CHANNELS = ("log", "ntfy-3fa2b1")


class Scene:
    """``restart`` is a fresh process."""

    def __init__(self, folder: Path) -> None:
        self.gateway = Gateway(folder)
        self.engine = self.gateway.engine
        self.wakeup = Wakeup()
        self.node = SigningDevice()
        self.listen(T0 - 10.0)
        self.restart()

    def listen(self, now: float) -> None:
        """The gateway starts, connects to its broker, and has drained the queue there."""
        Diary(self.gateway.journal).start(now, 0.0)
        for what in ("broker_back", "broker_drained"):
            with self.gateway.journal.transaction():
                self.gateway.journal.log.append_fact("run", now + 1.0, {"run": what})

    def restart(self, born: float = T0 - 10.0, gather_s: float = 0.0) -> None:
        self.watch = WatchProjection(
            self.engine, channels=CHANNELS, outbox=self.wakeup, born=born, gather_s=gather_s
        )

    def catch_up(self, batch: int = 1000) -> None:
        with closing(self.gateway.reader()) as journal:
            while entries := journal.entries(self.cursor(), batch):
                self.watch.apply(entries)

    def cursor(self) -> int:
        with self.engine.connect() as connection:
            return cursor.load(connection, "watch")

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table)))

    def sinks(self) -> None:
        """The tank falls from 720 to 190 litres, a reading every 10 minutes, as people draw."""
        for step, mm in enumerate(range(430, 930, 30)):
            self.gateway.receive(self.node.send(T0 + 600 * step, distance(mm)))

    def journal_facts(self) -> None:
        pending_facts.journal_pending(self.engine, self.gateway.journal)
