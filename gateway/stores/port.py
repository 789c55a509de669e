"""The port of a reading store."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from gateway.domain.inputs import Reading
from gateway.settings import Settings

STORE = "store"
"""Name of the readings projection, of its cursor, and of the dead letters of its store."""


def readings_cursor(settings: Settings) -> str:
    """Name of its cursor: one for all gateways with InfluxDB; with SQLite, one for each gateway."""
    own = settings.shared and settings.store == "sqlite"
    return f"{STORE} {settings.gateway_id}" if own else STORE


class ReadingStore(Protocol):
    """Stores readings by (tank, at, device, era, boot, seq, channel, i); every call is idempotent.

    Times are Unix seconds. Every method may raise ``StoreError``; the store does not retry, the
    projection does, from the same cursor.
    """

    def write(self, readings: Sequence[Reading]) -> None:
        """Write these; a reading with the same key is replaced. Returns when they are durable."""
        ...

    def remove(self, readings: Sequence[Reading]) -> None:
        """Remove exactly these rows (a better clock anchor moved them in time)."""
        ...

    def export(
        self, tank: str | None = None, start: float | None = None, end: float | None = None
    ) -> Iterator[Reading]:
        """Readings (of one tank, with start <= at <= end) by tank and event time, streamed."""
        ...

    def clear(self) -> None:
        """Empty the store, before a rebuild."""
        ...

    def is_empty(self) -> bool:
        """Whether it has lost everything, so that it must be filled from the journal again."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
