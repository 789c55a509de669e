"""``noria init``: a folder with a commented configuration, keys and an empty database."""

import secrets
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from gateway import settings as settings_module
from gateway.database.engine import open_database
from gateway.errors import SettingError
from server.command import arguments
from server.config_file import write, write_secret


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
def init(folder: Path, broker: str, broker_password_stdin: bool, store: str) -> None:
    """Write DIR/noria.toml, keys and an empty database. Never overwrites."""
    password = urlsplit(broker).password
    if password:
        arguments.hide(password)
        click.echo(
            "The password in --broker stays in your shell's history: next time give it by "
            "--broker-password-stdin",
            err=True,
        )
    path = folder / "noria.toml"
    if path.exists():
        raise SettingError(f"{path} is there already: edit it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    gateway_id = "g" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(7))
    given: dict[str, object] = {"broker": broker, "store": store, "gateway_id": gateway_id}
    given["channels"] = ["log"]
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
        f"Made {path}\n"
        "Next:\n"
        f"  noria registry import FILE --config {path}     say what to watch\n"
        f"  noria user add NAME --role coordinator --config {path}\n"
        f"  noria up --config {path}"
    )
