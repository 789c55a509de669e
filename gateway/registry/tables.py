"""The five tables of a registry file: the fields of each, and the row built from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from gateway.domain.registry import Device, Install, Plan, Site, Tank
from gateway.registry import fields as f
from gateway.registry.fields import Check, FieldError

Row = Site | Tank | Device | Install | Plan
Values = Mapping[str, object]
"""Checked values by field name."""
_MM = f.whole(1, 20_000)
_GEOMETRY: Mapping[str, Check] = {
    "sensor_height_mm": _MM,
    "probe_offset_mm": f.whole(0, 20_000),
    "tare_g": f.whole(0, 10_000_000),
}
_CAPACITY_L = {"ibc1000": 1000.0, "ibc600": 600.0}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "cylinder": ("diameter_mm",),
    "lying": ("diameter_mm", "length_mm"),
    "box": ("length_mm", "width_mm"),
    "table": ("table",),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its fields with their checks, and the fields that every row must have."""

    fields: Mapping[str, Check]
    required: tuple[str, ...]


_DATED: Mapping[str, Check] = {"from": f.moment}
TABLES: Mapping[str, Table] = {
    "site": Table(
        {
            "id": f.name,
            "rid": f.random_id,
            **_DATED,
            "name": f.words,
            "people_low": f.whole(0, 1_000_000),
            "people_high": f.whole(0, 1_000_000),
            "people_source": f.words,
            "timezone": f.timezone,
        },
        ("id",),
    ),
    "tank": Table(
        {
            "id": f.name,
            "rid": f.random_id,
            **_DATED,
            "site": f.name,
            "name": f.words,
            "kind": f.choice("tank", "station"),
            "shape": f.choice("ibc1000", "ibc600", "cylinder", "lying", "box", "table"),
            "capacity_l": f.number(1, 1_000_000),
            "empty_l": f.number(0, 1_000_000),
            **_GEOMETRY,
            "taps": f.whole(1, 100),
            "low_pct": f.number(0, 100),
            "critical_pct": f.number(0, 100),
            "diameter_mm": _MM,
            "length_mm": _MM,
            "width_mm": _MM,
            "table": f.table,
            "cans": f.whole(1, 1000),
            "can_l": f.number(0.1, 1000),
        },
        ("id", "site"),
    ),
    "device": Table(
        {
            "id": f.random_id,
            **_DATED,
            "tank": f.name,
            "key": f.key,
            "public_key": f.key,
            "unsigned": f.flag,
            "uplink": f.words,
            "sensor": f.choice("a02yyuw", "jsn-sr04t", "probe", "hx711"),
            "temp_comp": f.choice("sensor", "gateway"),
            "revoked": f.flag,
            "key_number": f.whole(1, 2**31 - 1),
        },
        ("id", "tank"),
    ),
    "install": Table(
        {"device": f.random_id, "tank": f.name, **_DATED, **_GEOMETRY}, ("device", "tank", "from")
    ),
    "plan": Table(
        {
            "tank": f.name,
            **_DATED,
            "to": f.moment,
            "kind": f.choice("move", "cleaning", "eviction_risk"),
            "cancelled": f.flag,
        },
        ("tank", "from", "to", "kind"),
    ),
}


def name_of(row: Row) -> str:
    """The id that groups a row with its history: a site, tank or device; of a plan its tank."""
    if isinstance(row, Install):
        return row.device
    return row.tank if isinstance(row, Plan) else row.id


def start_of(row: Row) -> float:
    """From when the row is in force, or the plan begins (Unix s)."""
    return row.start if isinstance(row, Plan) else row.since


def key_of(row: Row) -> object:
    """Of two rows of one name with this key, the later one replaces the other."""
    return (row.start, row.kind) if isinstance(row, Plan) else row.since


def _dated(values: Values) -> dict[str, object]:
    dated = dict(values)
    dated["since"] = dated.pop("from", 0.0)
    return dated


def site(values: Values) -> Site:
    """A site's row; people_low <= people_high."""
    row = msgspec.convert({"rid": "", **_dated(values)}, Site)
    low, high = row.people_low, row.people_high
    if low is not None and high is not None and low > high:
        raise FieldError(f"people_low = {low} is above people_high = {high}")
    return row


def tank(values: Values) -> Tank:
    """A tank's or station's row with the fields that its shape needs."""
    derived = _station(values) if values.get("kind") == "station" else _shape(values)
    row = msgspec.convert({"rid": "", **_dated(values), **derived}, Tank)
    if row.empty_l >= row.capacity_l:
        raise FieldError(
            f"empty_l = {row.empty_l:g} leaves nothing of capacity_l = {row.capacity_l:g}"
        )
    if row.capacity_l * row.low_pct / 100 <= row.empty_l:
        raise FieldError(
            f"low_pct = {row.low_pct:g} of {row.capacity_l:g} L is not above empty_l = "
            f"{row.empty_l:g}: no alert could come before the tank is empty"
        )
    if row.critical_pct >= row.low_pct:
        raise FieldError(
            f"critical_pct = {row.critical_pct:g} must be below low_pct = {row.low_pct:g}"
        )
    return row


def _station(values: Values) -> Values:
    if values.get("shape") is not None:
        raise FieldError(f"shape = {values['shape']!r}: a station is weighed; leave shape out")
    if "capacity_l" in values:
        return {"shape": None}
    if "can_l" not in values or "cans" not in values:
        raise FieldError("a station needs cans and can_l, for example cans = 12 and can_l = 20")
    return {"shape": None, "capacity_l": _float(values, "cans") * _float(values, "can_l")}


def _shape(values: Values) -> Values:
    shape = values.get("shape")
    if not isinstance(shape, str):
        raise FieldError("shape is missing: say ibc1000, ibc600, cylinder, lying, box or table")
    for needed in _NEEDS.get(shape, ()):
        if needed not in values:
            raise FieldError(f"shape = {shape!r} needs {needed}: measure it and add it")
    if "capacity_l" in values:
        return {}
    if shape == "lying":
        radius_mm, length_mm = _float(values, "diameter_mm") / 2, _float(values, "length_mm")
        return {"capacity_l": round(math.pi * radius_mm**2 * length_mm / 1e6, 1)}
    if shape == "table":
        return {"capacity_l": cast(Sequence[tuple[float, float]], values["table"])[-1][1]}
    if shape not in _CAPACITY_L:
        raise FieldError(f"shape = {shape!r} needs capacity_l: how many litres it holds when full")
    return {"capacity_l": _CAPACITY_L[shape]}


def _float(values: Values, field: str) -> float:
    return float(cast(float, values[field]))


def device(values: Values) -> Device:
    """A device's row: with a key, or marked unsigned, never both; without either when revoked."""
    row = msgspec.convert(_dated(values), Device)
    if row.unsigned and row.key is not None:
        raise FieldError("key and unsigned = true exclude one another: keep one")
    if row.key is None and not row.unsigned and not row.revoked:
        raise FieldError(
            "key is missing: add 64 hex digits, or unsigned = true for a third-party feed"
        )
    return row


def install(values: Values) -> Install:
    """An install's row."""
    return msgspec.convert(_dated(values), Install)


def plan(values: Values) -> Plan:
    """A plan's row; it ends after it begins."""
    row = msgspec.convert({**values, "start": values["from"], "end": values["to"]}, Plan)
    if row.end <= row.start:
        raise FieldError("to must be later than from")
    return row
