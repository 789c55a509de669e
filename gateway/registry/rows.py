"""The registry in the database: rows are only ever added, the newest of a moment counts.

A row keeps its values as JSON by field name. ``since`` is event time (from when it is true),
``recorded`` when we were told. Device keys lie here: the file is readable by its owner only.
"""

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.database.engine import is_postgresql, serialise
from gateway.database.tables import metadata
from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.errors import RegistryError
from gateway.registry import facts

registry_row = sa.Table(
    "registry_row",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("table", sa.Text, nullable=False),  # site tank device install plan
    sa.Column("name", sa.Text, nullable=False),  # site or tank id, device id, a plan's tank
    sa.Column("since", sa.Float, nullable=False),  # Unix s, from when it is true
    sa.Column("recorded", sa.Float, nullable=False),  # Unix s, when it was written
    sa.Column("value", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # version() must never go back
)

_NEWEST = "SELECT max(id) FROM registry_row"  # asked before every batch of messages
Row = Site | Tank | Device | Install | Plan
_TYPES: Mapping[str, type[Row]] = {
    "site": Site,
    "tank": Tank,
    "device": Device,
    "install": Install,
    "plan": Plan,
}
_FIELDS = {table: frozenset(f.name for f in fields(kind)) for table, kind in _TYPES.items()}
_loaded: "WeakValueDictionary[bytes, Registry]" = WeakValueDictionary()
"""Every thread follows the registry by itself; what is the same is held once, by its rows' hash."""
_loading = threading.Lock()
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_Any = TypeVar("_Any", Site, Tank, Device)


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that was added: ``fields`` are the names that differ from the row before."""

    table: str
    name: str
    new: bool
    fields: tuple[str, ...]


def version(engine: sa.Engine) -> int:
    """A number that grows with every change of the registry."""
    if is_postgresql(engine):
        with engine.connect() as connection:
            return version_of(connection)
    # Before every few messages of the watch: a quarter of what SQLAlchemy takes to ask.
    taken = engine.raw_connection()
    try:
        file = cast(sqlite3.Connection, taken.driver_connection)
        return file.execute(_NEWEST).fetchone()[0] or 0
    except sqlite3.OperationalError as error:
        raise OperationalError(_NEWEST, None, error) from error
    finally:
        taken.close()


def version_of(connection: sa.Connection) -> int:
    """As ``version``, inside a transaction."""
    return connection.exec_driver_sql(_NEWEST).scalar() or 0


def load(engine: sa.Engine) -> Registry:
    """All rows with their history, each list sorted by ``since``."""
    with engine.connect() as connection:
        return load_from(connection)


def load_from(connection: sa.Connection, version: int | None = None) -> Registry:
    """As ``load``, inside a transaction; as it stood at ``version`` when one is given."""
    query = sa.select(
        registry_row.c.table, registry_row.c.name, sa.cast(registry_row.c.value, sa.Text)
    )
    if version is not None:
        query = query.where(registry_row.c.id <= version)
    found = connection.execute(query.order_by(registry_row.c.id)).all()
    digest = hashlib.blake2b()
    for row in found:
        digest.update("\0".join(row).encode("utf-8"))
    with _loading:  # whoever else wants the same one waits for it, instead of making another
        registry = _loaded.get(digest.digest())
        if registry is None:
            registry = _loaded[digest.digest()] = _registry_of(found)
    return registry


def _registry_of(found: Iterable[Sequence[str]]) -> Registry:
    groups: dict[str, dict[str, dict[object, Row]]] = {table: {} for table in _TYPES}
    for table, name, value in found:
        row = _from_json(table, msgspec.json.decode(value))
        groups[table].setdefault(name, {})[_moment(row)] = row

    def of(table: str) -> Any:
        return {n: tuple(_sorted(rows.values())) for n, rows in groups[table].items()}

    return Registry(of("site"), of("tank"), of("device"), of("install"), of("plan"))


def put(connection: sa.Connection, added: Registry, now: float) -> list[RowChange]:
    """Add the rows that differ from what is kept, each with its fact; what is absent stays.

    A row without ``from`` (since 0) of something known holds from ``now`` (Unix s). A device that
    changes its tank gets installs, so that its past stays with the old tank. Draws random ids
    where there are none. Raises RegistryError when a given ``rid`` contradicts the kept one.
    """
    serialise(connection)  # before we read: no import races another
    known = load_from(connection)
    rids = _Rids(known)
    changes: list[RowChange] = []
    for row, old in _wanted(known, added, rids, now):
        if old is not None and _to_json(old) == _to_json(row):
            continue
        changes.append(_insert(connection, row, old, now, rids))
    return changes


def _wanted(
    known: Registry, added: Registry, rids: "_Rids", now: float
) -> Iterator[tuple[Row, Row | None]]:
    """Each row as it should stand, with the row it follows or corrects."""
    for name, sites in added.sites.items():
        given = tuple(replace(s, rid=rids.of("site", name, s.rid)) for s in sites)
        yield from _dated(given, known.sites.get(name, ()), now)
    for name, tanks in added.tanks.items():
        given_tanks = tuple(replace(t, rid=rids.of("tank", name, t.rid)) for t in tanks)
        yield from _dated(given_tanks, known.tanks.get(name, ()), now)
    for name, devices in added.devices.items():
        yield from _dated(devices, known.devices.get(name, ()), now)
    for install in (*_moved(known, added, now), *_all(added.installs)):
        rows = known.installs.get(install.device, ())
        yield install, next((r for r in rows if r.since == install.since), None)
    for plan in _all(added.plans):
        rows = known.plans.get(plan.tank, ())
        yield plan, next((r for r in rows if _moment(r) == _moment(plan)), None)


def _dated(
    rows: Sequence[_Any], kept: Sequence[_Any], now: float
) -> Iterator[tuple[_Any, _Any | None]]:
    newest = kept[-1] if kept else None
    if newest is not None and len(rows) == 1 and rows[0].since == 0.0:
        if replace(rows[0], since=newest.since) != newest:
            # The newest row may lie ahead of now: then it is that one that is corrected.
            yield replace(rows[0], since=max(now, newest.since)), newest
        return
    at = {row.since: row for row in kept}
    for row in rows:
        yield row, at.get(row.since)


def _moved(known: Registry, added: Registry, now: float) -> Iterator[Install]:
    for name, rows in added.devices.items():
        before = known.device(name)
        after = rows[-1]
        told = name in added.installs or len(rows) > 1
        if before is None or told or before.tank == after.tank:
            continue
        if name not in known.installs:
            yield Install(name, before.tank, 0.0)
        yield Install(name, after.tank, after.since or now)


def _all(rows_of: Mapping[str, tuple[Any, ...]]) -> Iterator[Any]:
    return (row for rows in rows_of.values() for row in rows)


def _insert(
    connection: sa.Connection, row: Row, old: Row | None, now: float, rids: "_Rids"
) -> RowChange:
    table = type(row).__name__.lower()
    name = _name(row)
    value = _to_json(row)
    before = _to_json(old) if old is not None else {}
    result = connection.execute(
        sa.insert(registry_row).values(
            table=table, name=name, since=_since(row), recorded=now, value=value
        )
    )
    (row_id,) = cast(tuple[int], result.inserted_primary_key)
    facts.queue(connection, row, row_id, now, rids.known)
    differs = [f for f in value | before if value.get(f) != before.get(f)]
    told = tuple(f for f in differs if f not in ("rid", "since")) or tuple(differs)
    return RowChange(table, name, old is None, told)


class _Rids:
    """The random ids that are taken: (table, id) -> rid."""

    def __init__(self, known: Registry) -> None:
        self.known = {("site", n): rows[-1].rid for n, rows in known.sites.items()}
        self.known |= {("tank", n): rows[-1].rid for n, rows in known.tanks.items()}

    def of(self, table: str, name: str, given: str) -> str:
        """The kept one, else the given one, else a new one."""
        kept = self.known.get((table, name))
        if kept and given and given != kept:
            raise RegistryError(
                f"[[{table}]] {name}: rid = {given!r}: it is {kept!r} here already; leave rid out"
            )
        rid = kept or given or self._draw()
        if kept is None and rid in self.known.values():
            raise RegistryError(f"[[{table}]] {name}: rid = {rid!r} is taken; leave rid out")
        self.known[table, name] = rid
        return rid

    def _draw(self) -> str:
        while True:
            rid = "".join(secrets.choice(_ALPHABET) for _ in range(8))
            if rid not in self.known.values():
                return rid


def _name(row: Row) -> str:
    if isinstance(row, Install):
        return row.device
    return row.tank if isinstance(row, Plan) else row.id


def _since(row: Row) -> float:
    return row.start if isinstance(row, Plan) else row.since


def _moment(row: Row) -> object:
    return (row.start, row.kind) if isinstance(row, Plan) else row.since


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=_since)


def _to_json(row: Row) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for field in fields(row):
        item = getattr(row, field.name)
        value[field.name] = item.hex() if isinstance(item, bytes) else item
        if isinstance(item, tuple):
            value[field.name] = [list(cast(tuple[float, float], pair)) for pair in item]  # pyright: ignore[reportUnknownVariableType] - pairs of numbers
    return value


def _from_json(table: str, value: Mapping[str, Any]) -> Row:
    kind, known = _TYPES[table], _FIELDS[table]
    given = {name: item for name, item in value.items() if name in known}
    for name in ("key", "public_key"):
        if given.get(name) is not None:
            given[name] = bytes.fromhex(given[name])
    if "table" in given:
        given["table"] = tuple((float(mm), float(litres)) for mm, litres in given["table"])
    return kind(**given)
