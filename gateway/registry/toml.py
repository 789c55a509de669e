"""A registry file: read strictly, written so that reading it gives the same registry."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import tomlkit
from tomlkit.items import Table as TomlTable

from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.errors import RegistryError
from gateway.registry import tables
from gateway.registry.check import problems
from gateway.registry.fields import FieldError
from gateway.registry.merge import merge_registries
from gateway.registry.tables import TABLES

_Row = TypeVar("_Row")
_SECRET = ("key", "public_key")


def read(path: Path, known: Registry | None = None) -> Registry:
    """The registry that a file describes; ``rid`` is empty where the file has none.

    With ``known``, references may point at its rows (a partial file for a running system), and
    the two together must make sense; what is returned is the file's own rows. ``since`` is 0
    where the file has no ``from``. Raises RegistryError naming file, table, row and field.
    """
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RegistryError(f"{path}: {error.strerror}: name a registry file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path} is not TOML: {error}") from error
    try:
        return parse(given, known)
    except RegistryError as error:
        raise RegistryError(f"{path}: {error}") from error.__cause__


def parse(given: Mapping[str, Any], known: Registry | None = None) -> Registry:
    """As ``read``, from TOML already decoded."""
    for table in given:
        if table not in TABLES:
            raise RegistryError(f"no table is called {table!r}: use {', '.join(TABLES)}")
    registry = Registry(
        sites=_by(_rows(given, "site", tables.site), _id),
        tanks=_by(_rows(given, "tank", tables.tank), _id),
        devices=_by(_rows(given, "device", _device_maker(given, known)), _id),
        installs=_by(_rows(given, "install", tables.install), lambda row: row.device),
        plans=_by(_rows(given, "plan", tables.plan), lambda row: row.tank),
    )
    _refuse_repeats(registry)
    for problem in problems(merge_registries(known, registry) if known else registry):
        raise RegistryError(problem)
    return registry


def _id(row: Site | Tank | Device) -> str:
    return row.id


def _device_maker(
    given: Mapping[str, Any], known: Registry | None
) -> Callable[[Mapping[str, Any]], Device]:
    """A station's device weighs unless the file says otherwise; a known device keeps its keys."""
    stations = {t.get("id") for t in given.get("tank", ()) if t.get("kind") == "station"}
    if known:
        stations |= {i for i, rows in known.tanks.items() if rows[-1].kind == "station"}

    def make(values: Mapping[str, Any]) -> Device:
        extra: dict[str, Any] = {}
        if "sensor" not in values and values["tank"] in stations:
            extra["sensor"] = "hx711"
        kept = known.device(values["id"]) if known else None
        if kept and kept.key and "key" not in values and not values.get("unsigned"):
            extra["key"] = kept.key
        if kept and kept.public_key and "public_key" not in values and not values.get("unsigned"):
            extra["public_key"] = kept.public_key
        return tables.device({**values, **extra})

    return make


def _rows(
    given: Mapping[str, Any], table: str, make: Callable[[Mapping[str, Any]], _Row]
) -> list[_Row]:
    rows = given.get(table, [])
    if not isinstance(rows, list):
        raise RegistryError(f"[{table}] must be a list: write [[{table}]] above each row")
    made: list[_Row] = []
    for place, row in enumerate(cast(list[Any], rows), 1):
        if not isinstance(row, dict):
            raise RegistryError(f"[[{table}]] row {place} is not a table: write [[{table}]]")
        values = cast(dict[str, Any], row)
        where = f"[[{table}]] {_called(table, values, place)}"
        try:
            made.append(make(_checked(table, values, where)))
        except FieldError as error:
            raise RegistryError(f"{where}: {error}") from None
    return made


def _called(table: str, row: Mapping[str, Any], place: int) -> str:
    named = row.get({"install": "device", "plan": "tank"}.get(table, "id"))
    return named if isinstance(named, str) and named else f"row {place}"


def _checked(table: str, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = TABLES[table]
    values: dict[str, Any] = {}
    for field, value in row.items():
        if field not in known.fields:
            raise RegistryError(
                f"{where}: no field is called {field!r}: use one of {', '.join(known.fields)}"
            )
        try:
            values[field] = known.fields[field](value)
        except FieldError as error:
            shown = "" if field in _SECRET else f" = {_shown(value)}"
            raise RegistryError(f"{where}: {field}{shown}: {error}") from None
    for field in known.required:
        if field not in values:
            raise RegistryError(f"{where}: {field} is missing: add it")
    return values


def _shown(value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _by(rows: Iterable[_Row], key: Callable[[_Row], str]) -> dict[str, tuple[_Row, ...]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return {name: tuple(sorted(group, key=_start)) for name, group in groups.items()}


def _start(row: Any) -> float:
    return row.start if isinstance(row, Plan) else row.since


def _refuse_repeats(registry: Registry) -> None:
    groups: tuple[tuple[str, Mapping[str, tuple[Any, ...]]], ...] = (
        ("site", registry.sites),
        ("tank", registry.tanks),
        ("device", registry.devices),
        ("install", registry.installs),
    )
    for table, groups_of in groups:
        for name, rows in groups_of.items():
            if len({row.since for row in rows}) < len(rows):
                raise RegistryError(
                    f"[[{table}]] {name} stands twice: keep one, or give each its own from"
                )


def write(registry: Registry, *, with_keys: bool) -> str:
    """The file that ``read`` turns back into this registry; keys only where asked for.

    Without keys a keyed device cannot be imported elsewhere; the text says so.
    """
    document = tomlkit.document()
    if not with_keys:
        document.add(tomlkit.comment("Without keys. 'noria registry export --with-keys' has them."))
    groups = (registry.sites, registry.tanks, registry.devices, registry.installs, registry.plans)
    for table, rows_of in zip(TABLES, groups, strict=True):
        rows = [_row(row, with_keys) for name in sorted(rows_of) for row in rows_of[name]]
        if rows:
            array = tomlkit.aot()
            for row in rows:
                array.append(row)  # pyright: ignore[reportUnknownMemberType] - tomlkit's list
            document.append(table, array)
    return tomlkit.dumps(document)


def _row(row: Site | Tank | Device | Install | Plan, with_keys: bool) -> TomlTable:
    written = tomlkit.table()
    for field in fields(row):
        value: Any = getattr(row, field.name)
        if value is None or value is False or value in ("", ()):
            continue
        if field.name == "since" and value == 0:
            continue
        if field.name != "key" or with_keys:
            written.add(_NAMED.get(field.name, field.name), _value(field.name, value))
    return written


_NAMED = {"since": "from", "start": "from", "end": "to"}


def _value(field: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [list(cast(tuple[float, float], pair)) for pair in cast(tuple[Any, ...], value)]
    if field in _NAMED:
        return datetime.fromtimestamp(value, UTC) if float(value).is_integer() else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
