"""One connection: deadlines for what its client has to send and to read."""

import asyncio
import socket
from enum import Enum
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from server.web.crowd import Crowd

HEAD_S = 10.0
"""From the first byte of a request, or the connection's begin, to the end of its head."""
BODY_S = 20.0
"""From the end of the head to the end of the body: 64 KiB over the slowest mobile link."""
STALLED_S = 30.0
"""How long a client may read nothing of what it asked for, or not acknowledge it."""
KEPT_S = 20
"""How long a connection waits for the next request."""
LONGEST_HEAD = 16_384

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the next request; the parent's keep-alive timer ends it"
    HEAD = "the rest of a request's head"
    BODY = "the rest of a request's body"
    SERVED = "nothing of its client: the server works on the answer, or it is a live stream"


_DEADLINE_S = {Phase.HEAD: HEAD_S, Phase.BODY: BODY_S}


class Connection(H11Protocol):
    """As the parent, with deadlines and a place in the crowd."""

    def __init__(
        self, crowd: Crowd, config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        super().__init__(config, server_state, app_state, _loop)
        self.source = ""
        self._crowd = crowd
        self._phase = Phase.IDLE
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As the parent; a connection for which there is no room is closed."""
        super().connection_made(transport)
        self.source = self.client[0] if self.client else ""
        given = transport.get_extra_info("socket")
        if given is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            wait_ms = int(STALLED_S * 1000)
            given.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, wait_ms)
        if self._crowd.enter(self):
            self._enter(Phase.HEAD)
        else:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """As the parent."""
        self._crowd.leave(self)
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """As the parent."""
        if self._phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or self._phase is not Phase.HEAD:
            self._look()  # a request has begun, or ended

    def on_response_complete(self) -> None:
        """As the parent."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """As the parent; the client has STALLED_S to read on."""
        super().pause_writing()
        self._crowd.wait(self, True)
        self._stalled = self.loop.call_later(STALLED_S, self.drop)

    def resume_writing(self) -> None:
        """As the parent."""
        super().resume_writing()
        self._crowd.wait(self, self._phase is not Phase.SERVED)
        if self._stalled is not None:
            self._stalled.cancel()

    def drop(self) -> None:
        """End the connection at once, with what was not sent."""
        self.transport.abort()

    def _look(self) -> None:
        if not self.cycle.response_complete:
            self._enter(Phase.BODY if self.cycle.more_body else Phase.SERVED)
        elif self.conn.their_state is h11.SEND_BODY:  # answered before the body was there
            self._enter(Phase.BODY)
        else:
            self._enter(Phase.IDLE)

    def _enter(self, phase: Phase) -> None:
        if phase is self._phase:
            return
        self._phase = phase
        self._crowd.wait(self, phase is not Phase.SERVED)
        if self._deadline is not None:
            self._deadline.cancel()
        after_s = _DEADLINE_S.get(phase)
        self._deadline = None if after_s is None else self.loop.call_later(after_s, self._too_slow)

    def _too_slow(self) -> None:
        head = self._phase is Phase.HEAD
        told = self.conn.trailing_data[0] if head else not self.cycle.response_started
        if told and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
        self.transport.close()
