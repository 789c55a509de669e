"""Supervises the private broker: keeps it running and its logins up to date with the registry."""

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Generator
from pathlib import Path

import sqlalchemy as sa

from gateway.mqtt.address import Address, address_of
from gateway.mqtt.broker.child import Child, loopback_of
from gateway.mqtt.broker.programs import choose
from gateway.mqtt.broker.rules import ADMIN, GATEWAY, READER, Login, device_logins, own_logins
from gateway.mqtt.broker.server_certificate import ServerCertificate
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker
from gateway.settings import Settings, listen_address

_log = logging.getLogger(__name__)

_LOOK_S = 0.25
_LONGEST_WAIT_S = 10.0


@contextlib.contextmanager
def connect_broker(settings: Settings, engine: sa.Engine) -> Generator[Address]:
    """The address of the setting ``broker``. A private broker runs until the block ends.

    Raises BrokerError when a private one cannot start; one named by URL may be unreachable.
    """
    if settings.broker != "auto":
        yield address_of(settings)
        return
    broker = PrivateBroker(settings, engine)
    broker.start()
    try:
        yield broker.address
    finally:
        broker.stop()


class PrivateBroker(Worker):
    """Starts the broker; restarts it and changes its logins on a thread of its own.

    Raises BrokerError when no broker program is usable, CertificateError without a certificate.
    """

    def __init__(self, settings: Settings, engine: sa.Engine) -> None:
        super().__init__("broker", self._turn, Wakeup(), longest_wait_s=_LONGEST_WAIT_S)
        self._engine = engine
        self._folder = settings.data / "broker"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own = own_logins(*(self._password(user) for user in (GATEWAY, ADMIN, READER)))
        self._version, self._logins = self._wanted()
        listen = listen_address("broker_listen", settings.broker_listen)
        self._certificate = ServerCertificate(settings)
        self._certificate.prepare()
        source = self._certificate.source
        inner = loopback_of(listen) if source is None else ("127.0.0.1", _free_port())
        self._program = choose(settings, self._folder, inner, self._own[ADMIN], source)
        self._listen = listen
        self._child = self._make_child()
        self.address = Address(
            *inner, client_id=GATEWAY, username=GATEWAY, password=self._own[GATEWAY].password
        )

    def start(self) -> None:
        """Start the broker; returns when it listens. Raises BrokerError."""
        self._child.start()
        super().start()

    def stop(self) -> None:
        """End the broker; it saves its queues."""
        super().stop()
        self._child.stop()

    def _make_child(self) -> Child:
        command = self._program.command(self._logins.values())
        user = self._program.user
        return Child(command, self._folder, str(self._folder), self._listen, user)

    def _turn(self) -> float:
        if not self._child.running:
            self._restart()
        if self._certificate.changed():
            self._reload()
        self._child.trim_log()
        self._follow_registry()
        return _LOOK_S

    def _reload(self) -> None:
        """Serve the new certificate. A broker that was being started has read it already."""
        if self._program.copy_certificate():
            self._child.reload()
        else:
            self._child.stop()
            self._child.start()
        _log.info("the broker serves the new certificate")

    def _restart(self) -> None:
        _log.warning("the private broker ended; starting it again")
        # Write all files again: the folder may have been removed as well.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for user, login in self._own.items():
            _write_secret(self._folder / f"{user}.password", login.password)
        self._version, self._logins = self._wanted()
        self._child = self._make_child()
        self._child.start()

    def _follow_registry(self) -> None:
        if rows.version(self._engine) != self._version:
            version, wanted = self._wanted()
            self._program.admit(self._logins, wanted)
            self._version, self._logins = version, wanted

    def _wanted(self) -> tuple[int, dict[str, Login]]:
        version = rows.version(self._engine)
        return version, self._own | device_logins(rows.load(self._engine))

    def _password(self, user: str) -> str:
        """The password of one of our own users, in a file that only its owner may read."""
        path = self._folder / f"{user}.password"
        if not path.exists():
            _write_secret(path, secrets.token_urlsafe(32))
        return path.read_text("ascii").strip()


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
