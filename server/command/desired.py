"""``noria device set``, ``order``, ``update`` and ``show``: desired state, and devices' answers."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa

from gateway.database.engine import open_database
from gateway.devices import commands, release, state
from gateway.devices.state import DesiredState
from gateway.domain.registry import Registry
from gateway.errors import OrderError, ReleaseError
from gateway.registry import rows
from gateway.runtime.clock import Clock
from server.command.config import settings_of, with_config

_Command = Callable[[sa.Connection, Registry, float], DesiredState]
_STATES = {
    "waiting": "not answered yet",
    "in_force": "in force",
    "loading": "in force; the release, or a trial of the broker's new CA, is on its way",
    "refused": "not done as told",
}


@click.command(name="set")
@click.argument("name", metavar="DEVICE")
@click.argument("values", metavar="NAME=VALUE...", nargs=-1, required=True)
@with_config
def set_(name: str, values: tuple[str, ...], config: str | None) -> None:
    """Set what DEVICE does from its next connection on.

    interval_s: the time between readings. report_s: the longest time between messages.
    change_mm, change_g: a change that is reported at once. move_from, move_to: a planned move
    (Unix s, or 2026-11-21T14:00:00+00:00), during which it reports no place and does not enter
    recovery mode; a [[plan]] of the registry sets both.
    An empty value restores what its board was set up with: interval_s=
    """
    given = dict(_setting(value) for value in values)
    _run(config, lambda c, registry, now: commands.change_settings(c, registry, name, given, now))


@click.command()
@click.argument("name", metavar="DEVICE")
@click.argument("do", metavar="|".join(commands.ORDERS))
@click.option("--from", "start", metavar="ERA:BOOT:SEQ", help="For resend: all after that message.")
@with_config
def order(name: str, do: str, start: str | None, config: str | None) -> None:
    """Have DEVICE do something once: reboot, enter recovery mode, send messages again."""
    begin = None if start is None else _identity(start)
    _run(config, lambda c, registry, now: commands.add_order(c, registry, name, do, now, begin))


@click.command()
@click.argument("name", metavar="DEVICE")
@click.argument("bundle", type=click.Path(path_type=Path))
@with_config
def update(name: str, bundle: Path, config: str | None) -> None:
    """Bring the release in BUNDLE to DEVICE: it fetches, tries and keeps it, or goes back."""
    try:
        wanted = release.open_release(bundle.read_bytes())
    except OSError as error:
        raise ReleaseError(f"{bundle}: {error.strerror}") from error
    key = settings_of(config).release_key
    if not key:
        raise ReleaseError(
            "release_key is empty: set it to the public key that 'noria release key' printed; "
            "boards that were made without it take no release"
        )
    release.verify(wanted, bytes.fromhex(key))
    _run(config, lambda c, registry, now: commands.set_release(c, registry, name, wanted, now))


@click.command()
@click.argument("name", metavar="DEVICE")
@with_config
def show(name: str, config: str | None) -> None:
    """Show the settings and orders for DEVICE, and its answer."""
    engine = open_database(settings_of(config))
    with engine.connect() as connection:
        found = state.load(connection, name).get(name)
    if found is None:
        raise OrderError(f"device = {name!r}: nothing was ever told to it")
    click.echo(_text(found))


def _run(config: str | None, command: _Command) -> None:
    settings = settings_of(config)
    engine = open_database(settings)
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with engine.begin() as connection:
        click.echo(_text(command(connection, rows.load_from(connection), now)))
    click.echo("A running gateway publishes it within a second; the device takes it when it wakes.")


def _text(found: DesiredState) -> str:
    lines = [f"{found.device}: number {found.n}, {_STATES[found.progress]}"]
    if found.progress == "refused" and found.answer is not None:
        lines[0] += f": {found.answer.code}"
    lines += [f"  {name} = {value}" for name, value in sorted(found.settings.items())]
    lines += [f"  once: {one['do']}" for one in found.orders]
    lines += [f"  release {found.release[:16]}"] if found.release else []
    return "\n".join(lines)


def _setting(text: str) -> tuple[str, int | None]:
    name, equals, value = text.partition("=")
    if not equals:
        raise OrderError(f"{text!r}: write NAME=VALUE, for example interval_s=300")
    if not value:
        return name, None
    try:
        return name, int(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise OrderError(f"{name} = {value!r}: not a whole number, nor a moment") from None
    if moment.tzinfo is None:
        raise OrderError(f"{name} = {value!r}: say the time zone too, for example {value}+00:00")
    return name, int(moment.timestamp())


def _identity(text: str) -> tuple[str, int, int]:
    era, _, rest = text.partition(":")
    boot, _, seq = rest.partition(":")
    if len(era) != 8 or not boot.isdigit() or not seq.isdigit():
        raise OrderError(f"--from {text!r}: write ERA:BOOT:SEQ, for example m4xq2lzt:3:118")
    return era, int(boot), int(seq)
