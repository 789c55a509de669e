"""``noria rebuild``: builds a projection from the journal, which it does not change."""

from contextlib import closing

import click
import sqlalchemy as sa

from gateway.cluster import leader
from gateway.database import dead_letters
from gateway.database.engine import open_database
from gateway.program.offline import clock_of, journal_of, runner_of
from gateway.projections import cursor, figures
from gateway.projections.catch_up import catch_up
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.watch import rebuild as watching
from gateway.projections.watch.projection import NAME as WATCH
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime import file_lock
from gateway.runtime.wakeup import Wakeup
from gateway.settings import Settings
from gateway.stores.factory import open_store
from gateway.stores.influxdb import InfluxStore
from gateway.stores.port import STORE, readings_cursor
from server.command.config import settings_of, with_config


@click.group()
def rebuild() -> None:
    """Build the store or the watch from the journal, while no gateway runs."""


@rebuild.command()
@with_config
def store(config: str | None) -> None:
    """Empty the reading store and fill it, with the newest calibrations."""
    settings = settings_of(config)
    with file_lock.hold(settings.data / file_lock.NAME):
        click.echo(_store(settings))


@rebuild.command()
@with_config
def watch(config: str | None) -> None:
    """Build levels, events and incidents. Claims and history stay; no alert is sent again."""
    settings = settings_of(config)
    with file_lock.hold(settings.data / file_lock.NAME):
        click.echo(_watch(settings))


def _store(settings: Settings) -> str:
    engine = open_database(settings)
    entries = _entries(settings, engine)  # read all of them before the store is emptied
    if settings.shared and settings.store != "sqlite":
        _refuse_leader(engine)  # they share one store, which the leader fills
    name = readings_cursor(settings)
    store = open_store(settings, engine, renew=True)
    # Reset the cursor first: after a crash the store has too many rows, never too few.
    with engine.begin() as connection:
        cursor.reset(connection, name)
        for source in {STORE, name}:
            dead_letters.forget(connection, source)
    store.clear()
    projection = ReadingsProjection(store, journal_of(settings, engine), engine, name)
    catch_up(runner_of(projection, settings, engine), "store", _report)
    store.close()
    return f"{projection.rows_written} readings from {entries} {_of(settings)}."


def _watch(settings: Settings) -> str:
    engine = open_database(settings)
    entries = _entries(settings, engine)
    if settings.shared:
        _refuse_leader(engine)
    opened = open_store(settings, engine)
    if isinstance(opened, InfluxStore):
        opened.clear_points(*figures.MEASUREMENTS)  # a running gateway writes them again
    opened.close()
    with engine.begin() as connection:
        watching.reset(connection, clock_of(settings).now())
        dead_letters.forget(connection, WATCH)
    # No channels: history sends no alerts. ``born``: all timers come from the journal.
    projection = WatchProjection(engine, channels=(), outbox=Wakeup(), born=float("inf"))
    catch_up(runner_of(projection, settings, engine), "watch", _report)
    return f"The watch again, from {entries} {_of(settings)}."


def _entries(settings: Settings, engine: sa.Engine) -> int:
    """The number of entries. Raises JournalError where one of them cannot be read."""
    with closing(journal_of(settings, engine)()) as journal:
        journal.check()
        return journal.last_id()


def _of(settings: Settings) -> str:
    return "entries of all gateways' journals" if settings.shared else "journal entries"


def _refuse_leader(engine: sa.Engine) -> None:
    """Raise LockHeldError while a gateway, here or elsewhere, leads."""
    if leader.has_leader(engine):
        raise file_lock.LockHeldError("a gateway on this database runs: end all of them first")


def _report(sentence: str) -> None:
    click.echo(f"noria: {sentence}", err=True)
