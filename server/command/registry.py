"""``noria registry``: imports and exports sites, tanks, devices and plans."""

import os
from pathlib import Path

import click

from gateway.database.engine import open_database
from gateway.errors import RegistryError
from gateway.registry import check, plausible, rows, toml
from gateway.registry.rows import RowChange
from gateway.runtime.clock import Clock
from server.command.config import settings_of, with_config


@click.group()
def registry() -> None:
    """Import or export sites, tanks, devices, installs and plans (gateway/WIRE.md, section 2)."""


@registry.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--anyway", is_flag=True, help="Import also figures that make little sense.")
@with_config
def import_(file: Path, anyway: bool, config: str | None) -> None:
    """Add the rows of FILE, and list the changes. A wrong file changes nothing.

    Stops where figures make little sense together, such as centimetres in a field for millimetres.

    Rows that FILE leaves out stay. A running gateway uses the new rows within 2 seconds.
    """
    settings = settings_of(config)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(settings)
    known = rows.load(engine)
    added = toml.read(file, known)
    found = list(plausible.doubts(added, check.merged(known, added)))
    for doubt in found:
        click.echo(f"noria: {doubt}", err=True)
    if found and not anyway:
        raise RegistryError(f"{file}: nothing was imported; correct it, or add --anyway")
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with engine.begin() as connection:
        changes = rows.put(connection, added, now)
    for change in changes:
        click.echo(_sentence(change))
    click.echo(f"{len(changes)} rows changed." if changes else "Nothing changed.")


def _sentence(change: RowChange) -> str:
    if change.new:
        return f"added    {change.table} {change.name}"
    return f"changed  {change.table} {change.name}: {', '.join(change.fields)}"


@registry.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--with-keys", is_flag=True, help="Include the devices' secret keys.")
@with_config
def export(file: Path | None, with_keys: bool, config: str | None) -> None:
    """Write the registry, with its history, to FILE (readable by you alone) or to the screen."""
    engine = open_database(settings_of(config))
    text = toml.write(rows.load(engine), with_keys=with_keys)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            os.fchmod(descriptor, 0o600)
            out.write(text)
    except OSError as error:
        raise RegistryError(f"{file}: {error.strerror}: name a file that can be written") from error
    click.echo(f"Wrote {file}", err=True)
