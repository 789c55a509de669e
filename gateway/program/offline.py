"""Clock, journal and runners for commands."""

from collections.abc import Callable

import sqlalchemy as sa

from gateway.cluster.archives import archives_of
from gateway.cluster.reader import MergedReader
from gateway.journal.reader import JournalReader
from gateway.projections.runner import Projection, Runner
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.settings import Settings


def clock_of(settings: Settings) -> Clock:
    """The installation's clock."""
    return Clock(settings.clock_speed, settings.clock_origin)


def runner_of(projection: Projection, settings: Settings, engine: sa.Engine) -> Runner:
    """A runner of ``projection`` on the journal, for use while no gateway runs."""
    return Runner(projection, journal_of(settings, engine), engine, Wakeup(), clock_of(settings))


def journal_of(settings: Settings, engine: sa.Engine) -> Callable[[], JournalReader | MergedReader]:
    """Returns what opens a reader of the journal, or of the merged journal of a cluster.

    Opening raises JournalError where there is no journal.
    """
    if settings.shared:
        return lambda: MergedReader(engine, archives_of(settings, engine))
    return lambda: JournalReader(settings.journal_path)
