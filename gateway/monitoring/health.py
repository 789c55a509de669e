"""The health of the installation: each part by name, and the reason when it does not work.

Reads the journal and the database, so any process of this machine may call it.
"""

import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from gateway.alerts import relevance
from gateway.database import damaged, dead_letters, feed_problems, heartbeat, troubles
from gateway.database.engine import open_database
from gateway.database.tables import projection
from gateway.errors import JournalError
from gateway.journal.reader import JournalReader
from gateway.monitoring import status
from gateway.mqtt.certificates import facts
from gateway.runtime.clock import Clock
from gateway.settings import Settings

_MAX_BEHIND_S = 60.0  # age of a projection's next entry
_MAX_WAITING_S = 900.0  # age of an alert that is not sent
_MIN_FREE_BYTES, _MIN_FREE_PART = 200_000_000, 0.02
_WINDOWS = {"24h": 86_400.0, "30d": 30 * 86_400.0}

Run = tuple[float, str, float]
"""A journal entry of kind ``run``: its time, its event, the time of the entry before (Unix s)."""


@dataclass(slots=True)
class HealthPart:
    """One part: whether it works, the reason when not (a sentence), and its figures."""

    ok: bool
    why: str = ""
    figures: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    connected: Mapping[str, bool] | None = None
    """Of the third-party feeds: whether each broker is connected."""

    def to_json(self) -> dict[str, object]:
        """With the reason and the figures, for coordinators."""
        why = {"why": self.why} if self.why else {}
        connected = {} if self.connected is None else {"connected": self.connected}
        return {"ok": self.ok, **why, **self.figures, **connected}


@dataclass(frozen=True, slots=True)
class Health:
    """All parts by name, without secrets, places or persons.

    ``listened``: by window, the part of it in which a broker was connected; None without a journal.
    """

    parts: dict[str, HealthPart]
    listened: dict[str, float | None]

    @property
    def failing(self) -> list[str]:
        """The names of the parts that do not work."""
        return [name for name, part in self.parts.items() if not part.ok]

    def to_json(self) -> dict[str, object]:
        """Everything."""
        return {
            "ok": not self.failing,
            "failing": self.failing,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
            "listened": self.listened,
        }


def check_health(settings: Settings, engine: sa.Engine | None = None) -> Health:
    """The present health. ``engine``: the database, where the caller has opened it."""
    clock = Clock(settings.clock_speed, settings.clock_origin)
    opened = engine or open_database(settings)
    try:
        known = heartbeat.read(opened, settings.gateway_id)
        parts = _processes(opened, settings, known)
        listened: dict[str, float | None] = dict.fromkeys(_WINDOWS)
        try:
            reader = JournalReader(settings.journal_path)
        except JournalError:
            parts["journal"] = HealthPart(False, "there is none that can be read")
        else:
            parts |= _journal(reader, clock)
            parts |= (
                _shared(settings, opened) if settings.shared
                else _projections(reader, opened, clock)
            )  # fmt: skip
            listened = _listened(reader, clock.now(), known.running)
            reader.close()
        parts["outbox"] = _outbox(opened, clock)
        parts["disk"] = _disk(settings)
        if warning := facts.warning(settings, time.time()):
            parts["certificate"] = HealthPart(False, warning)
        if kept := damaged.kept_in(settings.data, settings.data / "broker"):
            parts["files"] = _files(kept)
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
    with engine.connect() as connection:
        problems = feed_problems.read(connection, settings.gateway_id)
    if feeds or problems:
        lost = [name for name, connected in feeds.items() if not connected]
        reasons = [f"the gateway is not connected to {', '.join(lost)}"] if lost else []
        reasons += [
            f"{device} sends nothing readable: {problem.reason}"
            for device, problem in problems.items()
            if problem.lasts
        ]
        found["feeds"] = HealthPart(not reasons, "; ".join(reasons), connected=feeds)
    return found


def _journal(reader: JournalReader, clock: Clock) -> dict[str, HealthPart]:
    at = reader.received_at(reader.last_id())
    age_s = None if at is None else max(0.0, clock.now() - at)
    return {"journal": HealthPart(True, "", {"leaves": reader.last_id(), "newest_age_s": age_s})}


def _shared(settings: Settings, engine: sa.Engine) -> dict[str, HealthPart]:
    """Where gateways share a database, the projections follow the merged journal, not this one."""
    lags = status.read_status(settings)["projections"]
    with engine.connect() as connection:
        aside, waiting = dead_letters.newest(connection), troubles.read(connection)
    return {
        name: _projection(name, {"lag": figures["lag"]}, "", aside.get(name), waiting.get(name))
        for name, figures in lags.items()
    }


def _projection(
    name: str, figures: dict[str, float | None], late: str,
    aside: dead_letters.Kept | None, waiting: troubles.Trouble | None,
) -> HealthPart:  # fmt: skip
    """A projection fails when it is late, waits for long, or has set entries aside."""
    stuck = waiting is not None and time.time() - waiting.since > _MAX_BEHIND_S
    reasons = [late] if late else []
    if waiting is not None and (late or stuck):
        reasons.append(f"it waits and tries again: {waiting.reason}")
    if aside is not None:
        which = name.partition(" ")[0]
        reasons.append(
            f"{aside.number} set aside, the newest for: {aside.reason}; when the reason is "
            f"gone, 'noria rebuild {which}' takes them in again"
        )
    figures = {**figures, "set_aside": aside.number if aside else 0}
    return HealthPart(not reasons, "; ".join(reasons), figures)


def _projections(reader: JournalReader, engine: sa.Engine, clock: Clock) -> dict[str, HealthPart]:
    newest, now = reader.last_id(), clock.now()
    found: dict[str, HealthPart] = {}
    with engine.connect() as connection:
        cursors = connection.execute(sa.select(projection)).all()
        aside, waiting = dead_letters.newest(connection), troubles.read(connection)
    for row in cursors:
        next_at = reader.received_at(row.cursor + 1)
        behind_s = 0.0 if next_at is None else max(0.0, now - next_at)
        lag = max(0, newest - row.cursor)
        is_late = clock.real_s(behind_s) > _MAX_BEHIND_S
        late = f"it is {lag} journal entries behind" if is_late else ""
        found[row.name] = _projection(
            row.name, {"lag": lag, "behind_s": behind_s}, late,
            aside.get(row.name), waiting.get(row.name),
        )  # fmt: skip
    return found


def _listened(reader: JournalReader, now: float, running: bool) -> dict[str, float | None]:
    """The part of each window in which a broker was connected; None without a journal."""
    first, last = reader.received_at(1), reader.received_at(reader.last_id())
    if first is None or last is None:
        return dict.fromkeys(_WINDOWS)
    runs = reader.runs(now - max(_WINDOWS.values()))
    end = now if running else last
    found: dict[str, float | None] = {}
    for name, length_s in _WINDOWS.items():
        begin = max(first, now - length_s)
        window_s = now - begin
        connected_s = listened_s(runs, begin, min(end, now))
        found[name] = round(connected_s / window_s, 6) if window_s > 0 else None
    return found


def listened_s(runs: Iterable[Run], begin: float, end: float) -> float:
    """Seconds between ``begin`` and ``end`` (Unix s) in which a broker was connected.

    From ``broker_back`` to ``broker_lost`` or ``stop``; a ``start`` without a ``stop`` means that
    the gateway was down since the entry before it. ``end`` is now where the gateway runs, else its
    last entry.
    """
    total, since = 0.0, None
    for at, event, before in (*runs, (end, "stop", end)):
        if since is not None and event in ("start", "stop", "broker_lost"):
            until = before if event == "start" else at
            total += max(0.0, min(until, end) - max(since, begin))
            since = None
        elif since is None and event == "broker_back":
            since = at
    return total


def _outbox(engine: sa.Engine, clock: Clock) -> HealthPart:
    with engine.connect() as connection:
        figures = relevance.lag(connection, clock.now())
        given_up = relevance.undelivered(connection)
    oldest_s = clock.real_s(figures["oldest_s"] or 0.0)
    stuck = oldest_s > _MAX_WAITING_S
    reasons = [f"{figures['waiting']} messages wait, the oldest for {oldest_s:.0f} s"] * stuck
    if given_up:
        reasons.append(
            f"{len(given_up)} could not be delivered, the newest by {given_up[-1].error}; "
            "'noria alerts retry' sends those that still matter"
        )
    return HealthPart(not reasons, "; ".join(reasons), figures)


def _files(kept: list[Path]) -> HealthPart:
    names = ", ".join(str(path) for path in kept)
    return HealthPart(
        False,
        f"damaged, set aside and made anew: {names}; nothing is lost, delete when looked at",
        {"damaged": len(kept)},
    )


def _disk(settings: Settings) -> HealthPart:
    try:
        used = shutil.disk_usage(settings.data)
    except OSError as error:
        return HealthPart(False, f"the data folder cannot be looked at: {error.strerror}")
    free = used.free / used.total if used.total else 0.0
    full = used.free < _MIN_FREE_BYTES or free < _MIN_FREE_PART
    why = f"{used.free / 1e6:.0f} MB are free: make room, or nothing can be kept" if full else ""
    return HealthPart(not full, why, {"free_bytes": used.free, "free_part": round(free, 4)})
