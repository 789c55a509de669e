"""Past readings, from the store that the settings name."""

import logging
from dataclasses import dataclass, field
from threading import Lock

import sqlalchemy as sa

from gateway.domain.inputs import Reading
from gateway.errors import StoreError
from gateway.settings import Settings
from gateway.stores import factory
from gateway.stores.port import ReadingStore

_log = logging.getLogger(__name__)


@dataclass
class History:
    """The reading store, opened at the first request; tests pass ``store``."""

    settings: Settings
    engine: sa.Engine
    store: ReadingStore | None = None
    _lock: Lock = field(default_factory=Lock)

    def series(self, tank: str, start: float, end: float) -> list[Reading] | None:
        """A tank's readings by event time (Unix s), or None when the store fails."""
        try:
            return list(self._opened().export(tank, start, end))
        except StoreError as error:
            _log.warning("the reading store does not answer: %s", error)
            return None

    def first_at(self, tank: str, since: float, before: float) -> float | None:
        """When a tank's first reading in a span (Unix s) was; None without one, or when it fails.

        Reads no further than that one.
        """
        try:
            return next((r.at for r in self._opened().export(tank, since, before)), None)
        except StoreError as error:
            _log.warning("the reading store does not answer: %s", error)
            return None

    def _opened(self) -> ReadingStore:
        with self._lock:
            if self.store is None:
                self.store = factory.open_store(self.settings, self.engine)
            return self.store

    def close(self) -> None:
        """Release the store."""
        with self._lock:
            if self.store is not None:
                self.store.close()
                self.store = None
