"""A real InfluxDB, 1.8 or 2.9, as a subprocess with its database or bucket made."""

import contextlib
import http.client
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.parts import require
from tests.parts.services import Service, free_port


@dataclass(frozen=True, slots=True)
class InfluxDB:
    """A running InfluxDB with its bucket made: what the settings of the same names take."""

    line: str
    url: str
    org: str
    bucket: str
    token: str
    service: Service

    def answers(self) -> bool:
        """Whether it is up."""
        return _answers(f"{self.url}/{'ping' if self.line == '1.8' else 'health'}")

    def fresh(self) -> "InfluxDB":
        """The same server with an empty database or bucket of its own."""
        name = f"t{secrets.token_hex(6)}"
        if self.line == "1.8":
            _ask(f"{self.url}/query?q=CREATE+DATABASE+{name}", {})
            return replace(self, bucket=f"{name}/autogen")
        found = _ask(f"{self.url}/api/v2/orgs?org={self.org}", None, self.token)
        bucket: dict[str, object] = {
            "name": name,
            "orgID": found["orgs"][0]["id"],
            "retentionRules": [],
        }
        _ask(f"{self.url}/api/v2/buckets", bucket, self.token)
        return replace(self, bucket=name)


@contextlib.contextmanager
def influxdb(line: str, folder: Path) -> Generator[InfluxDB]:
    """A running server of ``line`` ("1.8" or "2.9") with database or bucket ``noria``."""
    program = require(f"influxd-{line}")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command, ping = (
        (_command_1(program, folder, port), f"{url}/ping")
        if line == "1.8"
        else (_command_2(program, folder, port), f"{url}/health")
    )
    service = Service(command, folder / "influxd.log")
    service.start(lambda: _answers(ping))
    try:
        if line == "1.8":
            _ask(f"{url}/query?q=CREATE+DATABASE+noria", {})
            yield InfluxDB(line, url, "-", "noria/autogen", "noria:noria-test", service)
        else:
            _ask(f"{url}/api/v2/setup", _SETUP)
            yield InfluxDB(line, url, _SETUP["org"], "noria", _SETUP["token"], service)
    finally:
        service.stop()


_SETUP = {
    "username": "noria",
    "password": "noria-test-only",
    "org": "noria",
    "bucket": "noria",
    "token": "noria-test-only-token",
}


def _command_1(program: Path, folder: Path, port: int) -> list[str | Path]:
    config = folder / "influxdb.conf"
    config.write_text(
        f"""\
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
flux-enabled = false
log-enabled = false
[monitor]
store-enabled = false
""",
        encoding="utf-8",
    )
    return [program, "run", "-config", config]


def _command_2(program: Path, folder: Path, port: int) -> list[str | Path]:
    return [
        program,
        "run",
        f"--http-bind-address=127.0.0.1:{port}",
        f"--bolt-path={folder}/influxd.bolt",
        f"--sqlite-path={folder}/influxd.sqlite",
        f"--engine-path={folder}/engine",
        "--reporting-disabled",
    ]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status < 300
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def _ask(url: str, body: object, token: str = "") -> Any:
    """POST ``body`` as JSON, or GET where it is None; the JSON answer, None where it is empty."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Token {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else None
