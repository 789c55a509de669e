"""A registry file: read strictly, written so that reading it returns the same registry."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

import tomlkit
from tomlkit.items import Table as TomlTable

from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.errors import RegistryError
from gateway.registry import tables
from gateway.registry.check import problems
from gateway.registry.fields import FieldError
from gateway.registry.tables import TABLES, Row, Values
from gateway.text_file import read_text

_Row = TypeVar("_Row", Site, Tank, Device, Install, Plan)
_SECRET = ("key", "public_key")
_FILE_NAMES = {"since": "from", "start": "from", "end": "to"}


def read(path: Path, known: Registry | None = None) -> Registry:
    """The registry that a file describes; ``rid`` is empty where the file has none.

    With ``known``, references may point at its rows (a partial file for a running system), and
    the two together must be consistent; only the file's own rows are returned. ``since`` is 0
    where the file has no ``from``. Raises RegistryError naming file, table, row and field.
    """
    try:
        document = tomllib.loads(read_text(path))
    except OSError as error:
        raise RegistryError(f"{path}: {error.strerror}: name a registry file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path} is not TOML: {error}") from error
    try:
        return parse(document, known)
    except RegistryError as error:
        raise RegistryError(f"{path}: {error}") from error.__cause__


def parse(document: Mapping[str, object], known: Registry | None = None) -> Registry:
    """As ``read``, from TOML already decoded."""
    for table in document:
        if table not in TABLES:
            raise RegistryError(f"no table is called {table!r}: use {', '.join(TABLES)}")
    sites, tanks = _rows(document, tables.site), _rows(document, tables.tank)
    newest = [rows[-1] for rows in (*(known.tanks.values() if known else ()), *tanks.values())]
    stations = {tank.id for tank in newest if tank.kind == "station"}
    registry = Registry(
        sites=sites,
        tanks=tanks,
        devices=_rows(document, lambda values: _device(values, stations, known), "device"),
        installs=_rows(document, tables.install),
        plans=_rows(document, tables.plan),
    )
    for problem in problems(registry, known):
        raise RegistryError(problem)
    return registry


def _device(values: Values, stations: set[str], known: Registry | None) -> Device:
    """By default a station's device is a scale, and a known device keeps its keys."""
    defaults: dict[str, object] = {"sensor": "hx711"} if values["tank"] in stations else {}
    kept = known.device(str(values["id"])) if known else None
    if kept and not values.get("unsigned"):
        keys: dict[str, object] = {
            "key": kept.key, "public_key": kept.public_key, "key_number": kept.key_number
        }  # fmt: skip
        defaults |= {name: key for name, key in keys.items() if key}
    return tables.device({**defaults, **values})


def _rows(
    document: Mapping[str, object], build: Callable[[Values], _Row], table: str = ""
) -> dict[str, tuple[_Row, ...]]:
    """The rows of one table by name, sorted by their start; ``table`` is ``build``'s name."""
    table = table or build.__name__
    rows = document.get(table, [])
    if not isinstance(rows, list):
        raise RegistryError(f"[{table}] must be a list: write [[{table}]] above each row")
    groups: dict[str, list[_Row]] = {}
    for number, row in enumerate(cast(list[object], rows), 1):
        if not isinstance(row, dict):
            raise RegistryError(f"[[{table}]] row {number} is not a table: write [[{table}]]")
        values = cast(dict[str, object], row)
        where = f"[[{table}]] {_label(table, values, number)}"
        try:
            built = build(_check(table, values, where))
        except FieldError as error:
            raise RegistryError(f"{where}: {error}") from None
        group = groups.setdefault(tables.name_of(built), [])
        starts = {tables.start_of(one) for one in group}
        if table != "plan" and tables.start_of(built) in starts:
            raise RegistryError(f"{where} stands twice: keep one, or give each its own from")
        group.append(built)
    return {name: tuple(sorted(group, key=tables.start_of)) for name, group in groups.items()}


def _label(table: str, row: Values, number: int) -> str:
    name = row.get({"install": "device", "plan": "tank"}.get(table, "id"))
    return name if isinstance(name, str) and name else f"row {number}"


def _check(table: str, row: Values, where: str) -> dict[str, object]:
    known = TABLES[table]
    values: dict[str, object] = {}
    for field, value in row.items():
        if field not in known.fields:
            raise RegistryError(
                f"{where}: no field is called {field!r}: use one of {', '.join(known.fields)}"
            )
        try:
            values[field] = known.fields[field](value)
        except FieldError as error:
            shown = "" if field in _SECRET else f" = {_shorten(value)}"
            raise RegistryError(f"{where}: {field}{shown}: {error}") from None
    for field in known.required:
        if field not in values:
            raise RegistryError(f"{where}: {field} is missing: add it")
    return values


def _shorten(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def write(registry: Registry, *, with_keys: bool) -> str:
    """The text of a file that ``read`` turns back into this registry.

    Without keys a keyed device cannot be imported elsewhere; a comment in the text states that.
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


def _row(row: Row, with_keys: bool) -> TomlTable:
    written = tomlkit.table()
    for field in fields(row):
        value: object = getattr(row, field.name)
        empty = value is None or value is False or value in ("", ())
        undated = field.name == "since" and value == 0
        if not empty and not undated and (field.name != "key" or with_keys):
            written.add(_FILE_NAMES.get(field.name, field.name), _toml_value(field.name, value))
    return written


def _toml_value(field: str, value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [list(pair) for pair in cast(tuple[tuple[float, float], ...], value)]
    if isinstance(value, float) and value.is_integer():
        return datetime.fromtimestamp(value, UTC) if field in _FILE_NAMES else int(value)
    return value
