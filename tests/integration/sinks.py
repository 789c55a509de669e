"""Real destinations of alerts: an HTTP server and an SMTP server that store what they receive."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from gateway.alerts.channels import Channel, open_channels
from tests.parts.services import free_port


@dataclass
class HttpSink:
    """Answers with ``statuses`` in turn, then 200, and stores the request bodies."""

    port: int = 0
    statuses: list[int] = field(default_factory=list[int])
    bodies: list[str] = field(default_factory=list[str])
    paths: list[str] = field(default_factory=list[str])
    hold: threading.Event = field(default_factory=threading.Event)
    """Cleared: the answer waits, so the client times out."""


@contextmanager
def http_sink(*statuses: int) -> Iterator[HttpSink]:
    """A web server on a free port of this machine."""
    sink = HttpSink(statuses=list(statuses))
    sink.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sink.bodies.append(body.decode())
            sink.paths.append(self.path)
            sink.hold.wait(20)
            self.send_response(sink.statuses.pop(0) if sink.statuses else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


class SmtpSink:
    """A mail server's handler that stores every message."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Accept it."""
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.messages.append(made)
        return "250 kept"


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server on a free port of this machine."""
    sink = SmtpSink()
    sink.port = free_port()  # aiosmtpd does not report one of its own
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def json_channel(port: int) -> Channel:
    """Apprise's JSON web hook to a sink, with a token in its address."""
    (channel,) = open_channels([f"json://127.0.0.1:{port}/secret-token"])
    return channel
