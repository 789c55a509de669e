"""``noria replay``: runs a recording through the watch of the gateway."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from gateway.domain.registry import Registry
from gateway.projections.replay import ROW_TYPES, Replay
from gateway.registry import toml
from server.command.config import settings_of, with_config


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--registry",
    "registry_file",
    type=click.Path(path_type=Path),
    help="Registry file to replay against (else this installation's own).",
)
@click.option("--trust", is_flag=True, help="Take messages without MAC, SIG, prev, old and era.")
@click.option("--only", metavar="TYPES", help=f"Print only these: {','.join(ROW_TYPES)}.")
@with_config
@click.pass_context
def replay(
    context: click.Context,
    file: Iterable[bytes],
    registry_file: Path | None,
    trust: bool,
    only: str | None,
    config: str | None,
) -> None:
    """Run FILE (JSON lines; - is standard input) through the watch and print its output.

    'noria journal export' writes such a file. Exit status 1 when lines could not be used: the
    summary on standard error counts them by reason.
    """
    wanted = _wanted(only)
    run = Replay(_registry(registry_file, config), trust=trust)
    printed = 0
    out = sys.stdout.buffer
    for row in run.rows(file, wanted):
        out.write(msgspec.json.encode(row) + b"\n")
        printed += 1
    out.flush()
    click.echo(_summary(run, printed), err=True)
    context.exit(1 if run.unusable else 0)


def _registry(file: Path | None, config: str | None) -> Registry:
    if file is not None:
        return toml.read(file)
    # SQLAlchemy takes half of what the command needs to start.
    from gateway.database.engine import open_database
    from gateway.registry import rows

    return rows.load(open_database(settings_of(config)))


def _wanted(only: str | None) -> set[str]:
    if only is None:
        return set(ROW_TYPES)
    names = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := sorted(names - set(ROW_TYPES)):
        raise click.BadParameter(
            f"{', '.join(unknown)}: use one or more of {','.join(ROW_TYPES)}",
            param_hint="--only",
        )
    return names


def _summary(run: Replay, printed: int) -> str:
    used = ", ".join(f"{count} {name}" for name, count in sorted(run.counts.items())) or "nothing"
    text = f"Read {used}; printed {printed} lines."
    if not run.unusable:
        return text
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(run.unusable.items()))
    return f"{text} Could not use {run.unusable.total()} lines: {reasons}."
