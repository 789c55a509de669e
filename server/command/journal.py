"""``noria journal``: export it, verify it, move old months into the archive."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO

import click

from gateway.database.engine import open_database
from gateway.errors import JournalError
from gateway.journal.archive import reader as archives
from gateway.journal.archive import writer
from gateway.journal.archive.writer import ArchiveProgress, ArchiveWriter
from gateway.journal.export import lines
from gateway.journal.integrity import witness
from gateway.journal.integrity.verify import Verification
from gateway.journal.reader import JournalReader
from gateway.program.offline import clock_of, journal_of
from gateway.runtime import file_lock
from gateway.settings import Settings
from server.command.config import settings_of, with_config
from server.command.progress import Progress

_DAY_S = 86_400.0
_REST_FACTOR, _LEAST_REST_S = 2.0, 0.05
"""Rest beside a gateway: its SQLite retries a locked file every few hundredths of a second."""


@click.group()
def journal() -> None:
    """Export the journal, verify it, archive its old months."""


@journal.command()
@click.option(
    "--output", type=click.File("w", encoding="ascii"), default="-", help="Else standard output."
)
@click.option("--own", is_flag=True, help="Only this gateway's journal, where several share one.")
@with_config
def export(output: IO[str], own: bool, config: str | None) -> None:
    """All messages and our own listening as JSON lines, in journal order: the input of replay.

    Archived months are included. Where gateways share a PostgreSQL: the messages of all
    journals, each once, in the order of the watch.
    """
    settings = settings_of(config)
    if settings.shared and not own:
        reader = journal_of(settings, open_database(settings))()
    else:
        reader = JournalReader(settings.journal_path)
    reader.check()
    written = 0
    for line in lines(reader.all()):
        output.write(json.dumps(line, separators=(",", ":")) + "\n")
        written += 1
    output.flush()
    reader.close()
    if sys.stderr.isatty():
        click.echo(f"{written} lines.", err=True)


@journal.command()
@with_config
@click.pass_context
def verify(context: click.Context, config: str | None) -> None:
    """Check every leaf, every body and every archive file against the log; a gateway may run.

    Exit status 1 when one of them was changed or is missing.
    """
    settings = settings_of(config)
    progress = Progress()
    with contextlib.closing(Verification(settings.journal_path)) as verification:
        for what, done, of in verification.steps():
            progress.report(f"{what}: {done} of {of} verified")
        found = verification.found
    for fault in found.faults:
        click.echo(f"noria: {fault}", err=True)
    for name in found.strays:
        click.echo(f"noria: the journal does not name {name}: nothing reads that file", err=True)
    if found.faults:
        click.echo("The journal is not as it was written: restore what is named from a backup.")
        context.exit(1)
    click.echo(
        f"All is as it was written: {found.entries} entries, {found.bodies} bodies in the journal, "
        f"{found.archived} in {found.segments} files of the archive. Root {found.root}."
    )


@journal.command("set-back")
@with_config
def set_back(config: str | None) -> None:
    """Record that this whole machine was set back to an earlier state, for example a snapshot.

    The next start closes the log, begins a new one that names it, and asks the nodes to resend
    their messages. A start detects a restored data folder without this command.
    """
    settings = settings_of(config)
    if settings.shared:
        raise JournalError(
            "gateways share a PostgreSQL here: start this one with another gateway_id and an "
            "empty data folder"
        )
    with file_lock.hold(settings.data / file_lock.NAME):
        try:
            witness.forget(settings.witness_paths)
        except OSError as error:
            raise JournalError(f"{error.filename} cannot be removed: {error.strerror}") from error
    click.echo("Noted. The next start begins a new log and asks the nodes for what they hold.")


@journal.command()
@click.option(
    "--before",
    metavar="DATE",
    help="Months that ended by then (2026-04 or 2026-04-01, UTC); else by archive_after_days.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and move nothing.")
@with_config
def archive(before: str | None, dry_run: bool, config: str | None) -> None:
    """Move the messages of whole old months from the journal into compressed files.

    The files are in data/archive, which rebuild and export read like the journal: back up both.
    A gateway may run; it archives every night without this command.
    """
    settings = settings_of(config)
    until = _until(before, settings)
    months = list(writer.months(settings.journal_path, until))
    if dry_run:
        for span, size in months:
            what = f"{span.month}: {span.count} entries, {_mb(size)} of messages"
            click.echo(f"{what} would be moved.")
        if not months:
            click.echo(f"No month that ended by {_day(until)} is left to move.")
        return
    with contextlib.closing(ArchiveWriter(settings.journal_path)) as run:
        size = run.file_bytes
        _run_steps(run, until, settings)
        _summarise(run.moved, size - run.file_bytes, until, settings)


def _run_steps(run: ArchiveWriter, until: float, settings: Settings) -> None:
    """Run the steps without rest; while a gateway runs, work a third of the time."""
    progress, gateway_runs = Progress(), _gateway_runs(settings)
    begun = time.monotonic()
    for step in _steps(run, until):
        progress.report(f"{step.what}: {step.done} of {step.of}")
        if gateway_runs:
            time.sleep(max(_LEAST_REST_S, _REST_FACTOR * (time.monotonic() - begun)))
            begun = time.monotonic()


def _gateway_runs(settings: Settings) -> bool:
    try:
        with file_lock.hold(settings.data / file_lock.NAME):
            return False
    except file_lock.LockHeldError:
        return True


def _steps(run: ArchiveWriter, until: float) -> Iterator[writer.ArchiveStep]:
    yield from run.steps(until)
    yield from run.release_pages()


def _summarise(moved: ArchiveProgress, smaller: int, until: float, settings: Settings) -> None:
    folder = archives.folder_of(settings.journal_path)
    if moved.entries:
        click.echo(
            f"Moved {moved.entries} entries: {_mb(moved.body_bytes)} of messages are now "
            f"{_mb(moved.file_bytes)} in {moved.segments} files of {folder}."
        )
    else:
        click.echo(f"No month that ended by {_day(until)} was left to move.")
    if smaller > 0:
        click.echo(f"The journal's file is {_mb(smaller)} smaller.")


def _until(before: str | None, settings: Settings) -> float:
    now = clock_of(settings).now()
    if before is None:
        if not settings.archive_after_days:
            raise click.UsageError("archive_after_days is 0: say which months with --before DATE")
        return now - settings.archive_after_days * _DAY_S
    for form in ("%Y-%m-%d", "%Y-%m"):
        with contextlib.suppress(ValueError):
            return min(now, datetime.strptime(before, form).replace(tzinfo=UTC).timestamp())
    raise click.BadParameter(f"{before}: write it as 2026-04 or 2026-04-01", param_hint="--before")


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
