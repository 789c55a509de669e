"""The server as a process, and the commands for accounts."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from server.accounts import people
from tests.browser import accounts, scenes
from tests.parts import database
from tests.parts.services import Service, free_port

NORIA = [sys.executable, "-m", "server.command"]


def noria(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [*NORIA, *map(str, arguments)]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    made = scenes.make(tmp_path, extra=f'server_listen = "127.0.0.1:{free_port()}"\n')
    made.engine.dispose()
    return made.settings.source


def address(config: Path) -> str:
    return config.read_text().split('server_listen = "')[1].split('"')[0]


def test_it_prints_ready_answers_and_ends_cleanly_on_sigterm(config: Path, tmp_path: Path):
    process = subprocess.Popen(
        [*NORIA, "server", "--config", str(config)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    answer = httpx.get(f"http://{address(config)}/health")
    assert (answer.status_code, answer.json()) == (503, {"ok": False})
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stderr.read() == ""


def test_an_open_stream_does_not_delay_the_shutdown(config: Path, tmp_path: Path):
    service = Service([*NORIA, "server", "--config", config], tmp_path / "log")
    service.start(lambda: "ready" in service.text())
    url = f"http://{address(config)}"
    given = {"login": "van-1", "password": accounts.PASSWORD}
    token = httpx.post(f"{url}/api/v1/session", json=given).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{url}/live", headers=headers, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        service.stop()
    assert "Traceback" not in service.text()


def test_a_busy_port_is_named_with_the_remedy(config: Path):
    host, _, port = address(config).partition(":")
    with socket.create_server((host, int(port))):
        ended = noria("server", "--config", config)
    assert ended.returncode == 2
    assert f"server_listen = '{address(config)}'" in ended.stderr
    assert "choose another" in ended.stderr


def test_an_account_is_added_with_a_random_password_that_works(config: Path):
    made = noria("user", "add", "Zoé Pump", "--role", "coordinator", "--config", config)
    assert made.returncode == 0, made.stderr
    assert "login: zoe-pump" in made.stdout
    password = made.stdout.split("Password: ")[1].split()[0]
    engine = database.opened(config.parent / "data")
    person = people.check(engine, "zoe-pump", password)
    engine.dispose()
    assert person is not None
    assert person.role == "coordinator"


def test_a_password_is_read_from_standard_input_and_never_printed(config: Path):
    arguments = ("user", "password", "van-1", "--password-stdin", "--config", config)
    changed = noria(*arguments, text="a-new-password-1\n")
    assert changed.returncode == 0, changed.stderr
    assert "a-new-password-1" not in changed.stdout + changed.stderr
    engine = database.opened(config.parent / "data")
    assert people.check(engine, "van-1", "a-new-password-1") is not None
    assert people.check(engine, "van-1", accounts.PASSWORD) is None
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "Van 1"), "login 'van-1' is taken"),
        (("add", "!!!"), "login ''"),
        (("password", "nobody"), "no account has the login 'nobody'"),
    ],
)
def test_an_error_is_named_with_its_remedy(config: Path, arguments: tuple[str, ...], message: str):
    ended = noria("user", *arguments, "--config", config)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_a_short_password_is_refused(config: Path):
    ended = noria("user", "add", "Ann", "--password-stdin", "--config", config, text="short\n")
    assert ended.returncode == 2
    assert "10 to 200 characters" in ended.stderr


def test_accounts_are_listed_with_their_roles(config: Path):
    listed = noria("user", "list", "--config", config)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["sam", "van-1", "van-2"]
