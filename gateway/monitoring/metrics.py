"""Figures for Prometheus, in its text exposition format 0.0.4.

Tanks are labelled by random ids. _Labels are bounded: kinds, reasons, projections and windows are
fixed sets, and with more than 1000 tanks there are no samples by tank.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

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
_Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Family:
    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[tuple[_Labels, float]] = field(default_factory=list[tuple[_Labels, float]])

    def text(self) -> str:
        head = f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"
        return head + "".join(
            f"{self.name}{_labels(labels)} {_number(value)}\n" for labels, value in self.samples
        )


def text(settings: Settings, engine: sa.Engine, registry: Registry) -> str:
    """Every current figure."""
    clock = Clock(settings.clock_speed, settings.clock_origin)
    families = [
        *_journal(status.read_status(settings)),
        *_health(health.check_health(settings, engine)),
        *_incidents(engine),
        *_tanks(engine, registry, clock.now()),
        _one("noria_build_info", "gauge", "The program that runs.", 1, build=log_key.build()),
    ]
    return "".join(family.text() for family in families if family.samples)


def _journal(found: Status) -> Iterable[_Family]:
    feeds = {name: n for name, n in found["feeds"].items() if isinstance(n, int)}
    yield _by("noria_messages_total", "counter", "Authentic messages, by verdict.", "verdict",
              found["received"])  # fmt: skip
    yield _by("noria_refused_total", "counter", "Messages not let in, by reason.", "reason",
              found["refused"])  # fmt: skip
    yield _by("noria_feed_refused_total", "counter", "Third-party messages not taken, by reason.",
              "reason", feeds)  # fmt: skip
    yield _one("noria_journal_messages_total", "counter", "Messages in the journal.",
               found["journal"]["messages"])  # fmt: skip
    yield _one("noria_journal_leaves_total", "counter", "Leaves of the Merkle log.",
               found["journal"]["leaves"])  # fmt: skip


def _health(known: Health) -> Iterable[_Family]:
    yield _by("noria_part_ok", "gauge", "1 where a part does its work.", "part",
              {name: int(part.ok) for name, part in known.parts.items()})  # fmt: skip
    figures = {name: part.figures for name, part in known.parts.items()}
    for name, key, help_text in (
        ("noria_projection_lag_entries", "lag", "Journal entries not applied yet."),
        ("noria_projection_behind_seconds", "behind_s", "Age of the oldest entry not applied."),
        ("noria_projection_set_aside", "set_aside", "Lines that could not be used."),
    ):
        values = {part: own[key] or 0.0 for part, own in figures.items() if key in own}
        yield _by(name, "gauge", help_text, "projection", values)
    outbox, disk = figures.get("outbox", {}), figures.get("disk", {})
    yield _one("noria_outbox_waiting", "gauge", "Messages to people that wait.",
               outbox.get("waiting"))  # fmt: skip
    yield _one("noria_outbox_oldest_seconds", "gauge", "Age of the oldest of them.",
               outbox.get("oldest_s") or 0.0)  # fmt: skip
    yield _one("noria_outbox_failed", "gauge", "Messages that could not be delivered.",
               outbox.get("failed"))  # fmt: skip
    yield _one("noria_disk_free_bytes", "gauge", "Room in the data folder.",
               disk.get("free_bytes"))  # fmt: skip
    listened = {name: part for name, part in known.listened.items() if part is not None}
    yield _by("noria_listened_ratio", "gauge", "Part of the time in which we listened.",
              "window", listened)  # fmt: skip


def _incidents(engine: sa.Engine) -> Iterable[_Family]:
    query = sa.select(
        incident.c.kind, sa.func.count(), sa.func.count().filter(incident.c.closed.is_(None))
    ).group_by(incident.c.kind)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    none: dict[str, float] = dict.fromkeys(get_args(IncidentKind), 0)
    yield _by("noria_incidents_open", "gauge", "Open incidents, by kind as now known.", "kind",
              none | {row[0]: row[2] for row in rows})  # fmt: skip
    yield _by("noria_incidents", "gauge", "All incidents, by kind as now known.", "kind",
              none | {row[0]: row[1] for row in rows})  # fmt: skip


def _tanks(engine: sa.Engine, registry: Registry, now: float) -> Iterable[_Family]:
    with engine.connect() as connection:
        values = connection.execute(sa.select(tank_now.c.tank, tank_now.c.value)).all()
    known = [(registry.tank(row.tank), row.value) for row in values]
    states: dict[str, float] = dict.fromkeys(get_args(LevelState), 0)
    presences: dict[str, float] = dict.fromkeys(("speaking", "late", "silent"), 0)
    ages: dict[str, float] = {}
    for tank, value in known:
        states[value["state"]] = states.get(value["state"], 0) + 1
        presences[value["presence"]] = presences.get(value["presence"], 0) + 1
        if tank is not None and value["at"] is not None and len(ages) < _MAX_TANKS:
            ages[tank.rid] = max(0.0, now - value["at"])
    yield _by("noria_tanks", "gauge", "Tanks heard so far, by state.", "state", states)
    yield _by("noria_tanks_by_presence", "gauge", "Tanks by whether they speak.", "presence",
              presences)  # fmt: skip
    if len(known) <= _MAX_TANKS:
        yield _by("noria_tank_reading_age_seconds", "gauge",
                  "Age of the newest good reading, by random id.", "tank", ages)  # fmt: skip


def _by(
    name: str, kind: Literal["counter", "gauge"], help_text: str, label: str,
    values: Mapping[str, float],
) -> _Family:  # fmt: skip
    samples = [(((label, key),), float(value)) for key, value in values.items()]
    return _Family(name, kind, help_text, samples)


def _one(
    name: str, kind: Literal["counter", "gauge"], help_text: str, value: float | None,
    **labels: str,
) -> _Family:  # fmt: skip
    samples = [] if value is None else [(tuple(labels.items()), float(value))]
    return _Family(name, kind, help_text, samples)


def _labels(labels: _Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
