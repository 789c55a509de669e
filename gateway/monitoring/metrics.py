"""Figures for Prometheus, in its text exposition format 0.0.4.

Tanks are labelled by random ids. _Labels are bounded: kinds, reasons, projections and windows are
fixed sets, and with more than 1000 tanks there are no samples by tank.
"""

from collections.abc import Iterator, Mapping
from typing import get_args

import sqlalchemy as sa

from gateway.database.tables import incident, tank_now
from gateway.domain.outputs import IncidentKind, LevelState
from gateway.domain.registry import Registry
from gateway.journal import log_key
from gateway.monitoring import health, status
from gateway.monitoring.health import Health
from gateway.monitoring.status import Status
from gateway.runtime.clock import Clock
from gateway.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MAX_TANKS = 1000
_Samples = Mapping[str, float | None]
"""Values by label text, ``""`` for a metric without labels; a value of None has no sample."""


def text(settings: Settings, engine: sa.Engine, registry: Registry) -> str:
    """Every current figure."""
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    metrics = (
        *_journal(status.read_status(settings)),
        *_health(health.check_health(settings, engine)),
        *_incidents(engine),
        *_tanks(engine, registry, now),
        _metric("noria_build_info", "The program that runs.", _by("build", {log_key.build(): 1})),
    )
    return "".join(metrics)


def _journal(found: Status) -> Iterator[str]:
    feeds = {name: n for name, n in found["feeds"].items() if isinstance(n, int)}
    journal = found["journal"]
    for name, help_text, samples in (
        ("messages", "Authentic messages, by verdict.", _by("verdict", found["received"])),
        ("refused", "Messages not let in, by reason.", _by("reason", found["refused"])),
        ("feed_refused", "Third-party messages not taken, by reason.", _by("reason", feeds)),
        ("journal_messages", "Messages in the journal.", {"": journal["messages"]}),
        ("journal_leaves", "Leaves of the Merkle log.", {"": journal["leaves"]}),
    ):
        yield _metric(f"noria_{name}_total", help_text, samples)


def _health(known: Health) -> Iterator[str]:
    working = {name: int(part.ok) for name, part in known.parts.items()}
    yield _metric("noria_part_ok", "1 where a part does its work.", _by("part", working))
    figures = {name: part.figures for name, part in known.parts.items()}
    for name, key, help_text in (
        ("lag_entries", "lag", "Journal entries not applied yet."),
        ("behind_seconds", "behind_s", "Age of the oldest entry not applied."),
        ("set_aside", "set_aside", "Lines that could not be used."),
    ):
        values = {part: own[key] for part, own in figures.items() if key in own}
        yield _metric(f"noria_projection_{name}", help_text, _by("projection", values))
    outbox, disk = figures.get("outbox", {}), figures.get("disk", {})
    for name, help_text, value in (
        ("outbox_waiting", "Messages to people that wait.", outbox.get("waiting")),
        ("outbox_oldest_seconds", "Age of the oldest of them.", outbox.get("oldest_s") or 0.0),
        ("outbox_failed", "Messages that could not be delivered.", outbox.get("failed")),
        ("disk_free_bytes", "Room in the data folder.", disk.get("free_bytes")),
    ):
        yield _metric(f"noria_{name}", help_text, {"": value})
    listened = _by("window", known.listened)
    yield _metric("noria_listened_ratio", "Part of the time in which we listened.", listened)


def _incidents(engine: sa.Engine) -> Iterator[str]:
    query = sa.select(
        incident.c.kind, sa.func.count(), sa.func.count().filter(incident.c.closed.is_(None))
    ).group_by(incident.c.kind)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    none: dict[str, float] = dict.fromkeys(get_args(IncidentKind), 0)
    opened = _by("kind", none | {row[0]: row[2] for row in rows})
    every = _by("kind", none | {row[0]: row[1] for row in rows})
    yield _metric("noria_incidents_open", "Open incidents, by kind as now known.", opened)
    yield _metric("noria_incidents", "All incidents, by kind as now known.", every)


def _tanks(engine: sa.Engine, registry: Registry, now: float) -> Iterator[str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tank_now.c.tank, tank_now.c.value)).all()
    states: dict[str, float] = dict.fromkeys(get_args(LevelState), 0)
    presences: dict[str, float] = dict.fromkeys(("speaking", "late", "silent"), 0)
    ages: dict[str, float] = {}
    for name, value in rows:
        tank = registry.tank(name)
        states[value["state"]] = states.get(value["state"], 0) + 1
        presences[value["presence"]] = presences.get(value["presence"], 0) + 1
        if tank is not None and value["at"] is not None and len(rows) <= _MAX_TANKS:
            ages[tank.rid] = max(0.0, now - value["at"])
    by_presence = _by("presence", presences)
    yield _metric("noria_tanks", "Tanks heard so far, by state.", _by("state", states))
    yield _metric("noria_tanks_by_presence", "Tanks by whether they speak.", by_presence)
    help_text = "Age of the newest good reading, by random id."
    yield _metric("noria_tank_reading_age_seconds", help_text, _by("tank", ages))


def _by(label: str, values: _Samples) -> _Samples:
    return {f'{{{label}="{_escape(key)}"}}': value for key, value in values.items()}


def _metric(name: str, help_text: str, samples: _Samples) -> str:
    """The metric in text form, empty without samples."""
    lines = [f"{name}{labels} {_number(v)}\n" for labels, v in samples.items() if v is not None]
    kind = "counter" if name.endswith("_total") else "gauge"
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n{''.join(lines)}" if lines else ""


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() else repr(value)
