"""``noria gateway``: the gateway alone."""

import sys

import click

from gateway.program.gateway import run
from gateway.runtime import logs, open_files, private_files
from server.command.config import settings_of, with_config


@click.command()
@with_config
def gateway(config: str | None) -> None:
    """Run the gateway: broker (where it is private), journal, watch, alerts.

    Ready when it prints 'ready' on standard error; SIGTERM or Ctrl-C ends it.
    """
    settings = settings_of(config)
    private_files.tighten(settings.data)
    open_files.raise_limit()  # the private broker inherits it
    logs.set_up(settings)
    sys.exit(run(settings))
