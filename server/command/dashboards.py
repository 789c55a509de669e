"""``noria dashboards``: the Grafana dashboard as files, or pushed to a server."""

import json
from pathlib import Path

import click

from gateway.database.engine import open_database
from gateway.errors import NoriaError
from gateway.registry import rows
from gateway.settings import Settings
from gateway.text_file import read_text
from server.command.config import settings_of, with_config

try:
    from dashboards.provisioning import files
    from dashboards.push import PushError, push
    from dashboards.water import dashboard
except ModuleNotFoundError as error:
    raise NoriaError(
        f"noria dashboards needs the package {error.name}: pip install 'noria[grafana]'"
    ) from error

_NAMES = click.option(
    "--names", is_flag=True, help="Show your tanks' names in Grafana instead of random ids."
)


@click.group(name="dashboards")
def dashboards() -> None:
    """Write or push the Grafana dashboard (dashboards/README.md)."""


@dashboards.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_NAMES
@with_config
def write(folder: Path, names: bool, config: str | None) -> None:
    """Write Grafana's provisioning files to DIR: data source, dashboard, one alert rule."""
    settings = settings_of(config)
    texts = files(settings.influxdb_url, settings.influxdb_bucket.partition("/")[0])
    texts["dashboards/noria/water.json"] = json.dumps(_made(settings, names), indent=2) + "\n"
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.parent.chmod(0o755)  # Grafana has a user of its own, and there is no secret in them
        path.chmod(0o644)
        click.echo(f"Wrote {path}")
    click.echo(
        "Next: copy them to /etc/grafana/provisioning, set NORIA_INFLUXDB_TOKEN in Grafana's "
        "environment, restart Grafana."
    )


@dashboards.command(name="push")
@click.option("--url", required=True, metavar="URL", help="Grafana, as you open it.")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with a service account's token (role Editor).",
)
@_NAMES
@with_config
def push_(url: str, token_file: Path, names: bool, config: str | None) -> None:
    """Create or replace the dashboard in a running Grafana."""
    token = read_text(token_file).strip()
    try:
        click.echo(f"Pushed to {push(url, token, _made(settings_of(config), names))}")
    except PushError as error:
        raise NoriaError(str(error)) from error


def _made(settings: Settings, names: bool) -> dict[str, object]:
    known: dict[str, str] = {}
    if names:
        tanks = rows.load(open_database(settings)).tanks
        known = {of[-1].rid: of[-1].name or name for name, of in tanks.items()}
    return dashboard(known, settings.timezone)
