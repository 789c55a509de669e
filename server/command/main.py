"""The ``noria`` command."""

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

import click

from gateway.errors import NoriaError
from gateway.runtime import private_files

# Each row: command, module under server.command, attribute, one line for --help.
# A module is imported when its command runs, so --help is quick.
COMMANDS: tuple[tuple[str, str, str, str], ...] = (
    ("init", "init", "init", "Make a folder with a commented configuration, keys and database."),
    ("up", "up", "up", "Run everything: broker, gateway, server."),
    ("gateway", "gateway", "gateway", "Run the gateway alone."),
    ("server", "server", "server", "Run the web server alone."),
    ("demo", "demo", "demo", "Watch a day at twelve tanks in minutes, in a throw-away folder."),
    ("status", "status", "status", "Counts, lags and the broker, for people or as JSON."),
    ("settings", "settings", "settings", "List every setting with its default and help."),
    ("registry", "registry", "registry", "Import or export sites, tanks, devices and plans."),
    ("device", "device", "device", "Make a device: identity, key, broker login."),
    ("certificates", "certificates", "certificates", "TLS of the private broker: CA, renewal."),
    ("adapters", "adapters", "adapters", "Third-party sensors: try a mapping before it is used."),
    ("release", "release", "release", "Build and sign a release of the firmware, offline."),
    ("user", "user", "user", "Add people, set passwords, list accounts."),
    ("unlock", "unlock", "unlock", "Open people's contacts with the passphrase."),
    ("lock", "unlock", "lock", "Lock people's contacts again."),
    ("gateways", "gateways", "gateways", "Several gateways on one PostgreSQL: retire one."),
    ("alerts", "alerts", "alerts", "What could not be delivered, and sending it again."),
    ("journal", "journal", "journal", "Export the journal, verify it, archive its old months."),
    ("export", "export", "export", "Export readings as JSON lines."),
    ("rebuild", "rebuild", "rebuild", "Rebuild the store or the watch from the journal."),
    ("replay", "replay", "replay", "Run a recording through the watch."),
    (
        "evaluate",
        "evaluate",
        "evaluate",
        "Measure on simulated stories how often the watch is right.",
    ),
    ("dashboards", "dashboards", "dashboards", "Write or push the Grafana dashboard."),
)


class LazyGroup(click.Group):
    """Imports a subcommand's module when it is asked for; keeps the table's order in help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table's order."""
        return [name for name, *_ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command."""
        for name, module, attribute, _ in COMMANDS:
            if name == cmd_name:
                return getattr(importlib.import_module(f"server.command.{module}"), attribute)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, _, _, text in COMMANDS])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="noria", prog_name="noria")
def cli() -> None:
    """Noria watches water tanks, tells people where water runs low, and keeps evidence.

    Begin with 'noria demo' to see it work, or 'noria init DIR' for your own installation.
    """


def noria(arguments: Sequence[str] | None = None) -> None:
    """Entry point: errors meant for people end with a message and exit status 2."""
    if arguments is None:
        private_files.only_ours()
    try:
        cli.main(args=None if arguments is None else list(arguments), standalone_mode=True)
    except NoriaError as error:
        click.echo(f"noria: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - nobody is shown a stack trace
        sys.exit(_unexpected(error))


def _unexpected(error: Exception) -> int:
    """Write the stack trace to a file that only its owner reads; print a sentence about it."""
    descriptor, path = tempfile.mkstemp(prefix="noria-error-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    detail = str(error).splitlines()[0][:300] if str(error) else "without a message"
    click.echo(
        f"noria: unexpected {type(error).__name__}: {detail}. This is a fault of Noria: please "
        f"report it with {path}, which may name places",
        err=True,
    )
    return 1
