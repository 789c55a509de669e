"""The gateway program: every part made here once, and ended in order."""

import contextlib
import gc
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.alerts import channels
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording, Outbox
from gateway.database import transaction
from gateway.database.engine import open_database
from gateway.devices import resend
from gateway.devices.planned_moves import PlannedMoves
from gateway.devices.publisher import DownPublisher
from gateway.devices.resend import ResendOrders
from gateway.domain.registry import Registry
from gateway.errors import JournalError
from gateway.ingest.adapters import mapping
from gateway.ingest.adapters.intake import FeedIntake
from gateway.ingest.adapters.mapping import MappingFile
from gateway.ingest.adapters.session import Feeds
from gateway.ingest.batch import Ingest
from gateway.ingest.loop import IngestLoop
from gateway.journal import log_key, rollback
from gateway.journal.archive import schedule
from gateway.journal.diary import Diary
from gateway.journal.failure_file import FailureFile
from gateway.journal.integrity.witness import LogMark, Witness
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.mqtt import broker
from gateway.mqtt.address import Address
from gateway.mqtt.publish_queue import PublishQueue
from gateway.mqtt.session import Session
from gateway.program import consumers
from gateway.program.consumers import Projections
from gateway.projections.runner import Runner
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime import file_lock, memory
from gateway.runtime.clock import Clock
from gateway.runtime.select_wakeup import SelectWakeup
from gateway.runtime.wakeup import Wakeup
from gateway.settings import Settings

WATCH_REST_S = 0.003
"""The watch looks at most so often, at all that came meanwhile."""

WATCH_GATHER_S = 0.05
"""Between two saves of the watch, unless somebody is to be alerted."""

SWITCH_S = 0.0005
"""SQLite lets go of the interpreter at each statement; with Python's 5 ms, a watch of ten
statements would wait behind the other threads ten times that long before an alert is saved."""

COLLECT = (20_000, 50, 20)
"""Nearly nothing here is cyclic, and looking for cycles at Python's pace costs ingest a tenth."""


def run(settings: Settings) -> int:
    """Run the gateway until SIGTERM or SIGINT; prints ``ready`` when it hears the broker.

    Raises NoriaError when it cannot start: the message names the remedy.
    """
    memory.limit_arenas()
    sys.setswitchinterval(SWITCH_S)
    mapped = mapping.read(Path(settings.adapters)) if settings.adapters else MappingFile()
    gc.set_threshold(*COLLECT)
    with file_lock.hold(settings.data / file_lock.NAME), ExitStack() as parts:
        clock = Clock(settings.clock_speed, settings.clock_origin)
        engine = open_database(settings)
        parts.callback(engine.dispose)
        witness = Witness(settings.witness_paths)
        parts.callback(witness.close)
        journal = Journal(settings.journal_path, settings.gateway_id, witness.keep)
        parts.callback(journal.close)
        trouble = FailureFile(settings.data)
        parts.callback(trouble.close)
        bell = SelectWakeup()
        parts.callback(bell.close)
        wake, outgoing = Wakeup(), PublishQueue(bell)
        lost = rollback.find_rollback(journal, witness)
        if settings.shared:
            _refuse_restored(settings, lost)
        else:
            rollback.realign_database(engine, journal.last_id)
            if lost is not None:
                resend.note_restore(engine, journal.eras.all())
        diary = _opened(settings, journal, witness, clock, lost)
        address = parts.enter_context(broker.connect_broker(settings, engine))
        shared = None
        if settings.shared:
            from gateway.program import cluster  # and PostgreSQL's types with it

            shared = parts.enter_context(cluster.join(settings, engine, clock, wake, outgoing))
            republish = shared.again
        else:
            projections = parts.enter_context(_projected(settings, engine, clock, wake, outgoing))
            republish = projections.republish
        parts.enter_context(schedule.running(settings, clock, wake))
        feeds = Feeds(mapped, settings.gateway_id, bell, clock.now)
        feeds.start()
        parts.callback(feeds.stop)
        listener = IngestLoop(
            session=Session(
                address, settings.gateway_id, bell, clock.now, shared=_shares(settings)
            ),
            bell=bell,
            feeds=feeds,
            ingest=Ingest(journal, Registry(), FeedIntake(mapped.feeds)),
            journal=journal,
            diary=diary,
            outgoing=outgoing,
            republish=republish,
            downs=DownPublisher(engine),
            resending=ResendOrders(engine),
            planned=PlannedMoves(engine),
            engine=engine,
            wake=wake,
            clock=clock,
            gateway=settings.gateway_id,
            broker=_name(address),
            trouble=trouble,
            shared=shared,
        )
        _stop_by_signal(listener, bell)
        listener.run()
    return 0


def _refuse_restored(settings: Settings, lost: LogMark | None) -> None:
    """What a shared database says of a journal must not be read of an older one."""
    if lost is not None:
        raise JournalError(
            f"{settings.journal_path} came back from a backup, while the shared database went on: "
            "start this gateway with another gateway_id and an empty data folder"
        )


def _opened(
    settings: Settings, journal: Journal, witness: Witness, clock: Clock, lost: LogMark | None
) -> Diary:
    """The diary of the journal, whose log begins with where it comes from.

    A restored journal begins a new one, and has said so before anything else is appended.
    """
    key = log_key.log_key(settings.data).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    diary = Diary(journal)
    diary.open(clock.now(), key, log_key.build(), lost)
    witness.keep(journal.log.seen)
    witness.sync()
    return diary


@contextlib.contextmanager
def _projected(
    settings: Settings, engine: sa.Engine, clock: Clock, wake: Wakeup, outgoing: PublishQueue
) -> Generator[Projections]:
    """Store, watch, outbox and live topics, each on its own thread, ended in that order."""
    opened = channels.open_channels(settings.channels)
    made = transaction.projection_engine(engine)
    language = Language(settings.language, settings.timezone)
    told, mail = Wakeup(), Wakeup()

    def read() -> JournalReader:
        return JournalReader(settings.journal_path)

    watch = WatchProjection(
        made,
        channels=[c.name for c in opened],
        outbox=mail,
        born=clock.now(),
        settle_s=clock.speed,  # one real second
        gather_s=WATCH_GATHER_S,
        open_journal=read,
    )
    runner = Runner(watch, read, made, wake, clock, then=told, rest_s=WATCH_REST_S)
    delivery = Outbox(made, opened, clock, mail, AlertWording(language, settings.public_url))
    projections = consumers.compose(
        settings, made, clock, wake=wake, told=told, publish=outgoing.publish
    )
    parts = (projections, runner, delivery)
    for part in parts:
        part.start()
    try:
        yield projections
    finally:
        for part in parts:
            part.stop()
        if made is not engine:
            made.dispose()


def _shares(settings: Settings) -> bool:
    """Whether other gateways hear the same broker: a private one has no login for them."""
    return settings.shared and settings.broker != "auto"


def _name(address: Address) -> str:
    return f"{address.host}:{address.port}"


def _stop_by_signal(listener: IngestLoop, bell: SelectWakeup) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        listener.stopping = True
        bell.ring()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
