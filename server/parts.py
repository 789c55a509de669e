"""The parts that the server is made of, put together once."""

from dataclasses import dataclass, field
from threading import Lock

import sqlalchemy as sa

from gateway.domain.registry import Registry
from gateway.monitoring.health import Health
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from gateway.stores.port import ReadingStore
from server.accounts.attempts import Attempts
from server.history import History
from server.kept import Kept
from server.live.feed import Feed
from server.views import snapshot
from server.views.snapshot import Snapshot


@dataclass
class Parts:
    """Settings, database, clocks and what the server remembers while it runs.

    ``clock`` is the installation's; ``real`` is for sessions and limits, which a fast demo must
    not end early.
    """

    settings: Settings
    engine: sa.Engine
    clock: Clock
    history: History
    feed: Feed
    attempts: Attempts = field(default_factory=Attempts)
    real: Clock = field(default_factory=Clock)
    health: Kept[Health] = field(default_factory=Kept[Health])
    metrics: Kept[str] = field(default_factory=Kept[str])
    _registry: tuple[int, Registry] = (-1, Registry())
    _lock: Lock = field(default_factory=Lock)

    @property
    def secure(self) -> bool:
        """Whether people reach the pages by HTTPS: cookies then travel by nothing else."""
        return self.settings.public_url.startswith("https://")

    def registry(self) -> Registry:
        """The registry in force, read again when it has changed."""
        version = rows.version(self.engine)
        with self._lock:
            if self._registry[0] != version:
                self._registry = (version, rows.load(self.engine))
            return self._registry[1]

    def snapshot(self) -> Snapshot:
        """This moment, as pages show it."""
        return snapshot.take(
            self.engine, self.registry(), self.clock.now(), self.real.now(), self.clock.speed
        )


def make(settings: Settings, engine: sa.Engine, store: ReadingStore | None = None) -> Parts:
    """Put the parts together; ``store`` given by tests, else opened as the settings say."""
    clock = Clock(settings.clock_speed, settings.clock_origin)
    return Parts(settings, engine, clock, History(settings, engine, store), Feed(engine))
