"""``noria user``: add people, set passwords, list accounts."""

import sys
import time

import click

from gateway.database.engine import open_database, sa
from gateway.settings import Settings
from server.accounts import people
from server.accounts.people import AccountError, Role
from server.command.config import settings_of, with_config


@click.group()
def user() -> None:
    """Add people, set passwords, list accounts."""


_from_input = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(people.ROLES), default="volunteer", show_default=True)
@click.option("--login", default="", help="What they type to sign in (else made from NAME).")
@_from_input
@with_config
def add(name: str, role: Role, login: str, password_stdin: bool, config: str | None) -> None:
    """Add NAME, which others see: for example "Van 2". Prints a drawn password once."""
    engine = _engine(settings_of(config))
    password, drawn = _password(password_stdin)
    person = people.add(engine, name, role, password, time.time(), login)
    click.echo(f"Added {person.name} ({person.role}), login: {person.login}")
    _show(password, drawn)


@user.command()
@click.argument("login")
@_from_input
@with_config
def password(login: str, password_stdin: bool, config: str | None) -> None:
    """Set a new password for LOGIN; every session of the account ends."""
    engine = _engine(settings_of(config))
    people.find(engine, login)
    chosen, drawn = _password(password_stdin)
    person = people.set_password(engine, login, chosen)
    click.echo(f"New password for {person.name}, login: {person.login}")
    _show(chosen, drawn)


@user.command("list")
@with_config
def list_(config: str | None) -> None:
    """List accounts: login, name, role."""
    everyone = people.everyone(_engine(settings_of(config)))
    if not everyone:
        click.echo("No accounts yet: noria user add NAME --role coordinator")
    for person in everyone:
        closed = ", closed" if person.disabled else ""
        click.echo(f"{person.login:<20} {person.name:<20} {person.role}{closed}")


def _engine(settings: Settings) -> sa.Engine:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_database(settings)


def _password(from_input: bool) -> tuple[str, bool]:
    """A password, and whether it was drawn: from standard input or the terminal, else drawn."""
    if from_input:
        return sys.stdin.readline().rstrip("\n"), False
    if sys.stdin.isatty():
        asked: str = click.prompt(
            "Password (empty: draw one)", default="", hide_input=True, show_default=False
        )
        if asked:
            if click.prompt("Again", hide_input=True, default="", show_default=False) != asked:
                raise AccountError("the two passwords differ: begin again")
            return asked, False
    return people.draw_password(), True


def _show(password: str, drawn: bool) -> None:
    if drawn:
        click.echo(f"Password: {password}\nIt is shown this once.")
