"""The projections of this package as one program runs them; ``watch`` joins them there."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.devices.answers import AnswersProjection
from gateway.journal.reader import JournalReader
from gateway.projections import figures, live
from gateway.projections.figures import FigureWriter
from gateway.projections.live import LiveTopics, Publish
from gateway.projections.readings import projection
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import BATCH, BATCH_BYTES, Runner
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings
from gateway.stores.factory import newest_registry, open_store
from gateway.stores.influxdb import InfluxStore

REST_S = 0.1
"""Neither history nor live topics are in a hurry; alerts are."""


@dataclass(frozen=True, slots=True)
class Projections:
    """Everything that follows the journal or the watch; ``start`` and ``stop`` are for all."""

    threads: tuple[Runner | Worker, ...]
    republish: Callable[[], None]
    """Call it when the broker is back: the live topics are published again."""
    close: Callable[[], None]

    def start(self) -> None:
        """Start every thread."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Stop and join every thread, then close the store."""
        for thread in self.threads:
            thread.stop()
        self.close()


def compose(
    settings: Settings,
    engine: sa.Engine,
    clock: Clock,
    *,
    wake: Wakeup,
    told: Wakeup,
    publish: Publish,
) -> Projections:
    """Store and live topics, and the figures for Grafana where InfluxDB keeps the readings.

    ``wake`` rings when the journal grew, ``told`` when the watch has saved (its ``Runner``'s
    ``then``).
    """
    store = open_store(settings, engine)

    def journal() -> JournalReader:
        return JournalReader(settings.journal_path)

    elsewhere = isinstance(store, InfluxStore)
    topics = LiveTopics(engine, publish)
    threads: list[Runner | Worker] = [
        Runner(
            ReadingsProjection(store, journal, engine),
            journal,
            engine,
            wake,
            clock,
            rest_s=REST_S,
            batch=projection.BATCH if elsewhere else BATCH,
            batch_bytes=projection.BATCH_BYTES if elsewhere else BATCH_BYTES,
        ),
        Runner(AnswersProjection(engine), journal, engine, wake, clock, rest_s=REST_S),
        Worker(live.NAME, topics.turn, told, rest_s=REST_S),
    ]
    if isinstance(store, InfluxStore):
        followed = FigureWriter(engine, store, newest_registry(engine), clock)
        threads.append(Worker(figures.NAME, followed.turn, told))
    return Projections(tuple(threads), topics.republish, store.close)
