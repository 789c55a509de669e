"""amqtt as a process: ``python -m gateway.mqtt.broker.embedded CONFIG``. For trying out only.

It has the same logins and topic rules as Mosquitto. It loses sessions and retained messages when
it ends; nodes then resend, and the gateway publishes its acks again.
"""

# amqtt comes without stubs, and its plugins' ``config`` is untyped.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

import asyncio
import hashlib
import hmac
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext, BrokerConfig
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session
from paho.mqtt.client import topic_matches_sub

_MODULE = "gateway.mqtt.broker.embedded"


class _Logins:
    """The logins by user, read again when their file changes."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._changed = -1
        self._known: dict[str, Any] = {}

    def of(self, user: str | None) -> dict[str, Any] | None:
        """The login of ``user``, None where there is none."""
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self._known = json.loads(self._path.read_text("utf-8"))
            self._changed = changed
        return self._known.get(user or "")


class LoginsPlugin(BaseAuthPlugin, BaseTopicPlugin):
    """Admits a user by password, with its own name as client id, to the topics of its login."""

    @dataclass
    class Config(BaseAuthPlugin.Config):
        """``logins`` is the file of logins."""

        logins: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._logins = _Logins(self.config.logins)

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the password is right and the client id is the user's."""
        known = self._logins.of(session.username)
        if known is None or session.client_id != session.username:
            return False
        given = hashlib.sha256((known["salt"] + (session.password or "")).encode()).hexdigest()
        return hmac.compare_digest(given, known["sha256"])

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Whether ``session`` may publish to, subscribe to or receive ``topic``."""
        known = self._logins.of(session.username) if session else None
        if known is None or topic is None:
            return False
        allowed: list[str] = known["write" if action == Action.PUBLISH else "read"]
        return any(topic == rule or topic_matches_sub(rule, topic) for rule in allowed)


def _config(given: dict[str, str]) -> BrokerConfig:
    listeners: dict[str, Any] = {"default": {"type": "tcp", "bind": given["listen"]}}
    if given["certificate"]:
        tls = {"ssl": True, "certfile": given["certificate"], "keyfile": given["key"]}
        listeners["default"] |= tls
        listeners["inner"] = {"type": "tcp", "bind": given["inner"]}
    if given["plain"]:
        listeners["plain"] = {"type": "tcp", "bind": given["plain"]}
    plugins = {f"{_MODULE}.LoginsPlugin": {"logins": given["logins"]}}
    return BrokerConfig.from_dict({"listeners": listeners, "plugins": plugins})


async def _serve(given: dict[str, str]) -> None:
    broker = Broker(_config(given))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await broker.start()
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
