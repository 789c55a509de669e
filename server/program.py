"""``noria server``: serve the pages until a signal arrives."""

import asyncio
import contextlib
import functools
import logging
import socket
import sys
from typing import cast

import uvicorn

from gateway import settings as settings_module
from gateway.errors import SettingError
from gateway.runtime import logs, memory
from gateway.settings import Settings
from server.app import create
from server.log_limit import LineLimit
from server.parts import Parts
from server.web.connection import KEPT_S, LONGEST_HEAD, Connection
from server.web.crowd import Crowd, most_connections
from server.web.proxies import Proxies

_SHUTDOWN_S = 2
_RELEASE_TICKS = 10


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; prints ``ready`` on standard error. Returns 0.

    Raises SettingError when the address is not available.
    """
    memory.limit_arenas()
    logs.set_up(settings)
    for handler in logging.getLogger().handlers:
        handler.addFilter(LineLimit())
    crowd = Crowd(most_connections(), proxies=Proxies(settings.trusted_proxies))
    listening = bind(settings.server_listen)
    app = create(settings)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S, lifespan="on", ws="none",
        http=cast(type[asyncio.Protocol], functools.partial(Connection, crowd)),
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEPT_S, h11_max_incomplete_event_size=LONGEST_HEAD,
    )  # fmt: skip
    server = Server(config, app.state.parts)
    with contextlib.suppress(KeyboardInterrupt), listening:
        asyncio.run(server.serve(sockets=[listening]))
    return 0


class Server(uvicorn.Server):
    """Prints ``ready`` once requests are answered, and ends cleanly on a signal."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts
        self._released = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the parent, then print ``ready``."""
        await super().startup(sockets)
        if self.started:
            memory.freeze()
            print("ready", file=sys.stderr, flush=True)

    async def on_tick(self, counter: int) -> bool:
        """As the parent, ten times a second. Release what the last answers leave behind: 6 MB.

        An import with context makes a cycle of each page's values, and Python collects them late.
        """
        answered = self.server_state.total_requests
        if counter % _RELEASE_TICKS == 0 and answered != self._released:
            self._released = answered
            memory.release()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams first; the parent waits for open responses."""
        self._parts.feed.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self):
        """As the parent, without raising the signal again after the shutdown."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def bind(address: str) -> socket.socket:
    """A socket bound to ``host:port``. Raises SettingError naming the busy or wrong address."""
    host, port = settings_module.listen_address("server_listen", address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where a socket names its protocol. Without it, the body of an
    # answer on a kept connection waits 40 ms for the acknowledgement of its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(socket.SOMAXCONN)
    except OSError as error:
        listening.close()
        raise SettingError(
            f"server_listen = {address!r}: {error.strerror or error}; "
            "end what uses this port, or choose another"
        ) from error
    return listening
