"""A server in a process of its own, spoken to by raw sockets: what clients of HTTP hide."""

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene
from tests.parts.services import Service, free_port

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    head: str
    body: bytes


@dataclass(frozen=True)
class Served:
    """A running server: its scene, process and port."""

    scene: Scene
    service: Service
    port: int

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout_s: float = 30.0) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def lines(self) -> int:
        """How many lines of the log came since the server was ready."""
        return self.service.text().partition("ready\n")[2].count("\n")

    def bearer(self, login: str = "van-1") -> dict[str, str]:
        """The header of a new session of this person."""
        given = {"login": login, "password": PASSWORD}
        answer = httpx.post(f"{self.url}/api/v1/session", json=given, timeout=30)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@contextmanager
def served(folder: Path, extra: str = "") -> Iterator[Served]:
    """Serve a new scene; ``extra``: lines for its configuration."""
    port = free_port()
    made = scenes.make(folder, extra=f'server_listen = "127.0.0.1:{port}"\n{extra}')
    command = [sys.executable, "-m", "server.command", "server"]
    service = Service([*command, "--config", made.settings.source], folder / "server.log")
    service.start(lambda: "ready" in service.text())
    try:
        yield Served(made, service, port)
    finally:
        service.stop()
        made.engine.dispose()


def ask(connection: socket.socket, path: str, *headers: str, body: str = "") -> Answer:
    """One answer; the connection stays open. With a ``body``, a POST of JSON."""
    if body:
        headers = (*headers, "Content-Type: application/json", f"Content-Length: {len(body)}")
    first = f"{'POST' if body else 'GET'} {path} HTTP/1.1"
    connection.sendall("\r\n".join((first, "Host: noria.example", *headers, "", body)).encode())
    return read(connection)


def read(connection: socket.socket) -> Answer:
    """The next answer on this connection."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection)
    head, _, content = got.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    while found and len(content) < int(found[1]):
        content += _more(connection)
    return Answer(int(head.split()[1]), head.decode(), content)


def _more(connection: socket.socket) -> bytes:
    some = connection.recv(65536)
    assert some, "the server closed the connection"
    return some
