"""``noria export``: readings and events as JSON lines (gateway/WIRE.md, section 3)."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import click
import msgspec
import sqlalchemy as sa

from gateway.database.engine import open_database
from gateway.database.tables import tank_event
from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.errors import RegistryError
from gateway.program.offline import journal_of, runner_of
from gateway.projections.catch_up import catch_up, wait_for
from gateway.projections.readings.projection import ReadingsProjection
from gateway.registry import rows
from gateway.runtime import file_lock
from gateway.settings import Settings
from gateway.stores.factory import open_store
from gateway.stores.port import ReadingStore, readings_cursor
from gateway.wire import FEED_ERA
from server.command.config import settings_of, with_config

_WAIT_S = 30.0
# Optional fields and their names in the line: WIRE.md's where it has one.
_MORE = {
    "channel": "ch", "spread": "sp", "valid": "n", "tried": "of", "temperature_dc": "tc",
    "estimated": "estimated", "fault": "fault",
}  # fmt: skip


_RANDOM_IDS = click.option(
    "--random-ids", is_flag=True, help="Tanks by their random ids, for others to read."
)


@click.group()
def export() -> None:
    """Export readings and events."""


@export.command()
@click.option("--tank", metavar="T", help="Only this tank.")
@click.option("--from", "start", type=float, metavar="S", help="From this Unix time on.")
@click.option("--to", "end", type=float, metavar="S", help="Up to and with this Unix time.")
@_RANDOM_IDS
@with_config
def readings(
    tank: str | None, start: float | None, end: float | None, random_ids: bool, config: str | None
) -> None:
    """Every reading of the store as a JSON line, by tank and event time (Unix seconds).

    Waits until a running gateway has stored the whole journal; stores it where none runs.
    """
    settings = settings_of(config)
    engine = open_database(settings)
    known = rows.load(engine).tanks
    if tank is not None and tank not in known:
        raise RegistryError(f"--tank {tank}: no such tank; there is {', '.join(known) or 'none'}")
    store = open_store(settings, engine)
    _complete(store, settings, engine)
    names = _names(known) if random_ids else None
    for reading in store.export(tank, start, end):
        line = line_of(reading)
        if names is not None:
            line["tank"] = names.get(reading.tank, "-")
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    store.close()


@export.command()
@click.option("--tank", metavar="T", help="Only this tank.")
@click.option("--from", "start", type=float, metavar="S", help="That end at or after this time.")
@click.option("--to", "end", type=float, metavar="S", help="That begin at or before this time.")
@_RANDOM_IDS
@with_config
def events(
    tank: str | None, start: float | None, end: float | None, random_ids: bool, config: str | None
) -> None:
    """Refills, draws, losses and other events of tanks as JSON lines, by tank and time.

    ``least_l`` and ``most_l`` bound the litres with 90 % confidence, where that is known. Events
    are as far as the watch is (noria status).
    """
    query = sa.select(tank_event).order_by(tank_event.c.tank, tank_event.c.at, tank_event.c.kind)
    if tank is not None:
        query = query.where(tank_event.c.tank == tank)
    if start is not None:
        query = query.where(tank_event.c.until >= start)
    if end is not None:
        query = query.where(tank_event.c.at <= end)
    engine = open_database(settings_of(config))
    names = _names(rows.load(engine).tanks) if random_ids else None
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            known = {name: value for name, value in row.items() if value is not None}
            if names is not None:
                known["tank"] = names.get(row["tank"], "-")
            sys.stdout.buffer.write(msgspec.json.encode(known) + b"\n")


def _names(tanks: Mapping[str, Sequence[Tank]]) -> dict[str, str]:
    """The random id of each tank, for whoever must not learn what we call it."""
    return {name: of_tank[-1].rid for name, of_tank in tanks.items()}


def line_of(reading: Reading) -> dict[str, Any]:
    """A reading as a line: WIRE.md's fields first, then the optional ones."""
    line: dict[str, Any] = {
        "tank": reading.tank,
        "device": reading.device,
        "era": reading.era,
        "boot": reading.boot,
        "seq": reading.seq,
        "i": reading.i,
        "at": reading.at,
        "received": reading.received,
        "volume_l": reading.volume_l,
        "sd_l": reading.sd_l,
        reading.quantity: reading.value,
    }
    if reading.era == FEED_ERA:
        line["auth"] = "unsigned"
    more = {name: getattr(reading, field) for field, name in _MORE.items()}
    return line | {name: value for name, value in more.items() if value is not None}


def _complete(store: ReadingStore, settings: Settings, engine: sa.Engine) -> None:
    """Bring the store up to the end of the journal."""
    if not settings.shared and not settings.journal_path.is_file():
        return
    readings = ReadingsProjection(
        store, journal_of(settings, engine), engine, readings_cursor(settings)
    )
    runner = runner_of(readings, settings, engine)
    if (lag := runner.lag()) == 0:
        return
    with closing(journal_of(settings, engine)()) as journal:
        journal.check(after=journal.last_id() - lag)
    try:
        with file_lock.hold(settings.data / file_lock.NAME):
            catch_up(runner, "store", _report)
    except file_lock.LockHeldError:  # a gateway runs and stores it
        if left := wait_for(runner.lag, _WAIT_S):
            _report(f"the store is {left} journal entries behind; see noria status")


def _report(sentence: str) -> None:
    click.echo(f"noria: {sentence}", err=True)
