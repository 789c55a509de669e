"""A real PostgreSQL of the test run's own: a throw-away cluster, run by an unprivileged user."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.parts import require
from tests.parts.errors import PartError
from tests.parts.services import Service, free_port

USER, PASSWORD = "noria", "noria-test-only"


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running cluster; ``fresh`` makes an empty database, ``service`` can be killed."""

    port: int
    folder: Path
    service: Service

    def fresh(self, template: str = "template0") -> sa.URL:
        """An empty database of its own, or a copy of ``template``; the URL has the password."""
        name = f"t{secrets.token_hex(6)}"
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return self.url(name)

    def url(self, name: str) -> sa.URL:
        """The address of a database."""
        return sa.URL.create(
            "postgresql+psycopg", USER, PASSWORD, "127.0.0.1", self.port, database=name
        )

    def start(self) -> None:
        """Start again after a kill, on the same port and folder."""
        self.service.start(lambda: _answers(self))


def settings_lines(url: sa.URL) -> str:
    """The two settings that name this database in a ``noria.toml``."""
    where = f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"
    return f'database = "{where}"\ndatabase_password = "{url.password}"\n'


@contextlib.contextmanager
def postgresql(*, durable: bool = False) -> Generator[PostgreSQL]:
    """A running cluster, removed afterwards. ``durable``: fsync as in the field."""
    binaries = require("postgresql").resolve().parent
    # Not the test's own folder: as root that one is closed to the user who runs the server.
    folder = Path(tempfile.mkdtemp(prefix="noria-postgresql-"))
    try:
        user = _unprivileged(folder)
        _initialise([*user, str(binaries / "initdb")], folder)
        port = free_port()
        command = [*user, str(binaries / "postgres"), "-D", str(folder / "data")]
        command += ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}"]
        # SIGINT ends the connections; SIGTERM waits for pools that tests left open, half a minute.
        service = Service(command, folder / "postgresql.log", stop_signal=signal.SIGINT)
        cluster = PostgreSQL(port, folder, service)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.service.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: the words that make it another user."""
    if os.geteuid() != 0:
        return []
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _initialise(initdb: list[str], folder: Path) -> None:
    password = folder / "password"
    password.write_text(PASSWORD, "ascii")
    command = [*initdb, "-D", str(folder / "data"), "-U", USER, f"--pwfile={password}"]
    command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise PartError(f"initdb failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def _answers(cluster: PostgreSQL) -> bool:
    engine = sa.create_engine(cluster.url("postgres"), connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()
