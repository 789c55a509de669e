"""The parts that the server is made of, put together once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import sqlalchemy as sa

from gateway.alerts.people.keys import KeyFile
from gateway.alerts.people.services import Service, open_services
from gateway.domain.registry import Registry
from gateway.monitoring.health import Health
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from gateway.stores.port import ReadingStore
from server.accounts.attempts import Attempts
from server.accounts.hashing import Hashing
from server.accounts.send_limit import SendLimit
from server.views import snapshot
from server.views.feed import Feed
from server.views.history import History
from server.views.snapshot import Snapshot

CACHE_S = 2.0
"""``/health`` needs no sign-in, so its cost must not grow with the number of requests."""

_T = TypeVar("_T")


class Cached(Generic[_T]):
    """A value computed at most once in ``CACHE_S``, by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: tuple[float, _T] | None = None

    def get(self, compute: Callable[[], _T]) -> _T:
        """The value, at most ``CACHE_S`` old."""
        with self._lock:
            if self._value is None or time.monotonic() - self._value[0] >= CACHE_S:
                self._value = (time.monotonic(), compute())
            return self._value[1]


@dataclass
class Parts:
    """Settings, database, clocks and what the server holds in memory.

    ``clock`` is the installation's. Sessions and limits use ``real``: the demo's clock runs
    faster and would end them early.
    """

    settings: Settings
    engine: sa.Engine
    clock: Clock
    history: History
    feed: Feed
    services: tuple[Service, ...] = ()
    attempts: Attempts = field(default_factory=Attempts)
    hashing: Hashing = field(default_factory=Hashing)
    sends: SendLimit = field(default_factory=SendLimit)
    real: Clock = field(default_factory=Clock)
    health: Cached[Health] = field(default_factory=Cached[Health])
    metrics: Cached[str] = field(default_factory=Cached[str])
    _registry: tuple[int, Registry] = (-1, Registry())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def keys(self) -> KeyFile:
        """Opens the contacts of people, once they are unlocked."""
        return KeyFile(self.settings.data)

    @property
    def secure(self) -> bool:
        """Whether the pages are served by HTTPS, so that cookies are sent over nothing else."""
        return self.settings.public_url.startswith("https://")

    def registry(self) -> Registry:
        """The registry in force; reloaded when its version has changed."""
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
    """Put the parts together. Tests pass ``store``; otherwise the settings choose it.

    Raises SettingError for a service that cannot be used.
    """
    clock = Clock(settings.clock_speed, settings.clock_origin)
    real = Clock()
    feed, history = Feed(engine, real), History(settings, engine, store)
    services = open_services(settings.services)
    return Parts(settings, engine, clock, history, feed, services, real=real)
