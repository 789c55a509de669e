"""``noria device restore``: the folder of a board again, from the board itself."""

import hmac
import json
from pathlib import Path
from typing import Any

import click

from gateway.database.engine import open_database
from gateway.devices import enrolment
from gateway.errors import CertificateError, RegistryError, SettingError
from gateway.registry import rows
from gateway.settings import Settings
from server.command.config import settings_of, with_config
from server.command.device import checked, kept
from server.command.device.cable import Cable, CableError


@click.command()
@click.argument("port", metavar="PORT")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@with_config
def restore(port: str, folder: Path, config: str | None) -> None:
    """Read config.json back from the board at PORT into DIR, to flash the same device again.

    Only the board has what makes it that device: the key that it holds must be the registry's. If
    the board is lost or its file damaged, 'noria device replace' makes another device for its tank.
    """
    settings = settings_of(config)
    cable = Cable(port)
    cable.check()
    cable.hello()
    output = cable.mpremote("fs", "cat", "config.json", words="Reading its configuration.")
    given = _read(output, port)
    _check_identity(settings, given)
    _renew_broker(settings, given)
    enrolment.write_configuration(folder / "config.json", given)
    kept.keep(settings, given["device"], given)
    click.echo(f"{folder}/config.json is that of {given['device']}: treat it as a key.")
    click.echo(f"Next: noria device flash {port} {folder}")


def _renew_broker(settings: Settings, given: dict[str, Any]) -> None:
    """Give it the port and CA that the broker has now: so an older board moves to TLS by cable."""
    had = given["broker"]
    try:
        present = enrolment.broker_for(settings, had["host"])
    except (SettingError, CertificateError) as error:
        click.echo(f"Its broker stays as it was: {error}", err=True)
        return
    if "ca" in present and {**had, **present} != had:
        given["broker"] = {**had, **present}
        click.echo("Its file gets the broker's present port and CA.")


def _read(output: str, port: str) -> dict[str, Any]:
    try:
        given: Any = json.loads(output)
        if not isinstance(given, dict):
            raise ValueError("no object")
        checked.check(given)  # pyright: ignore[reportUnknownArgumentType] - read from the board
    except (ValueError, checked.ConfigurationError) as error:
        raise CableError(
            f"the board at {port} has no usable config.json ({error}): 'noria device replace' "
            "makes another device for its tank"
        ) from error
    return given  # pyright: ignore[reportUnknownVariableType] - read from the board


def _check_identity(settings: Settings, given: dict[str, Any]) -> None:
    """Raise RegistryError unless the board is a device of this installation, with its key."""
    name = given["device"]
    row = rows.load(open_database(settings)).device(name)
    if row is None:
        raise RegistryError(f"device = {name!r}: no device has this id: see 'noria device list'")
    if row.revoked:
        raise RegistryError(f"{name} is revoked: 'noria device replace' makes another one")
    if row.key is None or not hmac.compare_digest(row.key, bytes.fromhex(given["key"])):
        raise RegistryError(f"{name}: the board holds another key than the registry: replace it")
