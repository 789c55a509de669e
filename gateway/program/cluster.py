"""One gateway among several, put together: what each runs, and what only the holder runs."""

import contextlib
from collections.abc import Callable, Generator, Sequence

import sqlalchemy as sa

from gateway.alerts import channels
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording, Outbox
from gateway.cluster import acks, merge_order
from gateway.cluster import pruning as pruned
from gateway.cluster.acks import ClusterAcks
from gateway.cluster.archives import archives_of
from gateway.cluster.cursor_name import readings_cursor
from gateway.cluster.leader import LeaderElection
from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.name_lock import hold_name
from gateway.cluster.pruning import EntryPruner
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.domain.entry import Entry
from gateway.ingest.batch import Ack
from gateway.journal.reader import JournalReader
from gateway.mqtt.publish_queue import PublishQueue
from gateway.projections import figures, live
from gateway.projections.figures import FigureWriter
from gateway.projections.live import LiveTopics
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import Runner
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings
from gateway.stores.factory import newest_registry, open_store
from gateway.stores.influxdb import InfluxStore

REST_S = 0.1
_LONGEST_WAIT_S = 2.0


class ClusterLink:
    """What the listener's thread says to the others, and asks of them."""

    def __init__(self, registrar: Registrar, ears: ListeningFlag, holding: LeaderElection) -> None:
        self._registrar = registrar
        self._ears = ears
        self._holding = holding
        self._again: Callable[[], None] | None = None

    @property
    def holds(self) -> bool:
        """Whether this gateway holds the watch."""
        return self._holding.holds

    def hears(self, listening: bool, committing_since: float | None) -> None:
        """We listen, or do not; a batch is committed from now (Unix s) on, where there is one."""
        self._ears.committing_since = committing_since
        self._ears.listening = listening

    def due(self, said: Sequence[Ack], entry: int) -> None:
        """A commit that ends with ``entry`` asks for these acks, over the union of journals."""
        self._ears.committing_since = None
        for ack in said:
            self._registrar.due(ack.device, ack.era, entry)

    def again(self) -> None:
        """The broker may have forgotten: the holder publishes acks and live topics again."""
        if again := self._again:
            again()

    def answer_again_with(self, again: Callable[[], None] | None) -> None:
        """Called by the holder's parts as they come and go."""
        self._again = again


@contextlib.contextmanager
def join(
    settings: Settings, engine: sa.Engine, clock: Clock, wake: Wakeup, outgoing: PublishQueue
) -> Generator[ClusterLink]:
    """Register what is journaled here, stand for the watch, and keep a store of our own.

    ``wake`` rings when the journal grew. Raises JournalError and HeldError when we may not join.
    """
    with hold_name(engine, settings.gateway_id):
        ears = ListeningFlag()
        registrar = Registrar(
            engine, lambda: JournalReader(settings.journal_path), settings.gateway_id, wake, clock,
            ears,
        )  # fmt: skip

        @contextlib.contextmanager
        def held(fenced: sa.Engine) -> Generator[None]:
            with _holding(settings, fenced, clock, outgoing) as again:
                shared.answer_again_with(again)
                again()
                yield
            shared.answer_again_with(None)

        holding = LeaderElection(engine, settings.gateway_id, held)
        shared = ClusterLink(registrar, ears, holding)
        pruning = EntryPruner(
            engine, lambda: JournalReader(settings.journal_path), settings.gateway_id
        )
        prune = Worker(pruned.NAME, pruning.turn, Wakeup())
        registrar.start()
        holding.start()
        prune.start()
        try:
            with _own_store(settings, engine, clock):
                yield shared
        finally:
            prune.stop()
            registrar.stop()
            holding.stop()


@contextlib.contextmanager
def _own_store(settings: Settings, engine: sa.Engine, clock: Clock) -> Generator[None]:
    """A SQLite store cannot be shared: each gateway fills its own from the one order."""
    if settings.store != "sqlite":
        yield
        return
    store = open_store(settings, engine)
    follow = Wakeup()

    def journal() -> MergedReader:
        return MergedReader(engine, archives_of(settings, engine))

    runner = Runner(
        ReadingsProjection(store, journal, engine, readings_cursor(settings)),
        journal, engine, follow, clock, rest_s=REST_S, look_s=0.5,
    )  # fmt: skip
    runner.start()
    try:
        yield
    finally:
        runner.stop()
        store.close()


class _Bounded:
    """The watch, whose timers wait for the horizon."""

    def __init__(self, watch: WatchProjection, merged: MergeOrder) -> None:
        self._watch = watch
        self._merged = merged
        self.name = watch.name

    def restore(self) -> None:
        self._watch.restore()

    def apply(self, entries: list[Entry]) -> None:
        self._watch.apply(entries)

    def idle(self, now: float) -> float | None:
        due = self._watch.idle(min(now, self._merged.at))
        # One that the horizon holds up is looked at again when the order has moved, not at once.
        return due if due is None or due > now else None


@contextlib.contextmanager
def _holding(
    settings: Settings, engine: sa.Engine, clock: Clock, outgoing: PublishQueue
) -> Generator[Callable[[], None]]:
    """What one gateway runs for all; gives what publishes acks and live topics again."""
    opened = channels.open_channels(settings.channels)
    speech = AlertWording(Language(settings.language, settings.timezone), settings.public_url)
    placed, told, mail = Wakeup(), Wakeup(), Wakeup()
    merged = MergeOrder(engine, clock, placed)
    watch = WatchProjection(
        engine, channels=[c.name for c in opened], outbox=mail, born=float("-inf"), listening=True
    )

    def journal() -> MergedReader:
        return MergedReader(engine, archives_of(settings, engine))

    said = ClusterAcks(engine, outgoing.publish, clock, newest_registry(engine))
    topics = LiveTopics(engine, outgoing.publish)
    threads: list[Runner | Worker | Outbox] = [
        Worker(acks.NAME, said.turn, Wakeup(), longest_wait_s=_LONGEST_WAIT_S),
        Worker(merge_order.NAME, merged.turn, Wakeup(), longest_wait_s=_LONGEST_WAIT_S),
        Runner(_Bounded(watch, merged), journal, engine, placed, clock, then=told, rest_s=0.01),
        Outbox(engine, opened, clock, mail, speech),
        Worker(live.NAME, topics.turn, told, rest_s=REST_S),
    ]
    store = open_store(settings, engine) if settings.store != "sqlite" else None
    if isinstance(store, InfluxStore):
        history = ReadingsProjection(store, journal, engine)
        threads.append(Runner(history, journal, engine, placed, clock, rest_s=REST_S))
        followed = FigureWriter(engine, store, newest_registry(engine), clock)
        threads.append(Worker(figures.NAME, followed.turn, told))

    def again() -> None:
        said.again()
        topics.republish()

    for thread in threads:
        thread.start()
    try:
        yield again
    finally:
        for thread in reversed(threads):
            thread.stop()
        if store is not None:
            store.close()
