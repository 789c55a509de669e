"""Channels through Apprise: Signal, Telegram, ntfy, e-mail, SMS, Matrix, webhooks…

https://github.com/caronc/apprise. Its URLs carry tokens and addresses: they are never logged,
shown or stored in the database; a channel's name is its scheme and part of its URL's digest.
"""

import hashlib
import logging
import re
import threading
from typing import Any, Protocol, cast
from urllib.parse import unquote

import apprise
from apprise import conversion

from gateway.alerts.channels.port import TransportError
from gateway.errors import SettingError

_CONTENT = (400, 413, 422)
_REFUSED = (*_CONTENT, 410)
"""Status codes of a message that will never be accepted. Others can pass: 401 and 403 once the
token is renewed, 404 while a server is updated."""
_STATUS = re.compile(r"error[=: ]+(\d{3})\b")


_NOT_BARE = re.compile(r"[^\w\s.,:;%/+-]")
_BARE_LETTERS = 300


class _Plugin(Protocol):
    title_maxlen: int

    def resolve_format(self, body_format: apprise.NotifyFormat) -> apprise.NotifyFormat: ...

    def notify(self, **message: Any) -> bool | None: ...


class AppriseChannel:
    """One Apprise URL. Each attempt ends: Apprise's plugins time out after 4 s a connection."""

    def __init__(self, url: str, name: str = "") -> None:
        scheme = url.partition("://")[0].lower()
        digest = hashlib.sha256(url.encode()).hexdigest()
        self.name = name or f"{scheme}-{digest[:6]}"
        made = _instantiate(url)
        if made is None:
            raise SettingError(
                f"{scheme}://… is not a URL that Apprise understands; check it against "
                "https://github.com/caronc/apprise/wiki"
            )
        self._plugin = cast(_Plugin, made)

    def send(self, text: str, title: str) -> None:
        """Send; raises TransportError, with the status code where there was one.

        A message that is refused for what is in it is sent once more in its barest form.
        """
        try:
            self._send(text, title)
        except _ContentRefused as error:
            try:
                self._send(_bare(text), _bare(title))
            except TransportError:
                raise error from None

    def _send(self, text: str, title: str) -> None:
        plain = apprise.NotifyFormat.TEXT
        form = self._plugin.resolve_format(plain)
        # Where the service wants markup, a title would be markup too: the text has all of it.
        shown = title if self._plugin.title_maxlen and form == plain else ""
        body: str = cast(Any, conversion).convert_between(plain, form, text)
        with _StatusLog() as log:
            try:
                done = self._plugin.notify(
                    body=body, title=shown,
                    notify_type=apprise.NotifyType.WARNING, body_format=form,
                )  # fmt: skip
            except (OSError, TypeError, ValueError) as error:
                raise TransportError(f"{self.name}: {type(error).__name__}") from error
        if not done:
            raise log.error(self.name)


def reaches(url: str, address: str) -> bool:
    """Whether Apprise understands the URL and would send to this address, which is in it.

    Plugins drop an address that they cannot use; some then send to the operator's own, as the one
    for e-mail does. What they keep is in the URL that they would be stored as.
    """
    made = _instantiate(url)
    if made is None or not len(made):
        return False
    return _letters(address) in _letters(unquote(made.url()))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _instantiate(url: str) -> Any:
    return apprise.Apprise.instantiate(url, suppress_exceptions=True)  # pyright: ignore[reportUnknownMemberType]


def _bare(text: str) -> str:
    """Letters, digits and the plainest signs, at most 300: what any service accepts."""
    return " ".join(_NOT_BARE.sub(" ", text).split(" "))[:_BARE_LETTERS]


class _ContentRefused(TransportError):
    """The service does not accept what is in the message."""


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
        kind = _ContentRefused if self._status in _CONTENT else TransportError
        return kind(f"{name}: answered {self._status}", permanent=self._status in _REFUSED)
