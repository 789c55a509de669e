"""``noria unlock`` and ``noria lock``: the key of people's contacts, in memory only."""

import sys

import click

from gateway.alerts.people import keys
from gateway.alerts.people.keys import ContactKeyError, KeyFile
from gateway.database.engine import open_database
from server.command.config import settings_of, with_config


@click.command()
@click.option("--new", is_flag=True, help="Set the first passphrase.")
@click.option("--change", is_flag=True, help="Set another passphrase; contacts stay.")
@click.option("--forget", is_flag=True, help="Remove all contacts: nobody knows the passphrase.")
@click.option("--passphrase-stdin", is_flag=True, help="Read passphrases, a line each, from input.")
@with_config
def unlock(
    new: bool, change: bool, forget: bool, passphrase_stdin: bool, config: str | None
) -> None:
    """Open people's contacts with the passphrase, until the machine loses power.

    Until then persons get no alerts; the channels of the settings do. The key is kept in memory,
    so that a seized machine, its disk or a backup give nobody away.
    """
    if new + change + forget > 1:
        raise click.UsageError("use one of --new, --change and --forget")
    settings = settings_of(config)
    engine, file = open_database(settings), KeyFile(settings.data)
    ask = _from_input if passphrase_stdin else _from_person
    if forget:
        if not passphrase_stdin:
            click.confirm("Remove everybody's contacts?", abort=True)
        with engine.begin() as connection:
            removed = keys.forget(connection)
        file.drop()
        click.echo(f"Removed {removed} contacts. Set a passphrase with 'noria unlock --new'.")
        return
    with engine.begin() as connection:
        if new:
            key = keys.create(connection, ask("New passphrase", True))
        else:
            key = keys.unlock(connection, ask("Passphrase", False))
            if change:
                keys.change(connection, key, ask("New passphrase", True))
    file.put(key)
    click.echo("Contacts are open until the machine loses power, or 'noria lock'.")
    if new or change:
        click.echo("Write the passphrase down and keep it away from this machine: without it, "
                   "people have to enter their contacts again.")  # fmt: skip


@click.command()
@with_config
def lock(config: str | None) -> None:
    """Lock people's contacts: forget the key in memory."""
    KeyFile(settings_of(config).data).drop()
    click.echo("Contacts are locked. Open them with 'noria unlock'.")


def _from_person(label: str, is_new: bool) -> str:
    return click.prompt(label, hide_input=True, confirmation_prompt=is_new)


def _from_input(label: str, _is_new: bool) -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise ContactKeyError(f"no line for: {label}")
    return line
