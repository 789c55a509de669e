"""``noria journal``: the journal as a recording."""

import json
import sys
from typing import IO

import click

from gateway import recording
from gateway.journal.reader import JournalReader
from server.command.config import settings_of, with_config


@click.group()
def journal() -> None:
    """Export the journal."""


@journal.command()
@click.option(
    "--output", type=click.File("w", encoding="ascii"), default="-", help="Else standard output."
)
@with_config
def export(output: IO[str], config: str | None) -> None:
    """All messages and our own listening as JSON lines, in journal order: the input of replay."""
    reader = JournalReader(settings_of(config).journal_path)
    written = 0
    for line in recording.lines(reader.all()):
        output.write(json.dumps(line, separators=(",", ":")) + "\n")
        written += 1
    output.flush()
    reader.close()
    if sys.stderr.isatty():
        click.echo(f"{written} lines.", err=True)
