"""Polls the ``version`` columns while a page is open, and sends changes to its stream."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.database.engine import newest_version
from gateway.database.heartbeat import gateway_now
from gateway.database.tables import incident, tank_now
from gateway.runtime.clock import Clock
from server.accounts import sessions
from server.accounts.people import Person
from server.views.streams import Change, End, Stream, Streams

_log = logging.getLogger(__name__)
EVERY_S = 0.5


class Feed:
    """One poll every half second for all open pages together; none without a page."""

    def __init__(self, engine: sa.Engine, real: Clock) -> None:
        self._engine = engine
        self._real = real
        self._streams = Streams()
        self._task: asyncio.Task[None] | None = None
        self._version = 0
        self._connected: bool | None = None

    @contextlib.asynccontextmanager
    async def watch(self, token: str, person: Person) -> AsyncGenerator[Stream]:
        """A stream of changes from now on, for a session's token and its person.

        It ends with the session and the account, and when the person opens too many.
        """
        stream = self._streams.open(sessions.hash_of(token), person)
        try:
            if self._task is None or self._task.done():
                await asyncio.to_thread(self._poll)
                if self._task is None or self._task.done():  # another page began it meanwhile
                    self._task = asyncio.create_task(self._follow(), name="live feed")
            yield stream
        finally:
            self._streams.end(stream, End.LEFT_BEHIND)

    @property
    def full(self) -> bool:
        """Whether no further page can be followed now."""
        return self._streams.full

    def close(self) -> None:
        """End every stream before the server stops."""
        self._streams.end_all(End.STOPPING)

    @property
    def version(self) -> int:
        """The version of the last poll."""
        return self._version

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if not self._streams:
                return
            asked = self._streams.sessions()
            try:
                change, alive = await asyncio.to_thread(self._look, asked)
            except OperationalError as error:  # locked for long: the next poll is soon enough
                _log.warning("the live stream could not read the database: %s", error)
                continue
            self._streams.keep(asked, alive)
            if change is not None:
                self._streams.send(change)

    def _look(self, asked: set[str]) -> tuple[Change | None, dict[str, Person]]:
        alive = sessions.alive(self._engine, asked, self._real.now())
        return self._poll(), alive

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
