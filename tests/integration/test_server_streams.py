"""Live streams of the running server: they end with session and account, and are few."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from gateway.database.tables import account
from server.accounts import people
from server.views.streams import PER_PERSON, PER_SESSION
from tests.integration.served import Served, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def follow(server: Served, headers: dict[str, str]) -> socket.socket:
    """A connection that has begun to receive events."""
    connection = server.connect(15.0)
    lines = ["GET /live HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode())
    got = b""
    while b"event: change" not in got:
        got += connection.recv(65536)
        assert got.startswith(b"HTTP/1.1 200")
    return connection


def rest(connection: socket.socket) -> str:
    """What comes until the server ends the answer."""
    got = b""
    while b"\r\n0\r\n\r\n" not in got:
        some = connection.recv(65536)
        if not some:
            break
        got += some
    return got.decode()


def why(text: str) -> str:
    return json.loads(text.split("event: end\ndata: ")[1].splitlines()[0])["why"]


def sign_out(server: Served, headers: dict[str, str]) -> None:
    cookie = {"noria-session": headers["Authorization"].removeprefix("Bearer ")}
    with httpx.Client(base_url=server.url, cookies=cookie) as browser:
        form = browser.get("/more").text.split('name="form" value="')[1].split('"')[0]
        assert browser.post("/sign-out", data={"form": form}).status_code == 303


def test_a_stream_ends_when_its_person_signs_out(server: Served):
    mine, other = server.bearer(), server.bearer("van-2")
    ending, going_on = follow(server, mine), follow(server, other)
    sign_out(server, mine)
    assert why(rest(ending)) == "session"
    going_on.settimeout(1.5)
    with pytest.raises(TimeoutError):
        going_on.recv(65536)
    assert httpx.get(f"{server.url}/live", headers=mine).status_code == 401


@pytest.mark.parametrize("change", ["closed", "new password", "another role"])
def test_a_stream_ends_with_what_its_account_allowed(server: Served, change: str):
    stream = follow(server, server.bearer())
    engine = server.scene.engine
    if change == "closed":
        people.set_disabled(engine, people.find(engine, "van-1").id, 1.0)
    elif change == "new password":
        people.set_password(engine, "van-1", "another-password")
    else:
        with engine.begin() as connection:
            role = sa.update(account).where(account.c.login == "van-1").values(role="coordinator")
            connection.execute(role)
    assert why(rest(stream)) == "session"


def test_a_person_with_many_streams_keeps_the_newest_and_hurts_nobody(server: Served):
    other = follow(server, server.bearer("van-2"))
    headers = server.bearer()
    mine = [follow(server, headers) for _ in range(40)]
    for stream in mine[:-PER_SESSION]:
        assert why(rest(stream)) == "replaced"
    for stream in (*mine[-PER_SESSION:], other):
        stream.settimeout(0.3)
        with pytest.raises(TimeoutError):
            stream.recv(65536)
    sessions = [server.bearer() for _ in range(PER_PERSON)]
    newest = [follow(server, one) for one in sessions]
    assert [why(rest(stream)) for stream in mine[-PER_SESSION:]] == ["replaced"] * PER_SESSION
    assert len(newest) == PER_PERSON
    assert httpx.get(f"{server.url}/", headers=server.bearer("sam"), timeout=5).status_code == 200
