"""The consumers of the journal, each on its own thread, for one gateway and for a cluster."""

import contextlib
from collections.abc import Callable, Generator, Sequence

import sqlalchemy as sa

from gateway.alerts import channels
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording, Outbox
from gateway.alerts.people.dispatch import PEOPLE
from gateway.alerts.people.keys import KeyFile
from gateway.alerts.people.services import open_services
from gateway.alerts.people.workers import PersonalAlerts
from gateway.devices.answers import AnswersProjection
from gateway.projections import figures, live
from gateway.projections.figures import FigureWriter
from gateway.projections.live import LiveTopics, Publish
from gateway.projections.readings import projection
from gateway.projections.readings.messages import EntrySource
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import BATCH, LOOK_S, Projection, Runner
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings
from gateway.stores.factory import newest_registry, open_store
from gateway.stores.influxdb import InfluxStore
from gateway.stores.port import STORE, ReadingStore

REST_S = 0.1
"""Between two steps of readings and live topics, which are less urgent than alerts."""

MakeWatch = Callable[[Sequence[str], Wakeup], Projection]
"""Makes the watch, given the names of the channels and what to notify of new alerts."""


@contextlib.contextmanager
def running(
    settings: Settings, engine: sa.Engine, clock: Clock, open_journal: Callable[[], EntrySource],
    journal_grew: Wakeup, make_watch: MakeWatch, publish: Publish, *, with_store: bool,
) -> Generator[LiveTopics]:  # fmt: skip
    """Run the consumers until the block ends, each on a thread of its own.

    Watch, alert outbox, devices' answers and live topics; ``with_store`` also the readings, and
    with InfluxDB the figures for Grafana. Yields the live topics.
    """
    opened = channels.open_channels(settings.channels)
    wording = AlertWording(Language(settings.language, settings.timezone), settings.public_url)
    watch_saved, outbox_grew = Wakeup(), Wakeup()
    services = open_services(settings.services)
    personal = [PEOPLE] if services else []
    watch = make_watch([*(channel.name for channel in opened), *personal], outbox_grew)
    topics = LiveTopics(engine, publish, random_ids=settings.live_ids == "random")
    threads: list[Runner | Worker | Outbox | PersonalAlerts] = [
        Outbox(engine, opened, clock, outbox_grew, wording, personal),
        Runner(watch, open_journal, engine, journal_grew, clock, then=watch_saved),
        Worker(live.NAME, topics.turn, watch_saved, rest_s=REST_S),
        Runner(AnswersProjection(engine), open_journal, engine, journal_grew, clock, rest_s=REST_S),
    ]
    with contextlib.ExitStack() as stack:
        if with_store:
            store = open_store(settings, engine, renew=True)
            stack.callback(store.close)
            threads.append(readings_runner(store, engine, clock, open_journal, journal_grew))
            if isinstance(store, InfluxStore):
                points = FigureWriter(engine, store, newest_registry(engine), clock)
                threads.append(Worker(figures.NAME, points.turn, watch_saved))
        if services:
            keys = KeyFile(settings.data)
            threads.append(PersonalAlerts(engine, services, keys, clock, outbox_grew, wording))
        for thread in threads:
            thread.start()
            stack.callback(thread.stop)
        yield topics


def readings_runner(
    store: ReadingStore, engine: sa.Engine, clock: Clock, open_journal: Callable[[], EntrySource],
    journal_grew: Wakeup, *, cursor_name: str = STORE, look_s: float = LOOK_S,
) -> Runner:  # fmt: skip
    """The thread that fills the store; large batches where the store is another process."""
    return Runner(
        ReadingsProjection(store, open_journal, engine, cursor_name),
        open_journal, engine, journal_grew, clock, rest_s=REST_S, look_s=look_s,
        batch=projection.BATCH if isinstance(store, InfluxStore) else BATCH,
    )  # fmt: skip
