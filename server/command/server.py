"""``noria server``: the web server alone."""

import sys

import click

from server.command.config import settings_of, with_config


@click.command()
@with_config
def server(config: str | None) -> None:
    """Run the web server alone. Ctrl-C or SIGTERM ends it."""
    from server import program  # only this command needs the pages

    sys.exit(program.run(settings_of(config)))
