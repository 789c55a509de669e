"""The gateway program: makes every part once, and ends them in order."""

import contextlib
import gc
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import sqlalchemy as sa

from gateway.database import transaction
from gateway.database.engine import open_database
from gateway.devices import broker_trust, resend
from gateway.domain.registry import Registry
from gateway.errors import JournalError
from gateway.ingest.acks import Acks, LocalAcks
from gateway.ingest.adapters import mapping
from gateway.ingest.adapters.intake import FeedIntake
from gateway.ingest.adapters.mapping import MappingFile
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Ingest
from gateway.ingest.chores import Chores, DeviceCommands, JournalRecords, RegistryReload, StatusRows
from gateway.ingest.commits import Commits
from gateway.ingest.loop import IngestLoop
from gateway.journal import log_key, rollback
from gateway.journal.archive import schedule
from gateway.journal.diary import Diary
from gateway.journal.failure_file import FailureFile
from gateway.journal.integrity.witness import Witness
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.mqtt import broker
from gateway.mqtt.publish_queue import PublishQueue
from gateway.mqtt.session import Session
from gateway.program import consumers
from gateway.projections.live import LiveTopics
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime import file_lock, memory
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import SelectWakeup, Wakeup
from gateway.settings import Settings

WATCH_GATHER_S = 0.05
"""Between two saves of the watch, unless there is an alert."""

COLLECT = (20_000, 50, 20)
"""There is little cyclic garbage: collecting at Python's pace costs a tenth of ingest."""


def run(settings: Settings) -> int:
    """Run the gateway until SIGTERM or SIGINT; prints ``ready`` when it receives messages.

    Raises NoriaError when it cannot start: the message names the remedy.
    """
    memory.limit_arenas()
    gc.set_threshold(*COLLECT)
    mapped = mapping.read(Path(settings.adapters)) if settings.adapters else MappingFile()
    with file_lock.hold(settings.data / file_lock.NAME), ExitStack() as parts:
        clock = Clock(settings.clock_speed, settings.clock_origin)
        engine = open_database(settings)
        parts.callback(engine.dispose)
        witness = Witness(settings.witness_paths)
        parts.callback(witness.close)
        journal = Journal(settings.journal_path, settings.gateway_id, witness.keep)
        parts.callback(journal.close)
        failure_file = FailureFile(settings.data)
        parts.callback(failure_file.close)
        wakeup, stopping = SelectWakeup(), threading.Event()
        parts.callback(wakeup.close)
        journal_grew, publications = Wakeup(), PublishQueue(wakeup)
        diary = _open_diary(settings, engine, journal, witness, clock)
        address = parts.enter_context(broker.connect_broker(settings, engine))
        shared = settings.shared and settings.broker != "auto"  # a private one serves us alone
        session = Session(address, settings.gateway_id, wakeup, clock.now, shared=shared)
        intake = FeedIntake(mapped.feeds)
        ingest = Ingest(journal, Registry(), intake)
        acks: Acks
        if settings.shared:
            from gateway.program import cluster  # imports PostgreSQL's types

            acks = parts.enter_context(
                cluster.join(settings, engine, clock, journal_grew, publications)
            )
            republish = acks.publish_all
        else:
            topics = parts.enter_context(
                _consumers(settings, engine, clock, journal_grew, publications)
            )
            acks, republish = LocalAcks(session, ingest, clock, journal_grew), topics.republish
        parts.enter_context(schedule.running(settings, clock, journal_grew))
        feeds = Feeds(mapped, settings.gateway_id, wakeup, clock.now)
        feeds.start()
        parts.callback(feeds.stop)
        alone = not settings.shared
        chores = Chores(
            RegistryReload(engine, ingest, alone),
            JournalRecords(engine, journal, diary, acks, clock, journal_grew),
            StatusRows(
                engine, settings.gateway_id, f"{address.host}:{address.port}", journal, session,
                feeds, intake.problems, alone,
            ),
            DeviceCommands(
                engine, journal, ingest, session, acks, clock, broker_trust.tls_port(settings)
            ),
        )  # fmt: skip
        commits = Commits(ingest, failure_file, chores.prepare, stopping)
        _stop_by_signal(stopping, wakeup)
        IngestLoop(
            session, feeds, journal, commits, acks, chores, publications, republish, journal_grew,
            clock, stopping,
        ).run()  # fmt: skip
    return 0


def _open_diary(
    settings: Settings, engine: sa.Engine, journal: Journal, witness: Witness, clock: Clock
) -> Diary:
    """The diary of the journal, whose log begins with its origin.

    A journal restored from a backup begins a new log with its first entry, and raises JournalError
    where a shared database has gone on without it.
    """
    lost = rollback.find_rollback(journal, witness)
    if not settings.shared:
        rollback.realign_database(engine, journal.last_id)
        if lost is not None:
            resend.note_restore(engine, journal.eras.all())
    elif lost is not None:
        raise JournalError(
            f"{settings.journal_path} came back from a backup, while the shared database went on: "
            "start this gateway with another gateway_id and an empty data folder"
        )
    private = log_key.log_key(settings.data)
    diary = Diary(journal)
    diary.open(clock.now(), lambda: log_key.public_key(private), log_key.build(), lost)
    witness.keep(journal.log.seen)
    witness.sync()
    return diary


@contextlib.contextmanager
def _consumers(
    settings: Settings, engine: sa.Engine, clock: Clock, journal_grew: Wakeup,
    publications: PublishQueue,
) -> Generator[LiveTopics]:  # fmt: skip
    """The consumers of this gateway's own journal."""
    made = transaction.projection_engine(engine)

    def open_journal() -> JournalReader:
        return JournalReader(settings.journal_path)

    def make_watch(channels: Sequence[str], outbox_grew: Wakeup) -> WatchProjection:
        settle_s = clock.speed  # one real second
        return WatchProjection(
            made, channels=channels, outbox=outbox_grew, born=clock.now(), settle_s=settle_s,
            gather_s=WATCH_GATHER_S, open_journal=open_journal,
        )  # fmt: skip

    try:
        with consumers.running(
            settings, made, clock, open_journal, journal_grew, make_watch, publications.publish,
            with_store=True,
        ) as topics:  # fmt: skip
            yield topics
    finally:
        if made is not engine:
            made.dispose()


def _stop_by_signal(stopping: threading.Event, wakeup: SelectWakeup) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        wakeup.notify()
        # Repeated, as a service manager or a person does, they would interrupt the closing.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
