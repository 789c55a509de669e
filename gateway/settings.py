"""Every setting: its name, default and help, in one table from which the docs are checked."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import SettingError


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. ``secret`` ones may come from a file named by ``<name>_file``."""

    name: str
    default: str | int | float | list[str]
    help: str
    secret: bool = False


TABLE: tuple[Setting, ...] = (
    Setting("data", "data", "Folder for journal, databases and keys; relative to this file."),
    Setting(
        "witness",
        "auto",
        "Folder where the gateway notes how long its log is, so that it notices when data comes "
        "back from a backup: outside data and its backups. auto: ~/.local/state/noria.",
    ),
    Setting("gateway_id", "g1", "Name of this gateway in its log: 1-16 of a-z 0-9."),
    Setting(
        "broker",
        "auto",
        "auto: a private broker (Mosquitto where installed, else amqtt, for trying out only). "
        "Or the URL of yours: mqtt://user@host:1883, mqtts://user@host:8883.",
    ),
    Setting("broker_password", "", "Password for the broker in the URL.", secret=True),
    Setting("broker_ca", "", "PEM file of the CA that signed the broker's certificate (mqtts)."),
    Setting("broker_listen", "127.0.0.1:1883", "Where the private broker listens for devices."),
    Setting("broker_certificate", "", "PEM certificate of the private broker; with it, TLS."),
    Setting("broker_key", "", "PEM key of that certificate."),
    Setting("release_key", "", "Public key of firmware releases: 64 hex digits, on every board."),
    Setting(
        "adapters",
        "",
        "Mapping file of third-party sensors (ESPHome, Tasmota, ChirpStack, The Things Stack); "
        "empty: none. 'noria adapters example' prints one.",
    ),
    Setting(
        "database",
        "",
        "Where registry, people, incidents and messages lie: empty for a SQLite file in the data "
        "folder, or postgresql://user@host:5432/noria, which several gateways share.",
    ),
    Setting("database_password", "", "Password for PostgreSQL.", secret=True),
    Setting("store", "sqlite", "Where readings go: sqlite or influxdb."),
    Setting("influxdb_url", "http://127.0.0.1:8086", "Address of InfluxDB 1.8+, 2.x or 3 Core."),
    Setting("influxdb_org", "-", "Organisation; - for InfluxDB 1.8."),
    Setting("influxdb_bucket", "noria/autogen", "Bucket; database/policy for InfluxDB 1.8."),
    Setting("influxdb_token", "", "Token; user:password for InfluxDB 1.8.", secret=True),
    Setting(
        "archive_after_days",
        90,
        "Messages of whole months that ended so many days ago go from the journal into compressed "
        "files in data/archive, at night. Everything still reads them there. 0: never.",
    ),
    Setting("server_listen", "127.0.0.1:8080", "Where the web server listens."),
    Setting("public_url", "", "Address under which people reach the server, for links in alerts."),
    Setting(
        "metrics_token",
        "",
        "Token (a long random text) with which Prometheus reads /metrics; empty: no such page.",
        secret=True,
    ),
    Setting("log_format", "text", "Lines of the log: text (name=value) or json."),
    Setting("timezone", "Europe/Paris", "Time zone of screens and alerts."),
    Setting("language", "en", "Language of alerts and of the first page: en or fr."),
    Setting(
        "channels",
        [],
        "Where alerts go: 'log', or Apprise URLs (https://github.com/caronc/apprise). "
        "A URL may carry a token: keep it in the file named by channels_file.",
        secret=True,
    ),
    Setting("clock_speed", 1.0, "Demo only: how many seconds pass in one."),
    Setting("clock_origin", 0.0, "Demo only: the Unix time at which fast time began."),
    Setting("demo_code", "", "Demo only: /enter/<code> signs in without a password.", secret=True),
)

_SHORTEST_TOKEN = 16
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "store": ("sqlite", "influxdb"),
    "language": ("en", "fr"),
    "log_format": ("text", "json"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, checked. Paths are absolute."""

    source: Path
    data: Path
    witness: str
    gateway_id: str
    broker: str
    broker_password: str
    broker_ca: str
    broker_listen: str
    broker_certificate: str
    broker_key: str
    adapters: str
    release_key: str
    database: str
    database_password: str
    store: str
    influxdb_url: str
    influxdb_org: str
    influxdb_bucket: str
    influxdb_token: str
    archive_after_days: int
    server_listen: str
    public_url: str
    metrics_token: str
    log_format: str
    timezone: str
    language: str
    channels: tuple[str, ...]
    clock_speed: float
    clock_origin: float
    demo_code: str

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
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML: {error}") from error
    known = {s.name for s in TABLE} | {f"{s.name}_file" for s in TABLE if s.secret}
    for name in given:
        if name not in known:
            raise SettingError(f"{path}: no setting is called {name!r}; see 'noria settings'")
    values = {s.name: _value(s, given, path.parent) for s in TABLE}
    _check(values)
    values["data"] = (path.parent / values["data"]).absolute()
    values["channels"] = tuple(values["channels"])
    for name in ("broker_ca", "broker_certificate", "broker_key", "adapters"):
        if values[name]:
            values[name] = str((path.parent / values[name]).absolute())
    return Settings(source=path, **values)


def _value(setting: Setting, given: Mapping[str, Any], base: Path) -> Any:
    file = given.get(f"{setting.name}_file")
    if file is not None:
        if setting.name in given:
            raise SettingError(f"{setting.name} and {setting.name}_file are both set: keep one")
        try:
            text = (base / str(file)).read_text("utf-8").strip()
        except OSError as error:
            raise SettingError(f"{setting.name}_file = {file!r}: {error.strerror}") from error
        return text.splitlines() if isinstance(setting.default, list) else text
    value = given.get(setting.name, setting.default)
    if (
        isinstance(setting.default, float)
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
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


def _check(values: Mapping[str, Any]) -> None:
    for name, choices in _CHOICES.items():
        if values[name] not in choices:
            raise SettingError(f"{name} = {values[name]!r}: use one of {', '.join(choices)}")
    if not re.fullmatch(r"[a-z0-9]{1,16}", values["gateway_id"]):
        raise SettingError(f"gateway_id = {values['gateway_id']!r}: use 1-16 of a-z and 0-9")
    broker = urlsplit(str(values["broker"]))
    if values["broker"] != "auto" and (
        broker.scheme not in ("mqtt", "mqtts") or not broker.hostname
    ):
        raise SettingError("broker: use auto, mqtt://host:1883 or mqtts://host:8883")
    if broker.password:
        raise SettingError("broker: keep the password out of the URL; use broker_password_file")
    _check_database(str(values["database"]))
    for name in ("broker_listen", "server_listen"):
        listen_address(name, values[name])
    if bool(values["broker_certificate"]) != bool(values["broker_key"]):
        raise SettingError("broker_certificate and broker_key go together: set both or neither")
    if values["metrics_token"] and len(values["metrics_token"]) < _SHORTEST_TOKEN:
        raise SettingError(
            f"metrics_token: shorter than {_SHORTEST_TOKEN} characters: draw one, for example "
            "openssl rand -hex 24"
        )
    if not re.fullmatch(r"([0-9a-f]{64})?", values["release_key"]):
        raise SettingError(
            f"release_key = {values['release_key']!r}: use the 64 hex digits that "
            "'noria release key' printed"
        )
    for name in ("influxdb_url", "public_url"):
        if values[name] and urlsplit(str(values[name])).scheme not in ("http", "https"):
            raise SettingError(f"{name} = {values[name]!r}: use http:// or https://")
    try:
        ZoneInfo(values["timezone"])
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingError(
            f"timezone = {values['timezone']!r}: not a time zone; for example Europe/Paris"
        ) from error
    if values["archive_after_days"] < 0:
        days = values["archive_after_days"]
        raise SettingError(f"archive_after_days = {days}: use 0 (never) or a number of days")
    if not values["clock_speed"] >= 1:
        raise SettingError(f"clock_speed = {values['clock_speed']!r}: use 1 (real time) or more")


def _check_database(text: str) -> None:
    """Never shows the URL itself before it is known to hold no password."""
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
