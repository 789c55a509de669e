"""The log: one line an event, for people and journald, without secrets."""

import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from gateway.settings import TABLE, Settings

HIDDEN = "[hidden]"
_SHORTEST_SECRET = 6
_KEY = re.compile(r"\b[0-9a-fA-F]{64}\b")
_MAC = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]+@")
_PHONE = re.compile(r"(?<![\w.])\+\d[\d .-]{6,16}\d\b")
_PLACE = re.compile(r"(?<![\d.])-?\d{1,3}\.\d{4,}\s*,\s*-?\d{1,3}\.\d{4,}")
_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}  # sd-daemon(3)


class RedactingFilter:
    """Removes secrets from a text: those of the settings, and everything that looks like a key, a
    MAC, a login in a URL, a phone number or an exact place. No code should log them; this is the
    safety net.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {s for s in secrets if len(s) >= _SHORTEST_SECRET}
        self._known = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """``text`` without secrets."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for shape in (_KEY, _MAC, _PHONE, _PLACE):
            text = shape.sub(HIDDEN, text)
        return _LOGIN.sub(rf"\1{HIDDEN}@", text)


class LineFormatter(logging.Formatter):
    """``level=warning from=gateway.alerts.outbox said="…"``, or the same as one JSON object."""

    def __init__(self, hide: RedactingFilter, *, as_json: bool, journald: bool) -> None:
        super().__init__()
        self._hide = hide
        self._as_json = as_json
        self._journald = journald

    def format(self, record: logging.LogRecord) -> str:
        """The record on one line; a multi-line message is quoted."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        fields = {"level": record.levelname.lower(), "from": record.name, "said": self._hide(text)}
        if not self._journald:  # journald adds the time
            fields = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), **fields}
        pairs = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        line = json.dumps(fields, ensure_ascii=False) if self._as_json else pairs
        priority = f"<{_PRIORITY.get(record.levelname, 6)}>" if self._journald else ""
        return priority + line


def _quoted(value: str) -> str:
    plain = bool(value) and not any(c in ' "=\\' or not c.isprintable() for c in value)
    return value if plain else json.dumps(value, ensure_ascii=False)


def set_up(settings: Settings) -> None:
    """Have every logger of this process write such lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        LineFormatter(
            RedactingFilter(_secrets(settings)),
            as_json=settings.log_format == "json",
            journald="JOURNAL_STREAM" in os.environ,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def _secrets(settings: Settings) -> Iterable[str]:
    for setting in TABLE:
        if setting.secret:
            value = getattr(settings, setting.name)
            yield from ([value] if isinstance(value, str) else value)
    for url in settings.channels:
        yield from _parts(url)
    if ":" in settings.influxdb_token:
        yield settings.influxdb_token.partition(":")[2]


def _parts(url: str) -> Iterable[str]:
    """The parts of a channel's URL that may be a token, a number or a name."""
    if "://" not in url:
        return
    split = urlsplit(url)
    for part in re.split(r"[/:@?&=,]", f"{split.netloc}/{split.path}/{split.query}"):
        yield from {part, unquote(part)}
