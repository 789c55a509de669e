"""``noria device``: one command for each step in the life of a node."""

import click

from gateway.database.engine import open_database
from gateway.devices import enrolment
from gateway.registry import rows
from gateway.runtime.clock import Clock
from server.command import desired
from server.command.config import settings_of, with_config
from server.command.device.calibrate import calibrate
from server.command.device.flash import flash
from server.command.device.new import new, replace
from server.command.device.restore import restore
from server.command.device.trial import test


@click.group()
def device() -> None:
    """Make, flash, test, calibrate, restore, replace, list, revoke and configure devices."""


for _command in (
    new, flash, test, calibrate, restore, replace, desired.set_, desired.order, desired.update,
    desired.show,
):  # fmt: skip
    device.add_command(_command)


@device.command(name="list")
@with_config
def list_(config: str | None) -> None:
    """One line for each device: id, tank, sensor, uplink, and how it proves itself."""
    registry = rows.load(open_database(settings_of(config)))
    for name in sorted(registry.devices):
        row = registry.devices[name][-1]
        proof = "revoked" if row.revoked else "unsigned" if row.unsigned else "key"
        click.echo(f"{row.id:16}  {row.tank:24}  {row.sensor:9}  {row.uplink or '-':20}  {proof}")
    if not registry.devices:
        click.echo("No devices yet: 'noria device new --tank T' makes one.")


@device.command()
@click.argument("name", metavar="DEVICE")
@with_config
def revoke(name: str, config: str | None) -> None:
    """Accept nothing more of DEVICE: it was lost, taken or replaced."""
    settings = settings_of(config)
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with open_database(settings).begin() as connection:
        enrolment.revoke(connection, name, now)
    click.echo(f"{name} is revoked. A running gateway refuses it within 2 seconds.")
