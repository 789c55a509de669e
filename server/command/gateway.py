"""``noria gateway``: the gateway alone."""

import logging
import sys

import click

from gateway import program
from server.command.config import settings_of, with_config


@click.command()
@with_config
def gateway(config: str | None) -> None:
    """Run the gateway: broker (where it is private), journal, watch, alerts.

    Ready when it prints 'ready' on standard error; SIGTERM or Ctrl-C ends it.
    """
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    sys.exit(program.run(settings_of(config)))
