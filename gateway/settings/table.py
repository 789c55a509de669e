"""Every setting: its name, default and help, in one table from which the docs are checked."""

# ruff: noqa: RUF009 - `_setting` returns a dataclass field

import hashlib
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

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
    broker_tls: str = _setting(
        "auto",
        "auto: where broker_listen is not loopback, the private broker uses TLS with the CA that "
        "'noria init' or 'noria certificates make' made. off: plain connections, for a VPN or a "
        "proxy that ends TLS.",
    )
    broker_names: tuple[str, ...] = _setting(
        [],
        "Names and addresses by which devices reach the private broker; the first is written onto "
        "boards. Its certificate has these alone; where empty, this machine's name and addresses.",
    )
    broker_plain_listen: str = _setting(
        "",
        "A second listener of the private broker, without TLS, for devices that hold no CA yet: "
        "for example 0.0.0.0:1883. Remove it when the last one has moved.",
    )
    broker_certificate: str = _setting(
        "", "PEM certificate of the private broker, of another CA than Noria's; with it, TLS."
    )
    broker_key: str = _setting("", "PEM key of that certificate.")
    release_key: str = _setting(
        "", "Public key of firmware releases: 64 hex digits, on every board."
    )
    adapters: str = _setting(
        "",
        "Mapping file of third-party sensors (ESPHome, Tasmota, ChirpStack, The Things "
        "Stack, any JSON); empty: none. 'noria adapters example' prints one.",
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
    services: tuple[str, ...] = _setting(
        [],
        "How single persons are reached, NAME=URL each: an Apprise URL "
        "(https://github.com/caronc/apprise) with {to} where a person's address belongs, for "
        "example mail=mailtos://user:password@example.org?to={to}. Keep it in services_file.",
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
