"""What a setting may be, and which go together; each error names the setting and the remedy."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import SettingError
from gateway.settings.table import Settings

_SHORTEST_TOKEN = 16
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "store": ("sqlite", "influxdb"),
    "language": ("en", "fr"),
    "log_format": ("text", "json"),
    "live_ids": ("registry", "random"),
    "broker_tls": ("auto", "off"),
}


def listen_address(name: str, text: str) -> tuple[str, int]:
    """Split ``host:port``; raises SettingError naming the setting."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SettingError(f"{name} = {text!r}: write it as host:port, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def check(settings: Settings) -> None:
    """Raise SettingError for the first setting that is wrong."""
    for name, choices in _CHOICES.items():
        value = getattr(settings, name)
        if value not in choices:
            raise SettingError(f"{name} = {value!r}: use one of {', '.join(choices)}")
    if not re.fullmatch(r"[a-z0-9]{1,16}", settings.gateway_id):
        raise SettingError(f"gateway_id = {settings.gateway_id!r}: use 1-16 of a-z and 0-9")
    broker = urlsplit(settings.broker)
    if settings.broker != "auto" and (
        broker.scheme not in ("mqtt", "mqtts") or not broker.hostname
    ):
        raise SettingError("broker: use auto, mqtt://host:1883 or mqtts://host:8883")
    if broker.password:
        raise SettingError("broker: keep the password out of the URL; use broker_password_file")
    _check_database(settings.database)
    for name in ("broker_listen", "server_listen"):
        listen_address(name, getattr(settings, name))
    _check_tls(settings)
    if settings.metrics_token and len(settings.metrics_token) < _SHORTEST_TOKEN:
        raise SettingError(
            f"metrics_token: shorter than {_SHORTEST_TOKEN} characters: draw one, for example "
            "openssl rand -hex 24"
        )
    if not re.fullmatch(r"([0-9a-f]{64})?", settings.release_key):
        raise SettingError(
            f"release_key = {settings.release_key!r}: use the 64 hex digits that "
            "'noria release key' printed"
        )
    for name in ("influxdb_url", "public_url"):
        url: str = getattr(settings, name)
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise SettingError(f"{name} = {url!r}: use http:// or https://")
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise SettingError(
                f"trusted_proxies: {proxy!r} is no address or network; for example 10.0.0.0/24"
            ) from error
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingError(
            f"timezone = {settings.timezone!r}: not a time zone; for example Europe/Paris"
        ) from error
    if settings.archive_after_days < 0:
        days = settings.archive_after_days
        raise SettingError(f"archive_after_days = {days}: use 0 (never) or a number of days")
    if not settings.clock_speed >= 1:
        raise SettingError(f"clock_speed = {settings.clock_speed!r}: use 1 (real time) or more")


def _check_tls(settings: Settings) -> None:
    if bool(settings.broker_certificate) != bool(settings.broker_key):
        raise SettingError("broker_certificate and broker_key go together: set both or neither")
    if settings.broker_certificate and settings.broker_tls == "off":
        raise SettingError('broker_tls = "off" contradicts broker_certificate: remove one of them')
    for name in settings.broker_names:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?", name):
            raise SettingError(
                f"broker_names: {name!r} is no host name and no address: write it as devices do, "
                "without a port, for example broker.example or 192.168.1.20"
            )
    if settings.broker_plain_listen:
        listen_address("broker_plain_listen", settings.broker_plain_listen)
        if settings.broker_plain_listen == settings.broker_listen:
            raise SettingError(
                f"broker_plain_listen = {settings.broker_plain_listen!r}: broker_listen is there; "
                "choose another port for one of them, for example 8883 for broker_listen"
            )


def _check_database(text: str) -> None:
    """Do not show the URL before it is known to contain no password."""
    try:
        url = urlsplit(text)
        complete = url.hostname and url.username and len(url.path) > 1 and url.port != 0
    except ValueError as error:
        raise SettingError(f"database: {error}; write postgresql://user@host:5432/noria") from error
    if url.password is not None or "password" in url.query:
        raise SettingError("database: keep the password out of the URL; use database_password_file")
    if text and not (url.scheme == "postgresql" and complete):
        raise SettingError(
            f"database = {text!r}: leave it empty, or write postgresql://user@host:5432/noria"
        )
