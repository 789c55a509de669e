"""The programs that can be the private broker: Mosquitto, or else amqtt."""

import hashlib
import importlib.util
import json
import logging
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import BrokerError
from gateway.mqtt.broker import control, mosquitto
from gateway.mqtt.broker.rules import Login
from gateway.mqtt.certificates.facts import Source
from gateway.settings import Settings, listen_address

_log = logging.getLogger(__name__)

TRYING_OUT = (
    "Mosquitto with its dynamic-security plugin is not installed: the private broker is amqtt, "
    "for trying out only (slow, forgets everything when it ends). "
    "To install Mosquitto on Debian: apt-get install mosquitto"
)

NEITHER = (
    "no broker: Mosquitto with its dynamic-security plugin is not installed. On Debian: apt-get "
    "install mosquitto. Or set broker to the URL of one that runs. To try things out, "
    "pip install 'noria[trial]' has a small one"
)


class BrokerProgram(Protocol):
    """A broker program: its command line, and how its logins change while it runs."""

    @property
    def user(self) -> tuple[int, int] | None:
        """As which uid and gid it runs, where that is not the gateway's."""
        ...

    def command(self, logins: Iterable[Login]) -> list[str]:
        """Write its files with these logins, and return its command line."""
        ...

    def admit(self, before: Mapping[str, Login], after: Mapping[str, Login]) -> None:
        """Change the logins of the running broker. Raises BrokerError."""
        ...

    def copy_certificate(self) -> bool:
        """Give it the changed certificate; whether SIGHUP then suffices, else it starts again."""
        ...


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """For real use. ``inner`` is the gateway's own listener, without TLS.

    ``source`` is that of the gateway's start: a CA that is made while it runs changes nothing yet.
    """

    settings: Settings
    folder: Path
    inner: tuple[str, int]
    admin: Login
    source: Source | None

    @property
    def user(self) -> tuple[int, int] | None:
        """Never root's."""
        found = mosquitto.servant()
        return None if found is None else (found.uid, found.gid)

    def command(self, logins: Iterable[Login]) -> list[str]:
        """Raises FileNotFoundError when Mosquitto was removed after ``choose``."""
        program, plugin = mosquitto.program(), mosquitto.plugin()
        if program is None or plugin is None:
            raise FileNotFoundError("mosquitto is no longer installed")
        config = mosquitto.write_config(
            self.settings, self.folder, plugin, self.inner[1], self.source
        )
        mosquitto.write_security(self.folder, logins)
        user = mosquitto.servant()
        if user is not None:
            mosquitto.give(self.folder, user)
            return [program, "-c", config.name]
        return [program, "-c", str(config)]

    def admit(self, before: Mapping[str, Login], after: Mapping[str, Login]) -> None:
        """Uses the dynamic-security plugin, which disconnects revoked devices."""
        commands = control.changes(before, after)
        if commands:
            control.send(self.inner, self.admin, commands)

    def copy_certificate(self) -> bool:
        """On SIGHUP it reads the files again; connections, sessions and queues stay."""
        if self.source is not None:
            mosquitto.copy_certificate(self.source, self.folder)
        return True


@dataclass(frozen=True, slots=True)
class Amqtt:
    """For trying out, installed with pip. Reads its file of logins again when it changes."""

    settings: Settings
    folder: Path
    inner: tuple[str, int]
    source: Source | None

    @property
    def user(self) -> tuple[int, int] | None:
        """The gateway's own: it reads Noria's program and the file of logins."""
        return None

    def command(self, logins: Iterable[Login]) -> list[str]:
        """Another Python process, so that it does not block the gateway."""
        self._write(logins)
        host, port = listen_address("broker_listen", self.settings.broker_listen)
        config = {
            "listen": f"{host}:{port}",
            "inner": f"{self.inner[0]}:{self.inner[1]}",
            "plain": self.settings.broker_plain_listen,
            "certificate": self.source.certificate if self.source else "",
            "key": self.source.key if self.source else "",
            "logins": str(self._logins),
        }
        path = self.folder / "amqtt.json"
        path.write_text(json.dumps(config), "utf-8")
        return [sys.executable, "-m", "gateway.mqtt.broker.embedded", str(path)]

    def admit(self, before: Mapping[str, Login], after: Mapping[str, Login]) -> None:
        """Write the file of logins; a revoked device stays connected without any rights."""
        del before
        self._write(after.values())

    def copy_certificate(self) -> bool:
        """It reads the files where they are, and only as it starts."""
        return False

    @property
    def _logins(self) -> Path:
        return self.folder / "logins.json"

    def _write(self, logins: Iterable[Login]) -> None:
        known: dict[str, object] = {}
        for login in logins:
            salt = secrets.token_hex(16)
            digest = hashlib.sha256((salt + login.password).encode()).hexdigest()
            rules = {"write": login.write, "read": login.read}
            known[login.user] = {"salt": salt, "sha256": digest, **rules}
        fresh = self.folder / "logins.json.new"
        fresh.touch(0o600)
        fresh.write_text(json.dumps(known), "utf-8")
        fresh.replace(self._logins)


def choose(
    settings: Settings, folder: Path, inner: tuple[str, int], admin: Login,
    source: Source | None = None,
) -> BrokerProgram:  # fmt: skip
    """Mosquitto where it is installed; else amqtt, and a warning that it is for trying out.

    Raises BrokerError where neither is.
    """
    if mosquitto.program() and mosquitto.plugin():
        return Mosquitto(settings, folder, inner, admin, source)
    if importlib.util.find_spec("amqtt") is None:
        raise BrokerError(NEITHER)
    _log.warning(TRYING_OUT)
    return Amqtt(settings, folder, inner, source)
