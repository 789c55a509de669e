"""The port of a reading store."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from gateway.domain.inputs import Reading

STORE = "store"
"""Name of the readings projection, of its cursor, and of the dead letters of its store."""


class ReadingStore(Protocol):
    """Keeps readings by (tank, at, device, era, boot, seq, channel, i); safe to repeat.

    Times are Unix seconds. Every method may raise ``StoreError``: ``retry`` is for the caller
    (the projection waits and repeats with the same cursor).
    """

    def write(self, readings: Sequence[Reading]) -> None:
        """Keep these; one already there is replaced. Returns when they are safe."""
        ...

    def start(self, readings: Sequence[Reading]) -> Callable[[], None]:
        """Begin to keep these, and go on by oneself where the store works elsewhere.

        Calling what is returned waits until they are safe, or raises ``StoreError``: do so before
        anything else is asked of the store.
        """
        ...

    def remove(self, readings: Sequence[Reading]) -> None:
        """Remove exactly these rows (a better clock anchor moved them in time)."""
        ...

    def series(self, tank: str, start: float, end: float) -> list[Reading]:
        """Readings of one tank with start <= at <= end, by event time."""
        ...

    def export(
        self, tank: str | None = None, start: float | None = None, end: float | None = None
    ) -> Iterator[Reading]:
        """All readings, by tank and event time, streamed."""
        ...

    def latest(self) -> dict[str, Reading]:
        """The newest reading by event time of every tank, in milliseconds even for many tanks."""
        ...

    def clear(self) -> None:
        """Empty the store, before a rebuild."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
