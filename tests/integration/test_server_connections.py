"""Connections to the server: how fast they answer, how many there may be, and for how long."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.served import Served, ask, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def timed(connection: socket.socket, path: str) -> float:
    began = time.perf_counter()
    ask(connection, path)
    return time.perf_counter() - began


@pytest.mark.parametrize("path", ["/robots.txt", "/sign-in", "/static/noria.js"])
def test_a_kept_connection_answers_as_fast_as_a_new_one(server: Served, path: str):
    fresh: list[float] = []
    for _ in range(10):
        with server.connect() as connection:
            fresh.append(timed(connection, path))
    with server.connect() as connection:
        kept = [timed(connection, path) for _ in range(20)][1:]
    assert min(kept) <= min(fresh) + 0.003


def closed_after(connection: socket.socket, longest_s: float) -> float:
    """Seconds until the server closes this connection. Raises TimeoutError."""
    began = time.monotonic()
    connection.settimeout(longest_s)
    while True:
        try:
            if not connection.recv(65536):
                break
        except ConnectionResetError:
            break
    return time.monotonic() - began


POST = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: "
BEGUN = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "half a body": POST + b"50\r\n\r\nlogin=",
    "a body that was refused": POST + b"99999\r\n\r\nx",
}


def send_no_whole_request(server: Served) -> None:
    held = [server.connect() for _ in BEGUN]
    began = time.monotonic()
    for connection, sent in zip(held, BEGUN.values(), strict=True):
        connection.sendall(sent)
    trickling = server.connect()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        trickling.sendall(b"GET / HTTP/1.1\r\n")
        while time.monotonic() - began < 30:
            trickling.sendall(b"X-A: b\r\n")
            time.sleep(0.2)
    assert 5 < time.monotonic() - began < 20
    for connection in held:
        closed_after(connection, 30.0)
        assert 5 < time.monotonic() - began < 35
        connection.close()
    assert server.lines() == 0


def rest_between_requests(server: Served) -> None:
    with server.connect() as connection:
        assert ask(connection, "/robots.txt").status == 200
        time.sleep(8)
        assert ask(connection, "/robots.txt").status == 200
        assert 10 < closed_after(connection, 40.0) < 30


def read_nothing_of_the_answers(server: Served) -> None:
    asked = b"GET /static/noria.css HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    began = time.monotonic()
    with server.connect() as connection, pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.setblocking(False)
        while time.monotonic() - began < 90:
            with contextlib.suppress(BlockingIOError):
                connection.send(asked)
            time.sleep(0.05)
    assert time.monotonic() - began > 20
    assert server.lines() == 0


def test_every_wait_for_a_client_has_an_end(server: Served):
    """At once, because each takes as long as its deadline."""
    clients = (send_no_whole_request, rest_between_requests, read_nothing_of_the_answers)
    with ThreadPoolExecutor(len(clients)) as pool:
        for done in [pool.submit(client, server) for client in clients]:
            done.result()


def test_1100_idle_and_half_open_connections_leave_the_pages_as_they_are(server: Served):
    headers = server.bearer()
    held: list[socket.socket] = []
    slowest = 0.0
    try:
        for i in range(1100):
            connection = server.connect()
            connection.sendall(list(BEGUN.values())[i % 3])
            held.append(connection)
            if i % 50 == 49:
                began = time.perf_counter()
                with server.connect() as mine:
                    assert ask(mine, "/", *[f"{k}: {v}" for k, v in headers.items()]).status == 200
                slowest = max(slowest, time.perf_counter() - began)
        used = len(list(Path(f"/proc/{server.service.pid}/fd").iterdir()))
    finally:
        for connection in held:
            connection.close()
    assert slowest < 1.0
    assert used < 300  # 200 of one address, and the server's own files
    assert server.lines() <= 3


def test_the_log_of_a_flood_of_wrong_requests_stays_short(server: Served):
    for _ in range(300):
        with server.connect() as connection:
            connection.sendall(b"\x16\x03\x01 not http\r\n\r\n")
            assert connection.recv(20).startswith(b"HTTP/1.1 400")
    assert 1 <= server.lines() <= 15


def test_the_limit_of_open_files_is_raised(tmp_path: Path):
    def low() -> tuple[int, int]:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        return soft, hard

    before = low()
    try:
        with served(tmp_path) as running:
            limits = Path(f"/proc/{running.service.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    words = next(x for x in limits.splitlines() if x.startswith("Max open files")).split()
    assert words[3] == words[4]
