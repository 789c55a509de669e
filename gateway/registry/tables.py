"""The five tables of a registry file: which fields each has, and the row that they make."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.registry import Device, Install, Plan, Site, Tank
from gateway.registry import fields as f
from gateway.registry.fields import Check, FieldError

Given = Mapping[str, Any]
_MM = f.whole(1, 20_000)
_TARE = f.whole(0, 10_000_000)
_CAPACITY_L = {"ibc1000": 1000.0, "ibc600": 600.0}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "cylinder": ("diameter_mm",),
    "lying": ("diameter_mm", "length_mm"),
    "box": ("length_mm", "width_mm"),
    "table": ("table",),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its fields with their checks, and those that every row must have."""

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
            "sensor_height_mm": _MM,
            "probe_offset_mm": f.whole(0, 20_000),
            "taps": f.whole(1, 100),
            "low_pct": f.number(0, 100),
            "critical_pct": f.number(0, 100),
            "diameter_mm": _MM,
            "length_mm": _MM,
            "width_mm": _MM,
            "table": f.table,
            "tare_g": _TARE,
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
        },
        ("id", "tank"),
    ),
    "install": Table(
        {
            "device": f.random_id,
            "tank": f.name,
            **_DATED,
            "sensor_height_mm": _MM,
            "probe_offset_mm": f.whole(0, 20_000),
            "tare_g": _TARE,
        },
        ("device", "tank", "from"),
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


def _dated(given: Given) -> dict[str, Any]:
    values = dict(given)
    values["since"] = values.pop("from", 0.0)
    return values


def site(given: Given) -> Site:
    """A site's row; people_low <= people_high."""
    values: dict[str, Any] = {"rid": "", **_dated(given)}
    row = Site(**values)
    low, high = row.people_low, row.people_high
    if low is not None and high is not None and low > high:
        raise FieldError(f"people_low = {low} is above people_high = {high}")
    return row


def tank(given: Given) -> Tank:
    """A tank's or station's row with the fields that its shape needs."""
    values: dict[str, Any] = {"rid": "", "kind": "tank", **_dated(given)}
    values.update(_station(values) if values["kind"] == "station" else _shape(values))
    row = Tank(**values)
    if row.empty_l >= row.capacity_l:
        raise FieldError(
            f"empty_l = {row.empty_l:g} leaves nothing of capacity_l = {row.capacity_l:g}"
        )
    if row.critical_pct >= row.low_pct:
        raise FieldError(
            f"critical_pct = {row.critical_pct:g} must be below low_pct = {row.low_pct:g}"
        )
    return row


def _station(values: Given) -> Given:
    if values.get("shape") is not None:
        raise FieldError(f"shape = {values['shape']!r}: a station is weighed; leave shape out")
    can_l, cans = values.get("can_l"), values.get("cans")
    if "capacity_l" in values:
        return {"shape": None}
    if can_l is None or cans is None:
        raise FieldError("a station needs cans and can_l, for example cans = 12 and can_l = 20")
    return {"shape": None, "capacity_l": float(cans * can_l)}


def _shape(values: Given) -> Given:
    shape = values.get("shape")
    if shape is None:
        raise FieldError("shape is missing: say ibc1000, ibc600, cylinder, lying, box or table")
    for needed in _NEEDS.get(shape, ()):
        if needed not in values:
            raise FieldError(f"shape = {shape!r} needs {needed}: measure it and add it")
    if "capacity_l" in values:
        return {}
    if shape == "lying":
        radius_mm = values["diameter_mm"] / 2
        return {"capacity_l": round(math.pi * radius_mm**2 * values["length_mm"] / 1e6, 1)}
    if shape == "table":
        return {"capacity_l": values["table"][-1][1]}
    if shape not in _CAPACITY_L:
        raise FieldError(f"shape = {shape!r} needs capacity_l: how many litres it holds when full")
    return {"capacity_l": _CAPACITY_L[shape]}


def device(given: Given) -> Device:
    """A device's row: with a key, or marked unsigned, never both."""
    row = Device(**_dated(given))
    if row.unsigned and row.key is not None:
        raise FieldError("key and unsigned = true exclude one another: keep one")
    if row.key is None and not row.unsigned and not row.revoked:
        raise FieldError(
            "key is missing: add 64 hex digits, or unsigned = true for a third-party feed"
        )
    return row


def install(given: Given) -> Install:
    """An install's row."""
    return Install(**_dated(given))


def plan(given: Given) -> Plan:
    """A plan's row; it ends after it begins."""
    cancelled = given.get("cancelled", False)
    row = Plan(given["tank"], given["from"], given["to"], given["kind"], cancelled)
    if row.end <= row.start:
        raise FieldError("to must be later than from")
    return row
