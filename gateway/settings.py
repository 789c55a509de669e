"""Every setting: its name, default and help, in one table from which the docs are checked."""

# ruff: noqa: RUF009 - `_setting` returns a dataclass field

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import SettingError
from gateway.text_file import read_text

Value = str | int | float | list[str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. A ``secret`` may come from a file that ``<name>_file`` names."""

    name: str
    default: Value
    help: str
    secret: bool = False


def _setting(default: Value, help: str, *, secret: bool = False) -> Any:
    return field(metadata={"default": default, "help": help, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, checked. Paths are absolute."""

    source: Path
    data: Path = _setting("data", "Folder for journal, databases and keys; relative to this file.")
    witness: str = _setting(
        "auto",
        "Folder where the gateway notes how long its log is, so that it notices when data "
        "comes back from a backup: outside data and its backups. auto: ~/.local/state/noria.",
    )
    gateway_id: str = _setting("g1", "Name of this gateway in its log: 1-16 of a-z 0-9.")
    broker: str = _setting(
        "auto",
        "auto: a private broker (Mosquitto where installed, else amqtt, for trying out only)."
        " Or the URL of yours: mqtt://user@host:1883, mqtts://user@host:8883.",
    )
    broker_password: str = _setting("", "Password for the broker in the URL.", secret=True)
    broker_ca: str = _setting(
        "", "PEM file of the CA that signed the broker's certificate (mqtts)."
    )
    broker_listen: str = _setting("127.0.0.1:1883", "Where the private broker listens for devices.")
    broker_certificate: str = _setting("", "PEM certificate of the private broker; with it, TLS.")
    broker_key: str = _setting("", "PEM key of that certificate.")
    release_key: str = _setting(
        "", "Public key of firmware releases: 64 hex digits, on every board."
    )
    adapters: str = _setting(
        "",
        "Mapping file of third-party sensors (ESPHome, Tasmota, ChirpStack, The Things "
        "Stack); empty: none. 'noria adapters example' prints one.",
    )
    database: str = _setting(
        "",
        "Where registry, people, incidents and messages lie: empty for a SQLite file in the "
        "data folder, or postgresql://user@host:5432/noria, which several gateways share.",
    )
    database_password: str = _setting("", "Password for PostgreSQL.", secret=True)
    store: str = _setting("sqlite", "Where readings go: sqlite or influxdb.")
    influxdb_url: str = _setting(
        "http://127.0.0.1:8086", "Address of InfluxDB 1.8+, 2.x or 3 Core."
    )
    influxdb_org: str = _setting("-", "Organisation; - for InfluxDB 1.8.")
    influxdb_bucket: str = _setting("noria/autogen", "Bucket; database/policy for InfluxDB 1.8.")
    influxdb_token: str = _setting("", "Token; user:password for InfluxDB 1.8.", secret=True)
    archive_after_days: int = _setting(
        90,
        "Messages of whole months that ended so many days ago go from the journal into "
        "compressed files in data/archive, at night. Everything still reads them there. 0: "
        "never.",
    )
    server_listen: str = _setting("127.0.0.1:8080", "Where the web server listens.")
    trusted_proxies: tuple[str, ...] = _setting(
        [],
        "Addresses or networks of reverse proxies in front of the web server, for example "
        "127.0.0.1: X-Forwarded-For and X-Forwarded-Proto are believed from these alone.",
    )
    public_url: str = _setting(
        "", "Address under which people reach the server, for links in alerts."
    )
    metrics_token: str = _setting(
        "",
        "Token (a long random text) with which Prometheus reads /metrics; empty: no such page.",
        secret=True,
    )
    log_format: str = _setting("text", "Lines of the log: text (name=value) or json.")
    timezone: str = _setting("Europe/Paris", "Time zone of screens and alerts.")
    language: str = _setting("en", "Language of alerts and of the first page: en or fr.")
    channels: tuple[str, ...] = _setting(
        [],
        "Where alerts go: 'log' (tanks by their random ids), 'log-names' (for trials), or Apprise "
        "URLs (https://github.com/caronc/apprise). A URL "
        "may carry a token: keep it in the file named by channels_file.",
        secret=True,
    )
    live_ids: str = _setting(
        "registry",
        "Tanks in live topics: 'registry' (their ids there, which "
        "the noria-reader login sees) or 'random' (their random ids, without the network).",
    )
    clock_speed: float = _setting(1.0, "Demo only: how many seconds pass in one.")
    clock_origin: float = _setting(0.0, "Demo only: the Unix time at which fast time began.")
    demo_code: str = _setting(
        "", "Demo only: /enter/<code> signs in without a password.", secret=True
    )

    @property
    def journal_path(self) -> Path:
        """The journal's SQLite file."""
        return self.data / "journal.db"

    @property
    def witness_paths(self) -> tuple[Path, Path]:
        """Where the log's length is noted: beside the journal, and outside of the data folder."""
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        outside = f"{state}/noria" if self.witness == "auto" else self.witness
        folder = self.source.parent / Path(outside).expanduser()
        name = hashlib.sha256(f"{self.data.resolve()}\n{self.gateway_id}".encode()).hexdigest()
        return self.data / "log.witness", folder / f"{name[:16]}.witness"

    @property
    def database_path(self) -> Path:
        """The relational SQLite file, used where ``database`` is empty."""
        return self.data / "noria.db"

    @property
    def shared(self) -> bool:
        """Whether the database is PostgreSQL: then other gateways may share it."""
        return bool(self.database)

    @property
    def store_path(self) -> Path:
        """The SQLite reading store's file."""
        return self.data / "readings.db"


TABLE = tuple(Setting(f.name, **f.metadata) for f in fields(Settings) if f.metadata)

_SHORTEST_TOKEN = 16
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "store": ("sqlite", "influxdb"),
    "language": ("en", "fr"),
    "log_format": ("text", "json"),
    "live_ids": ("registry", "random"),
}


def find(config: str | None) -> Path:
    """The configuration file: the argument, else NORIA_CONFIG, else ./noria.toml.

    Raises SettingError when it is not there.
    """
    path = Path(config or os.environ.get("NORIA_CONFIG") or "noria.toml").absolute()
    if not path.is_file():
        raise SettingError(
            f"no configuration at {path}: run 'noria init {path.parent}', or name one with --config"
        )
    return path


def read(path: Path) -> Settings:
    """Read and check a configuration file. Raises SettingError naming the setting."""
    try:
        given = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML: {error}") from error
    known = {s.name for s in TABLE} | {f"{s.name}_file" for s in TABLE if s.secret}
    for name in given:
        if name not in known:
            raise SettingError(f"{path}: no setting is called {name!r}; see 'noria settings'")
    values: dict[str, Any] = {s.name: _value(s, given, path.parent) for s in TABLE}
    values["data"] = (path.parent / values["data"]).absolute()
    for name in ("channels", "trusted_proxies"):
        values[name] = tuple(values[name])
    for name in ("broker_ca", "broker_certificate", "broker_key", "adapters"):
        if values[name]:
            values[name] = str((path.parent / values[name]).absolute())
    settings = Settings(source=path, **values)
    _check(settings)
    return settings


def _value(setting: Setting, given: Mapping[str, object], base: Path) -> object:
    file = given.get(f"{setting.name}_file")
    if file is not None:
        if setting.name in given:
            raise SettingError(f"{setting.name} and {setting.name}_file are both set: keep one")
        try:
            text = read_text(base / str(file)).strip()
        except OSError as error:
            raise SettingError(f"{setting.name}_file = {file!r}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            remedy = "save the file as UTF-8"
            raise SettingError(
                f"{setting.name}_file = {file!r}: it is no text: {remedy}"
            ) from error
        return text.splitlines() if isinstance(setting.default, list) else text
    value = given.get(setting.name, setting.default)
    if isinstance(setting.default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(setting.default):
        wanted = {"str": "a text", "int": "a whole number", "float": "a number", "list": "a list"}
        kind = wanted[type(setting.default).__name__]
        shown = "its value" if setting.secret else repr(value)
        raise SettingError(f"{setting.name}: {shown} is not {kind}")
    if isinstance(value, list) and not all(isinstance(v, str) for v in cast(list[object], value)):
        raise SettingError(f"{setting.name}: every item must be a text")
    return value


def listen_address(name: str, text: str) -> tuple[str, int]:
    """Split ``host:port``; raises SettingError naming the setting."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SettingError(f"{name} = {text!r}: write it as host:port, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _check(settings: Settings) -> None:
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
    if bool(settings.broker_certificate) != bool(settings.broker_key):
        raise SettingError("broker_certificate and broker_key go together: set both or neither")
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
