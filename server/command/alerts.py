"""``noria alerts``: the messages that could not be delivered, and sending them again."""

from datetime import UTC, datetime

import click
import sqlalchemy as sa

from gateway.alerts import relevance
from gateway.database.engine import open_database
from gateway.program.offline import clock_of
from server.command.config import settings_of, with_config


@click.group()
def alerts() -> None:
    """The messages that could not be delivered, and sending them again."""


@alerts.command("list")
@with_config
def list_(config: str | None) -> None:
    """List what could not be delivered: when, by which channel, and why."""
    with _database(config).connect() as connection:
        given_up = relevance.undelivered(connection)
    for one in given_up:
        made = datetime.fromtimestamp(one.made, UTC).strftime("%Y-%m-%d %H:%M UTC")
        click.echo(f"{made}  {one.channel}  incident {one.incident}: {one.error}")
    if not given_up:
        click.echo("Everything was delivered.")


@alerts.command()
@with_config
def retry(config: str | None) -> None:
    """Try them again; what no longer matters is dropped instead."""
    with _database(config).begin() as connection:
        number = relevance.retry(connection, clock_of(settings_of(config)).now())
    click.echo(f"{number} will be tried again, when the gateway runs.")


def _database(config: str | None) -> sa.Engine:
    return open_database(settings_of(config))
