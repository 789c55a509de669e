"""The gateway program: every part made here once, and ended in order."""

import logging
import signal
from types import FrameType

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import database, lock, origin
from gateway.clock import Clock
from gateway.domain.registry import Registry
from gateway.ingest import Ingest
from gateway.journal.diary import Diary
from gateway.journal.writer import Journal
from gateway.listener import Listener
from gateway.mqtt import address
from gateway.mqtt.bell import Bell
from gateway.mqtt.retained import RetainedTopics
from gateway.mqtt.session import Session
from gateway.projections.wake import Wake
from gateway.settings import Settings

_log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Run the gateway until SIGTERM or SIGINT; prints ``ready`` when it hears the broker.

    Raises NoriaError when it cannot start: the message names the remedy.
    """
    with lock.hold(settings.data / lock.NAME):
        return _listen(settings)


def _listen(settings: Settings) -> int:
    clock = Clock(settings.clock_speed, settings.clock_origin)
    engine = database.connect(settings.database_path)
    journal = Journal(settings.journal_path, settings.gateway_id)
    diary = Diary(journal)
    key = origin.log_key(settings.data).public_key()
    diary.open(clock.now(), key.public_bytes(Encoding.Raw, PublicFormat.Raw), origin.build())
    bell = Bell()
    retained = RetainedTopics(bell)
    where = address.of_settings(settings)
    listener = Listener(
        session=Session(where, settings.gateway_id, bell, clock.now),
        ingest=Ingest(journal, Registry()),
        journal=journal,
        diary=diary,
        retained=retained,
        engine=engine,
        wake=Wake(),
        clock=clock,
        gateway=settings.gateway_id,
        broker=f"{where.host}:{where.port}",
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        listener.stopping = True
        bell.ring()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        listener.run()
    finally:
        journal.close()
        engine.dispose()
        bell.close()
    return 0
