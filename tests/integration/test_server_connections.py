"""Connections to the server: how fast they answer, how many there may be, and for how long."""

import socket
import time
from collections.abc import Iterator
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
