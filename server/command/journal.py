"""``noria journal``: the journal as a recording."""

import json
import sys
from typing import IO

import click

from gateway import database, recording
from gateway.journal.reader import JournalReader
from gateway.projections.offline import journal_of
from server.command.config import settings_of, with_config


@click.group()
def journal() -> None:
    """Export the journal."""


@journal.command()
@click.option(
    "--output", type=click.File("w", encoding="ascii"), default="-", help="Else standard output."
)
@click.option("--own", is_flag=True, help="Only this gateway's journal, where several share one.")
@with_config
def export(output: IO[str], own: bool, config: str | None) -> None:
    """All messages and our own listening as JSON lines, in journal order: the input of replay.

    Where gateways share a PostgreSQL: of all journals, each message once, as the watch heard them.
    """
    settings = settings_of(config)
    if settings.shared and not own:
        reader = journal_of(settings, database.opened(settings))()
    else:
        reader = JournalReader(settings.journal_path)
    written = 0
    for line in recording.lines(reader.all()):
        output.write(json.dumps(line, separators=(",", ":")) + "\n")
        written += 1
    output.flush()
    reader.close()
    if sys.stderr.isatty():
        click.echo(f"{written} lines.", err=True)
