"""Channels through Apprise: Signal, Telegram, ntfy, e-mail, SMS, Matrix, webhooks…

https://github.com/caronc/apprise. Its URLs carry tokens and addresses: they are never logged,
shown or stored in the database; a channel's name is its scheme and part of its URL's digest.
"""

import hashlib
import logging
import re
import threading
from typing import Any, Protocol, cast

import apprise

from gateway.alerts.channels.port import TransportError
from gateway.errors import SettingError

_REFUSED = (400, 410, 413, 422)
"""Status codes of a message that will never be accepted. Others can pass: 401 and 403 once the
token is renewed, 404 while a server is updated."""
_STATUS = re.compile(r"error[=: ]+(\d{3})\b")


class _Plugin(Protocol):
    title_maxlen: int

    def notify(self, **message: Any) -> bool | None: ...


class AppriseChannel:
    """One Apprise URL. Each attempt ends: Apprise's plugins time out after 4 s a connection."""

    def __init__(self, url: str) -> None:
        scheme = url.partition("://")[0].lower()
        digest = hashlib.sha256(url.encode()).hexdigest()
        self.name = f"{scheme}-{digest[:6]}"
        made: Any = apprise.Apprise.instantiate(url, suppress_exceptions=True)  # pyright: ignore[reportUnknownMemberType]
        if made is None:
            raise SettingError(
                f"{scheme}://… is not a URL that Apprise understands; check it against "
                "https://github.com/caronc/apprise/wiki"
            )
        self._plugin = cast(_Plugin, made)

    def send(self, text: str, title: str) -> None:
        """Send once; raises TransportError, with the status code where there was one."""
        shown = title if self._plugin.title_maxlen else ""
        with _StatusLog() as log:
            try:
                done = self._plugin.notify(
                    body=text, title=shown, notify_type=apprise.NotifyType.WARNING
                )
            except (OSError, TypeError, ValueError) as error:
                raise TransportError(f"{self.name}: {type(error).__name__}") from error
        if not done:
            raise log.error(self.name)


class _StatusLog(logging.Handler):
    """Extracts the HTTP status from Apprise's log records of one attempt on this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._status: int | None = None
        self._thread = threading.get_ident()
        self._logger = logging.getLogger("apprise")

    def __enter__(self) -> "_StatusLog":
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Store the status of ``error=429``, not of channels that send on threads of their own."""
        found = _STATUS.search(record.getMessage())
        if found and record.thread == self._thread:
            self._status = int(found[1])

    def error(self, name: str) -> TransportError:
        """The error to raise after a failed attempt."""
        if self._status is None:
            return TransportError(f"{name}: no answer")
        permanent = self._status in _REFUSED
        return TransportError(f"{name}: answered {self._status}", permanent=permanent)
