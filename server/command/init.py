"""``noria init``: a folder with a commented configuration, keys and an empty database."""

import secrets
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from gateway import settings as settings_module
from gateway.database.engine import open_database
from gateway.errors import SettingError
from gateway.mqtt.certificates.folder import CA, Folder
from gateway.mqtt.certificates.names import wanted
from gateway.settings import Settings, listen_address
from server.command import arguments
from server.config_file import write, write_secret

TLS_LISTEN = "0.0.0.0:8883"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--broker", metavar="URL", default="auto", show_default=True, help="auto or a URL.")
@click.option(
    "--broker-password-stdin", is_flag=True, help="Read the broker's password from standard input."
)
@click.option(
    "--store",
    type=click.Choice(["sqlite", "influxdb"]),
    default="sqlite",
    show_default=True,
    help="Where readings go.",
)
@click.option(
    "--name",
    "names",
    metavar="NAME",
    multiple=True,
    help="Name or address by which devices reach this machine, again for each: listens for them.",
)
def init(
    folder: Path, broker: str, broker_password_stdin: bool, store: str, names: tuple[str, ...]
) -> None:
    """Write DIR/noria.toml, keys, a CA for the broker and an empty database. Never overwrites.

    With --name the private broker listens on every interface, port 8883, with TLS. Prefer a name
    that stays (a DNS name, or HOST.local on the same network) to an address that changes.
    """
    password = urlsplit(broker).password
    if password:
        arguments.hide(password)
        click.echo(
            "The password in --broker stays in your shell's history: next time give it by "
            "--broker-password-stdin",
            err=True,
        )
    if names and broker != "auto":
        raise SettingError(f"--name is for the private broker, not for {broker}: leave it out")
    path = folder / "noria.toml"
    if path.exists():
        raise SettingError(f"{path} is there already: edit it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    gateway_id = "g" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(7))
    given: dict[str, object] = {"broker": broker, "store": store, "gateway_id": gateway_id}
    given["channels"] = ["log"]
    if names:
        given |= {"broker_listen": TLS_LISTEN, "broker_names": list(names)}
    secret = unquote(password or "")
    if broker_password_stdin:
        secret = sys.stdin.readline().rstrip("\r\n")
    if secret:
        given["broker"] = broker.replace(f":{password}@", "@", 1)
        given["broker_password_file"] = "broker.password"  # noqa: S105 - a file name
        write_secret(folder / "broker.password", secret)
    write(path, given)
    try:
        settings = settings_module.read(path)
    except SettingError:
        path.unlink()
        (folder / "broker.password").unlink(missing_ok=True)
        raise
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    open_database(settings).dispose()
    click.echo(
        f"Made {path}\n{_certificates(settings)}"
        "Next:\n"
        f"  noria registry import FILE --config {path}     say what to watch\n"
        f"  noria user add NAME --role coordinator --config {path}\n"
        f"  noria up --config {path}"
    )


def _certificates(settings: Settings) -> str:
    """Make CA and certificate of a private broker; returns the lines that say so."""
    if settings.broker != "auto":
        return ""
    certificates = Folder(settings)
    certificates.make(CA, time.time())
    host, _ = listen_address("broker_listen", settings.broker_listen)
    certificates.issue(wanted(settings.broker_names, host), time.time())
    where = certificates.path
    if not settings.broker_names:
        return (
            f"Made {where}: a CA for TLS, used when broker_listen is not this machine alone. For\n"
            "devices set broker_listen and broker_names, for example 0.0.0.0:8883, "
            f"{wanted((), host)[1]}\n"
        )
    return (
        f"Made {where}: a CA, and a certificate for {', '.join(settings.broker_names)}.\n"
        "Who has ca.key can pose as your broker: back the folder up, show it to nobody.\n"
    )
