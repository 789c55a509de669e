"""The registry in the database: rows are only ever added; of two with the same ``since`` the
later one is in force.

A row stores its values as JSON by field name. ``since`` is event time (from when it is true),
``recorded`` the time of writing. Device keys are in it: only its owner may read the file.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TypeVar, cast
from weakref import WeakValueDictionary

import msgspec
import sqlalchemy as sa

from gateway.database.engine import serialise
from gateway.database.tables import metadata
from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.errors import RegistryError
from gateway.registry import facts
from gateway.registry.fields import draw_id
from gateway.registry.tables import Row, key_of, name_of, start_of

registry_row = sa.Table(
    "registry_row",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("table", sa.Text, nullable=False),  # site tank device install plan
    sa.Column("name", sa.Text, nullable=False),  # site or tank id, device id, a plan's tank
    sa.Column("since", sa.Float, nullable=False),  # Unix s, from when it is true
    sa.Column("recorded", sa.Float, nullable=False),  # Unix s, when it was written
    sa.Column("value", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # version() never decreases
)

_NEWEST = "SELECT max(id) FROM registry_row"  # asked before every batch of messages
_TYPES: Mapping[str, type[Row]] = {
    kind.__name__.lower(): kind for kind in (Site, Tank, Device, Install, Plan)
}
_loaded: "WeakValueDictionary[bytes, Registry]" = WeakValueDictionary()
"""Registries in memory by the hash of their rows: threads that load the same rows share one."""
_loading = threading.Lock()
_Kind = TypeVar("_Kind", Site, Tank, Device, Install, Plan)
_Dated = TypeVar("_Dated", Site, Tank, Device)


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that was added: ``fields`` are the names that differ from the row before."""

    table: str
    name: str
    new: bool
    fields: tuple[str, ...]


def version(engine: sa.Engine) -> int:
    """A number that grows with every change of the registry."""
    with engine.connect() as connection:
        return version_of(connection)


def version_of(connection: sa.Connection) -> int:
    """As ``version``, inside a transaction."""
    return connection.exec_driver_sql(_NEWEST).scalar() or 0


def load(engine: sa.Engine) -> Registry:
    """All rows with their history, each list sorted by ``since``."""
    with engine.connect() as connection:
        return load_from(connection)


def load_from(connection: sa.Connection, version: int | None = None) -> Registry:
    """As ``load``, inside a transaction; as of ``version`` when one is given."""
    query = sa.select(
        registry_row.c.table, registry_row.c.name, sa.cast(registry_row.c.value, sa.Text)
    )
    if version is not None:
        query = query.where(registry_row.c.id <= version)
    found = connection.execute(query.order_by(registry_row.c.id)).all()
    digest = hashlib.blake2b()
    for row in found:
        digest.update("\0".join(row).encode("utf-8"))
    with _loading:  # a thread that wants the same one waits, instead of building another
        registry = _loaded.get(digest.digest())
        if registry is None:
            registry = _loaded[digest.digest()] = _registry_of(found)
    return registry


def _registry_of(found: Iterable[Sequence[str]]) -> Registry:
    groups: dict[str, dict[str, dict[object, Row]]] = {table: {} for table in _TYPES}
    for table, name, value in found:
        row = _from_json(table, msgspec.json.decode(value, type=dict[str, object]))
        groups[table].setdefault(name, {})[key_of(row)] = row

    def history(table: str, kind: type[_Kind]) -> dict[str, tuple[_Kind, ...]]:
        rows_of = cast(Mapping[str, Mapping[object, _Kind]], groups[table])
        return {name: tuple(sorted(rows.values(), key=start_of)) for name, rows in rows_of.items()}

    return Registry(
        history("site", Site),
        history("tank", Tank),
        history("device", Device),
        history("install", Install),
        history("plan", Plan),
    )


def put(connection: sa.Connection, added: Registry, now: float) -> list[RowChange]:
    """Add the rows that differ from the stored ones, each with its fact; returns what changed.

    A row without ``from`` (since 0) of a known id is in force from ``now`` (Unix s). A device that
    changes its tank gets installs, so that its past stays with the old tank. Draws random ids
    where there are none. Raises RegistryError when a given ``rid`` contradicts the stored one.
    """
    serialise(connection)  # before reading, so that no other import races this one
    known = load_from(connection)
    rids = _RandomIds(known)
    return [
        _insert(connection, row, old, now, rids)
        for row, old in _wanted(known, added, rids, now)
        if row != old
    ]


def _wanted(
    known: Registry, added: Registry, rids: "_RandomIds", now: float
) -> Iterator[tuple[Row, Row | None]]:
    """Each row to be in force, with the row that it follows or corrects."""
    for name, sites in added.sites.items():
        given = tuple(replace(s, rid=rids.choose("site", name, s.rid)) for s in sites)
        yield from _dated(given, known.sites.get(name, ()), now)
    for name, tanks in added.tanks.items():
        given_tanks = tuple(replace(t, rid=rids.choose("tank", name, t.rid)) for t in tanks)
        yield from _dated(given_tanks, known.tanks.get(name, ()), now)
    for name, devices in added.devices.items():
        yield from _dated(devices, known.devices.get(name, ()), now)
    for install in chain(_moves(known, added, now), *added.installs.values()):
        rows = known.installs.get(install.device, ())
        yield install, next((r for r in rows if r.since == install.since), None)
    for plan in chain(*added.plans.values()):
        rows = known.plans.get(plan.tank, ())
        yield plan, next((r for r in rows if key_of(r) == key_of(plan)), None)


def _dated(
    rows: Sequence[_Dated], kept: Sequence[_Dated], now: float
) -> Iterator[tuple[_Dated, _Dated | None]]:
    newest = kept[-1] if kept else None
    if newest is not None and len(rows) == 1 and rows[0].since == 0.0:
        if replace(rows[0], since=newest.since) != newest:
            # The newest row may start in the future: then that one is corrected.
            yield replace(rows[0], since=max(now, newest.since)), newest
        return
    by_since = {row.since: row for row in kept}
    for row in rows:
        yield row, by_since.get(row.since)


def _moves(known: Registry, added: Registry, now: float) -> Iterator[Install]:
    """Installs for the devices whose tank changes without installs of their own in ``added``."""
    for name, rows in added.devices.items():
        before = known.device(name)
        after = rows[-1]
        explicit = name in added.installs or len(rows) > 1
        if before is None or explicit or before.tank == after.tank:
            continue
        if name not in known.installs:
            yield Install(name, before.tank, 0.0)
        yield Install(name, after.tank, after.since or now)


def _insert(
    connection: sa.Connection, row: Row, old: Row | None, now: float, rids: "_RandomIds"
) -> RowChange:
    table, name = type(row).__name__.lower(), name_of(row)
    result = connection.execute(
        sa.insert(registry_row).values(
            table=table, name=name, since=start_of(row), recorded=now, value=_to_json(row)
        )
    )
    (row_id,) = cast(tuple[int], result.inserted_primary_key)
    facts.queue(connection, row, row_id, now, rids.known)
    names = [field.name for field in fields(row)]
    differing = [n for n in names if getattr(row, n) != getattr(old, n, None)]
    reported = tuple(n for n in differing if n not in ("rid", "since")) or tuple(differing)
    return RowChange(table, name, old is None, reported)


class _RandomIds:
    """The random ids that are taken: (table, id) -> rid."""

    def __init__(self, known: Registry) -> None:
        self.known = {("site", n): rows[-1].rid for n, rows in known.sites.items()}
        self.known |= {("tank", n): rows[-1].rid for n, rows in known.tanks.items()}

    def choose(self, table: str, name: str, given: str) -> str:
        """The stored one, else the given one, else a new one. Raises RegistryError."""
        kept = self.known.get((table, name))
        if kept and given and given != kept:
            raise RegistryError(
                f"[[{table}]] {name}: rid = {given!r}: it is {kept!r} here already; leave rid out"
            )
        rid = kept or given or draw_id(self.known.values())
        if kept is None and rid in self.known.values():
            raise RegistryError(f"[[{table}]] {name}: rid = {rid!r} is taken; leave rid out")
        self.known[table, name] = rid
        return rid


def _to_json(row: Row) -> dict[str, object]:
    values: dict[str, object] = msgspec.to_builtins(row, builtin_types=(bytes,))
    return {n: v.hex() if isinstance(v, bytes) else v for n, v in values.items()}


def _from_json(table: str, value: Mapping[str, object]) -> Row:
    keys = {n: value[n] for n in ("key", "public_key") if n in value}
    raw = {n: bytes.fromhex(key) for n, key in keys.items() if isinstance(key, str)}
    return msgspec.convert({**value, **raw}, _TYPES[table])
