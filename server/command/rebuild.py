"""``noria rebuild``: a projection again from the journal, which stays as it is."""

from contextlib import closing

import click
import sqlalchemy as sa

from gateway import database, lock
from gateway.projections import cursor, figures, set_aside
from gateway.projections.catching_up import catch_up
from gateway.projections.offline import clock_of, journal_of, runner_of
from gateway.projections.readings import Readings
from gateway.projections.wake import Wake
from gateway.settings import Settings
from gateway.sharing import holding
from gateway.sharing.naming import store_name
from gateway.stores.influxdb import InfluxStore
from gateway.stores.opened import open_store
from gateway.watching import rebuild as watching
from gateway.watching.projection import NAME as WATCH
from gateway.watching.projection import WatchProjection
from server.command.config import settings_of, with_config


@click.group()
def rebuild() -> None:
    """Make the store or the watch again from the journal, while no gateway runs."""


@rebuild.command()
@with_config
def store(config: str | None) -> None:
    """Empty the reading store and fill it again, with the calibrations now known."""
    settings = settings_of(config)
    with lock.hold(settings.data / lock.NAME):
        click.echo(_store(settings))


@rebuild.command()
@with_config
def watch(config: str | None) -> None:
    """Levels, events and incidents again. Claims and history stay; nobody is told again."""
    settings = settings_of(config)
    with lock.hold(settings.data / lock.NAME):
        click.echo(_watch(settings))


def _store(settings: Settings) -> str:
    engine = database.opened(settings)
    entries = _entries(settings, engine)  # one that cannot be read must not cost the store
    if settings.shared and settings.store != "sqlite":
        _nobody_watches(engine)  # one store for all: its holder fills it
    name = store_name(settings)
    store = open_store(settings, engine)
    # The cursor first: a crash in between leaves too much in the store, never too little.
    with engine.begin() as connection:
        cursor.reset(connection, name)
        set_aside.forget(connection, cursor.STORE)
    store.clear()
    projection = Readings(store, journal_of(settings, engine), engine, name)
    catch_up(runner_of(projection, settings, engine), "store", _tell)
    store.close()
    return f"{projection.rows_written} readings from {entries} {_of(settings)}."


def _watch(settings: Settings) -> str:
    engine = database.opened(settings)
    entries = _entries(settings, engine)
    if settings.shared:
        _nobody_watches(engine)
    opened = open_store(settings, engine)
    if isinstance(opened, InfluxStore):
        opened.clear_points(*figures.MEASUREMENTS)  # a running gateway writes them again
    opened.close()
    with engine.begin() as connection:
        watching.reset(connection, clock_of(settings).now())
        set_aside.forget(connection, WATCH)
    # Nobody is told of history: no channels. It never listens: timers are the journal's.
    projection = WatchProjection(engine, channels=(), outbox=Wake(), born=float("inf"))
    catch_up(runner_of(projection, settings, engine), "watch", _tell)
    return f"The watch again, from {entries} {_of(settings)}."


def _entries(settings: Settings, engine: sa.Engine) -> int:
    """How many entries there are. Raises JournalError where one of them cannot be read."""
    with closing(journal_of(settings, engine)()) as journal:
        journal.check()
        return journal.last_id()


def _of(settings: Settings) -> str:
    return "entries of all gateways' journals" if settings.shared else "journal entries"


def _nobody_watches(engine: sa.Engine) -> None:
    """Raises HeldError while a gateway, here or elsewhere, holds the watch."""
    if holding.is_held(engine):
        raise lock.HeldError("a gateway on this database runs: end all of them first")


def _tell(sentence: str) -> None:
    click.echo(f"noria: {sentence}", err=True)
