"""The demo's four weeks before it begins: simulated lines through the gateway's own journal.

The boards' worlds make the lines (``firmware.virtual.host.history``), the journal takes them as it
takes messages of the broker, and the projections apply them as in ``noria rebuild``: no alert is
sent. The boards then go on with the counters and levels that the history ends with.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.database.engine import open_database
from gateway.errors import NoriaError
from gateway.ingest import pending_facts
from gateway.ingest.batch import Ingest
from gateway.journal import log_key
from gateway.journal.diary import Diary
from gateway.journal.integrity.witness import Witness
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.program.offline import journal_of, runner_of
from gateway.projections.catch_up import catch_up
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import Projection
from gateway.projections.watch.projection import WatchProjection
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup
from gateway.settings import Settings
from gateway.stores.factory import open_store
from gateway.stores.port import readings_cursor
from server.demo.programs import python

LASTS_S = 28 * 86400.0
_BATCH = 2000
_TIMEOUT_S = 300


def make(
    settings: Settings, fleet: Path, flash: Path, span: tuple[float, float],
    report: Callable[[str], None],
) -> dict[str, float]:  # fmt: skip
    """Make the history of ``span`` (Unix s); returns the litres that it ends with, by device.

    The registry is stored with ``rows.put`` before. ``flash`` gets the boards' flash. Raises
    NoriaError when the simulation fails.
    """
    lines, levels = _simulated(fleet, flash, span)
    engine = open_database(settings)
    try:
        _journal(settings, engine, lines, span)
        _project(settings, engine, report)
    finally:
        engine.dispose()
    return levels


def _simulated(
    fleet: Path, flash: Path, span: tuple[float, float]
) -> tuple[list[str], dict[str, float]]:
    command = python(
        "firmware.virtual.host.history", "--fleet", str(fleet), "--data", str(flash),
        "--start", str(span[0]), "--end", str(span[1]),
    )  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - our own module
    if ran.returncode:
        raise NoriaError(ran.stderr.strip() or "the demo's history cannot be simulated")
    *lines, last = ran.stdout.splitlines()
    return lines, json.loads(last)["levels"]


def _journal(
    settings: Settings, engine: sa.Engine, lines: list[str], span: tuple[float, float]
) -> None:
    """Journal the lines as a gateway that listened all the time and stops at the end."""
    begin, end = span
    with (
        closing(Witness(settings.witness_paths)) as witness,
        closing(Journal(settings.journal_path, settings.gateway_id, witness.keep)) as journal,
    ):
        private = log_key.log_key(settings.data)
        diary = Diary(journal)
        diary.open(begin, lambda: log_key.public_key(private), log_key.build())
        pending_facts.journal_pending(engine, journal)
        diary.start(begin, begin)
        with journal.transaction():
            for run in ("broker_back", "broker_drained"):
                journal.log.append_fact("run", begin, {"run": run})
        ingest = Ingest(journal, rows.load(engine))
        arrivals = map(_arrival, lines)
        while batch := list(islice(arrivals, _BATCH)):
            ingest.journal(batch, ingest.admit(batch))
        diary.stop(end)
        witness.sync()


def _arrival(line: str) -> Arrival:
    given: dict[str, Any] = json.loads(line)
    return Arrival(given["topic"], given["payload"].encode(), float(given["received"]))


def _project(settings: Settings, engine: sa.Engine, report: Callable[[str], None]) -> None:
    """Apply the journal to watch and store; says how far it is every two seconds."""

    def said(sentence: str) -> None:
        report(f"  {sentence}")

    for name, projection in _projections(settings, engine):
        catch_up(runner_of(projection, settings, engine), name, said)


def _projections(settings: Settings, engine: sa.Engine) -> Iterator[tuple[str, Projection]]:
    yield "watch", WatchProjection(engine, channels=(), outbox=Wakeup(), born=float("inf"))
    store = open_store(settings, engine, renew=True)
    try:
        opened = journal_of(settings, engine)
        yield "levels", ReadingsProjection(store, opened, engine, readings_cursor(settings))
    finally:
        store.close()
