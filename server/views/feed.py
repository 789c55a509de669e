"""Follows the ``version`` columns while somebody watches, and wakes their streams."""

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
    """What the newest look at the database found: ``version`` grows with every change."""

    version: int
    tanks: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    renewed: bool = False


class Feed:
    """One look every half second for all open pages together; none when nobody watches."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._watching: set[asyncio.Queue[Change | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._version = 0
        self._connected: bool | None = None
        self._over = False

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncGenerator[asyncio.Queue[Change | None]]:
        """A queue of changes from now on; None is the end."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=100)
        if self._task is None or self._task.done():
            await asyncio.to_thread(self._look)
            self._task = asyncio.create_task(self._follow(), name="live feed")
        self._watching.add(queue)
        try:
            yield queue
        finally:
            self._watching.discard(queue)

    def close(self) -> None:
        """End every stream: the server stops."""
        self._over = True
        self._tell(None)

    @property
    def over(self) -> bool:
        """Whether the server stops."""
        return self._over

    @property
    def version(self) -> int:
        """The newest version seen."""
        return self._version

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if not self._watching:
                return
            try:
                change = await asyncio.to_thread(self._look)
            except OperationalError as error:  # locked for long: the next look will do
                _log.warning("the live stream could not look: %s", error)
                continue
            if change is not None:
                self._tell(change)

    def _tell(self, change: Change | None) -> None:
        for queue in list(self._watching):
            try:
                queue.put_nowait(change)
            except asyncio.QueueFull:  # a page that stopped reading; it reconnects by itself
                self._watching.discard(queue)

    def _look(self) -> Change | None:
        after = self._version
        with self._engine.connect() as connection:
            newest = max(after, newest_version(connection))  # later ones come at the next look
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
