"""Polls the ``version`` columns while a page is open, and sends changes to its stream."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.database.engine import newest_version
from gateway.database.heartbeat import gateway_now
from gateway.database.tables import incident, tank_now

_log = logging.getLogger(__name__)
EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """The result of one poll; ``version`` grows with every change."""

    version: int
    tanks: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    renewed: bool = False


class Feed:
    """One poll every half second for all open pages together; none without a page."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._queues: set[asyncio.Queue[Change | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._version = 0
        self._connected: bool | None = None
        self._closed = False

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[asyncio.Queue[Change | None]]:
        """A queue of changes from now on; None ends it."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=100)
        if self._task is None or self._task.done():
            await asyncio.to_thread(self._poll)
            self._task = asyncio.create_task(self._follow(), name="live feed")
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End every stream before the server stops."""
        self._closed = True
        self._send(None)

    @property
    def closed(self) -> bool:
        """Whether the server is stopping."""
        return self._closed

    @property
    def version(self) -> int:
        """The version of the last poll."""
        return self._version

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if not self._queues:
                return
            try:
                change = await asyncio.to_thread(self._poll)
            except OperationalError as error:  # locked for long: the next poll is soon enough
                _log.warning("the live stream could not read the database: %s", error)
                continue
            if change is not None:
                self._send(change)

    def _send(self, change: Change | None) -> None:
        for queue in list(self._queues):
            try:
                queue.put_nowait(change)
            except asyncio.QueueFull:  # the page stopped reading; it reconnects
                self._queues.discard(queue)

    def _poll(self) -> Change | None:
        after = self._version
        with self._engine.connect() as connection:
            newest = max(after, newest_version(connection))  # later ones: the next poll
            new = tank_now.c.version.between(after + 1, newest)
            tanks = connection.execute(sa.select(tank_now.c.tank).where(new)).scalars().all()
            new = incident.c.version.between(after + 1, newest)
            found = connection.execute(sa.select(incident.c.id).where(new)).scalars().all()
            connected = any(connection.execute(sa.select(gateway_now.c.connected)).scalars())
        self._version = newest
        renewed = connected != self._connected
        self._connected = connected
        if self._version == after and not renewed:
            return None
        return Change(self._version, tuple(tanks), tuple(found), renewed)
