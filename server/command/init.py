"""``noria init``: a folder with a commented configuration, keys and an empty database."""

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from gateway import settings as settings_module
from gateway.database.engine import open_database
from gateway.errors import SettingError
from gateway.settings import TABLE, Setting

_SECTIONS = {
    "data": "This installation",
    "broker": "Broker: where devices publish",
    "store": "Readings: sqlite needs nothing; influxdb is for Grafana and long history",
    "server_listen": "Pages",
    "channels": "Alerts",
}


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--broker", metavar="URL", default="auto", show_default=True, help="auto or a URL.")
@click.option(
    "--store",
    type=click.Choice(["sqlite", "influxdb"]),
    default="sqlite",
    show_default=True,
    help="Where readings go.",
)
def init(folder: Path, broker: str, store: str) -> None:
    """Write DIR/noria.toml, keys and an empty database. Never overwrites."""
    path = folder / "noria.toml"
    if path.exists():
        raise SettingError(f"{path} is there already: edit it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    gateway_id = "g" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(7))
    given: dict[str, object] = {"broker": broker, "store": store, "gateway_id": gateway_id}
    given["channels"] = ["log"]
    password = urlsplit(broker).password
    if password:
        given["broker"] = broker.replace(f":{password}@", "@", 1)
        given["broker_password_file"] = "broker.password"  # noqa: S105 - a file name
        write_secret(folder / "broker.password", unquote(password))
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


def write(path: Path, given: dict[str, object]) -> None:
    """Write a configuration: the given settings, all others as comments with their defaults.

    Readable by its owner only. Raises FileExistsError rather than overwrite.
    """
    lines = ["# Noria's configuration. A line that begins with # shows a default.", ""]
    for setting in TABLE:
        if setting.help.startswith("Demo only") and setting.name not in given:
            continue
        if setting.name in _SECTIONS:
            lines += [f"# --- {_SECTIONS[setting.name]} ---", ""]
        lines += _lines(setting, given)
    write_secret(path, "\n".join(lines))


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner can read. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def _lines(setting: Setting, given: dict[str, object]) -> list[str]:
    said = [f"# {setting.help}"]
    if setting.secret:
        said.append(f'# Better in a file of its own: {setting.name}_file = "name"')
    from_file = given.get(f"{setting.name}_file")
    if from_file is not None:
        return [*said, f"{setting.name}_file = {toml_value(from_file)}", ""]
    mark = "" if setting.name in given else "# "
    return [
        *said,
        f"{mark}{setting.name} = {toml_value(given.get(setting.name, setting.default))}",
        "",
    ]


def toml_value(value: object) -> str:
    """One value as TOML writes it: text, number or list of texts."""
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a list of texts
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
