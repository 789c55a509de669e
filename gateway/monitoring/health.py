"""Whether everything does its work: each part by name, with why it does not.

Reads the journal and the database, so any process of this machine may ask.
"""

import shutil
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from gateway.alerts import relevance
from gateway.database import dead_letters, heartbeat
from gateway.database.engine import open_database
from gateway.database.tables import projection
from gateway.errors import JournalError
from gateway.journal.reader import JournalReader
from gateway.monitoring import status, uptime
from gateway.runtime.clock import Clock
from gateway.settings import Settings

BEHIND_S = 60.0
"""A projection whose next entry waits longer than this does not keep up."""
WAITING_S = 900.0
LEAST_FREE_BYTES, LEAST_FREE_PART = 200_000_000, 0.02
WINDOWS = {"24h": 86_400.0, "30d": 30 * 86_400.0}


@dataclass(slots=True)
class HealthPart:
    """One part: whether it works, why not (a sentence), and its figures."""

    ok: bool
    why: str = ""
    figures: dict[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> dict[str, Any]:
        """For people who may see more than whether it works."""
        return {"ok": self.ok, **({"why": self.why} if self.why else {}), **self.figures}


@dataclass(frozen=True, slots=True)
class Health:
    """All parts by name. No secret, no place, no person."""

    parts: dict[str, HealthPart]
    listened: dict[str, float | None]

    @property
    def failing(self) -> list[str]:
        """The names of the parts that do not work."""
        return [name for name, part in self.parts.items() if not part.ok]

    def to_json(self) -> dict[str, Any]:
        """Everything."""
        return {
            "ok": not self.failing,
            "failing": self.failing,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
            "listened": self.listened,
        }


def check_health(settings: Settings, engine: sa.Engine | None = None) -> Health:
    """How it stands now. ``engine``: the database where it is open already."""
    clock = Clock(settings.clock_speed, settings.clock_origin)
    opened = engine or open_database(settings)
    try:
        known = heartbeat.read(opened, settings.gateway_id)
        parts = _processes(opened, settings, known)
        listened: dict[str, float | None] = dict.fromkeys(WINDOWS)
        try:
            reader = JournalReader(settings.journal_path)
        except JournalError:
            parts["journal"] = HealthPart(False, "there is none that can be read")
        else:
            parts |= _journal(reader, clock)
            parts |= _shared(settings) if settings.shared else _projections(reader, opened, clock)
            listened = _listened(reader, clock.now(), known.running)
            reader.close()
        parts["outbox"] = _outbox(opened, clock)
        parts["disk"] = _disk(settings)
    finally:
        if engine is None:
            opened.dispose()
    return Health(parts, listened)


def _processes(
    engine: sa.Engine, settings: Settings, known: heartbeat.GatewayHeartbeat
) -> dict[str, HealthPart]:
    gateway = HealthPart(known.running, "" if known.running else "it does not run")
    broker = HealthPart(known.connected, "" if known.connected else "the gateway does not hear it")
    feeds = heartbeat.read_feeds(engine, settings.gateway_id)
    found = {"gateway": gateway, "broker": broker}
    if feeds:
        lost = [name for name, connected in feeds.items() if not connected]
        why = f"the gateway does not hear {', '.join(lost)}" if lost else ""
        found["feeds"] = HealthPart(not lost, why, {"connected": feeds})
    return found


def _journal(reader: JournalReader, clock: Clock) -> dict[str, HealthPart]:
    at = reader.received_at(reader.last_id())
    age_s = None if at is None else max(0.0, clock.now() - at)
    return {"journal": HealthPart(True, "", {"leaves": reader.leaves(), "newest_age_s": age_s})}


def _shared(settings: Settings) -> dict[str, HealthPart]:
    """Where gateways share a database, their projections follow an order of their own."""
    lags = status.read_status(settings)["projections"]
    return {name: HealthPart(True, "", {"lag": figures["lag"]}) for name, figures in lags.items()}


def _projections(reader: JournalReader, engine: sa.Engine, clock: Clock) -> dict[str, HealthPart]:
    newest, now = reader.last_id(), clock.now()
    found: dict[str, HealthPart] = {}
    with engine.connect() as connection:
        cursors = connection.execute(sa.select(projection)).all()
        aside = dead_letters.counts(connection)
    for row in cursors:
        waiting = reader.received_at(row.cursor + 1)
        behind_s = 0.0 if waiting is None else max(0.0, now - waiting)
        late = clock.real_s(behind_s) > BEHIND_S
        figures = {
            "lag": max(0, newest - row.cursor), "behind_s": behind_s,
            "set_aside": aside.get(row.name, 0),
        }  # fmt: skip
        why = f"it is {figures['lag']} journal entries behind" if late else ""
        found[row.name] = HealthPart(not late, why, figures)
    return found


def _listened(reader: JournalReader, now: float, running: bool) -> dict[str, float | None]:
    """The part of each window in which we heard a broker; None before there was a journal."""
    first, last = reader.received_at(1), reader.received_at(reader.last_id())
    if first is None or last is None:
        return dict.fromkeys(WINDOWS)
    runs = reader.runs(now - max(WINDOWS.values()))
    end = now if running else last
    found: dict[str, float | None] = {}
    for name, length_s in WINDOWS.items():
        begin = max(first, now - length_s)
        whole = now - begin
        heard = uptime.listened_s(runs, begin, min(end, now))
        found[name] = round(heard / whole, 6) if whole > 0 else None
    return found


def _outbox(engine: sa.Engine, clock: Clock) -> HealthPart:
    with engine.connect() as connection:
        figures = relevance.lag(connection, clock.now())
    oldest_s = clock.real_s(figures["oldest_s"] or 0.0)
    stuck = oldest_s > WAITING_S
    why = f"{figures['waiting']} messages wait, the oldest for {oldest_s:.0f} s" if stuck else ""
    return HealthPart(not stuck, why, figures)


def _disk(settings: Settings) -> HealthPart:
    try:
        used = shutil.disk_usage(settings.data)
    except OSError as error:
        return HealthPart(False, f"the data folder cannot be looked at: {error.strerror}")
    free = used.free / used.total if used.total else 0.0
    full = used.free < LEAST_FREE_BYTES or free < LEAST_FREE_PART
    why = f"{used.free / 1e6:.0f} MB are free: make room, or nothing can be kept" if full else ""
    return HealthPart(not full, why, {"free_bytes": used.free, "free_part": round(free, 4)})
