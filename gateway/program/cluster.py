"""What a gateway runs besides when several share a database, and what only their leader runs."""

import contextlib
from collections.abc import Callable, Generator, Sequence

import sqlalchemy as sa

from gateway.cluster import acks, merge_order, pruning
from gateway.cluster.ack_requests import AckRequests
from gateway.cluster.acks import ClusterAcks
from gateway.cluster.archives import archives_of
from gateway.cluster.leader import LeaderElection
from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.names import hold_name
from gateway.cluster.pruning import EntryPruner
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.domain.entry import Entry
from gateway.journal.reader import JournalReader
from gateway.mqtt.publish_queue import PublishQueue
from gateway.program import consumers
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings
from gateway.stores.factory import newest_registry, open_store
from gateway.stores.port import readings_cursor

_LOOK_S = 0.5
_LONGEST_WAIT_S = 2.0


@contextlib.contextmanager
def join(
    settings: Settings, engine: sa.Engine, clock: Clock, journal_grew: Wakeup,
    publications: PublishQueue,
) -> Generator[AckRequests]:  # fmt: skip
    """Register what is journaled here, take part in the election, and fill our own SQLite store.

    Raises JournalError or LockHeldError where the gateway may not join the cluster.
    """

    def open_journal() -> JournalReader:
        return JournalReader(settings.journal_path)

    @contextlib.contextmanager
    def lead(fenced: sa.Engine) -> Generator[None]:
        with _leading(settings, fenced, clock, publications) as republish:
            requests.republish = republish
            republish()
            try:
                yield
            finally:
                requests.republish = None

    with hold_name(engine, settings.gateway_id):
        flag = ListeningFlag()
        registrar = Registrar(engine, open_journal, settings.gateway_id, journal_grew, clock, flag)
        election = LeaderElection(engine, settings.gateway_id, lead)
        requests = AckRequests(registrar, flag, election)
        pruner = EntryPruner(engine, open_journal, settings.gateway_id)
        pruning_worker = Worker(pruning.NAME, pruner.turn, Wakeup())
        for thread in (registrar, election, pruning_worker):
            thread.start()
        try:
            with _own_store(settings, engine, clock):
                yield requests
        finally:
            for thread in (pruning_worker, registrar, election):
                thread.stop()


@contextlib.contextmanager
def _own_store(settings: Settings, engine: sa.Engine, clock: Clock) -> Generator[None]:
    """Gateways cannot share a SQLite store, so each fills its own from the merged journal."""
    if settings.store != "sqlite":
        yield
        return
    store = open_store(settings, engine, renew=True)
    runner = consumers.readings_runner(
        store, engine, clock, _merged_journal(settings, engine), Wakeup(),
        cursor_name=readings_cursor(settings), look_s=_LOOK_S,
    )  # fmt: skip
    runner.start()
    try:
        yield
    finally:
        runner.stop()
        store.close()


def _merged_journal(settings: Settings, engine: sa.Engine) -> Callable[[], MergedReader]:
    return lambda: MergedReader(engine, archives_of(settings, engine))


class _BoundedWatch:
    """The watch, whose timers wait for the horizon of the merged journal."""

    def __init__(self, watch: WatchProjection, order: MergeOrder) -> None:
        self._watch = watch
        self._order = order
        self.name = watch.name

    def restore(self) -> None:
        self._watch.restore()

    def apply(self, entries: list[Entry]) -> None:
        self._watch.apply(entries)

    def idle(self, now: float) -> float | None:
        due = self._watch.idle(min(now, self._order.at))
        # A timer behind the horizon is looked at again when the order has grown, not at once.
        return due if due is None or due > now else None


@contextlib.contextmanager
def _leading(
    settings: Settings, engine: sa.Engine, clock: Clock, publications: PublishQueue
) -> Generator[Callable[[], None]]:
    """Run what the leader runs for all; yields what publishes all acks and live topics again."""
    order_grew = Wakeup()
    order = MergeOrder(engine, clock, order_grew)
    publisher = ClusterAcks(engine, publications.publish, clock, newest_registry(engine))

    def make_watch(channels: Sequence[str], outbox_grew: Wakeup) -> _BoundedWatch:
        watch = WatchProjection(
            engine, channels=channels, outbox=outbox_grew, born=float("-inf"), listening=True
        )
        return _BoundedWatch(watch, order)

    with contextlib.ExitStack() as stack:
        for name, step in ((acks.NAME, publisher.turn), (merge_order.NAME, order.turn)):
            worker = Worker(name, step, Wakeup(), longest_wait_s=_LONGEST_WAIT_S)
            worker.start()
            stack.callback(worker.stop)
        topics = stack.enter_context(
            consumers.running(
                settings, engine, clock, _merged_journal(settings, engine), order_grew, make_watch,
                publications.publish, with_store=settings.store != "sqlite",
            )
        )  # fmt: skip

        def republish() -> None:
            publisher.again()
            topics.republish()

        yield republish
