"""Contradictions between the rows of a registry: references, keys, sensors that fit their tank."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import TypeVar

from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.registry.tables import key_of, start_of

_ULTRASONIC = ("a02yyuw", "jsn-sr04t")
_Row = TypeVar("_Row", Site, Tank, Device, Install, Plan)


def problems(added: Registry, known: Registry | None = None) -> Iterator[str]:
    """Every contradiction in ``added`` merged into ``known``.

    Each as ``[[table]] row: field = value: remedy``.
    """
    registry = merged(known, added) if known else added
    for rows in registry.tanks.values():
        for tank in rows:
            if tank.site not in registry.sites:
                yield (
                    f"[[tank]] {tank.id}: site = {tank.site!r}: no site has this id; add "
                    f'[[site]] id = "{tank.site}", or correct it'
                )
    for rows in registry.devices.values():
        yield from _device(registry, rows[-1])
    for rows in registry.installs.values():
        for row in rows:
            if row.device not in registry.devices:
                yield (
                    f"[[install]] {row.device}: device = {row.device!r}: no device has this id; "
                    "add its [[device]], or correct it"
                )
            if row.tank not in registry.tanks:
                yield f"[[install]] {row.device}: {_unknown_tank(row.tank)}"
    for tank_id in registry.plans:
        if tank_id not in registry.tanks:
            yield f"[[plan]] {tank_id}: {_unknown_tank(tank_id)}"
    yield from _shared_keys(registry)
    yield from _unsigned_beside_keyed(registry)


def _unknown_tank(tank: str) -> str:
    return f"tank = {tank!r}: no tank has this id; add its [[tank]], or correct it"


def _device(registry: Registry, device: Device) -> Iterator[str]:
    where = f"[[device]] {device.id}"
    tank = registry.tank(device.tank)
    if tank is None:
        yield f"{where}: {_unknown_tank(device.tank)}"
        return
    if tank.kind == "station":
        if device.sensor != "hx711":
            yield f"{where}: sensor = {device.sensor!r}: a station is weighed; use hx711"
        if tank.tare_g is None and not _installs_have(registry, device, "tare_g"):
            yield (
                f"[[tank]] {tank.id}: tare_g is missing: weigh the empty station and add it, "
                "in grams"
            )
    elif (
        device.sensor in _ULTRASONIC
        and tank.sensor_height_mm is None
        and not _installs_have(registry, device, "sensor_height_mm")
    ):
        yield (
            f"[[tank]] {tank.id}: sensor_height_mm is missing: measure from the sensor's face "
            "down to the inside floor and add it"
        )


def _installs_have(registry: Registry, device: Device, field: str) -> bool:
    return any(
        getattr(row, field) is not None
        for row in registry.installs.get(device.id, ())
        if row.tank == device.tank
    )


def _shared_keys(registry: Registry) -> Iterator[str]:
    owners: dict[bytes, str] = {}
    for rows in registry.devices.values():
        key = rows[-1].key
        if key is None:
            continue
        other = owners.setdefault(key, rows[-1].id)
        if other != rows[-1].id:
            yield (
                f"[[device]] {rows[-1].id}: key: {other} has the same key; every device needs "
                "its own ('noria device new' draws one)"
            )


def _unsigned_beside_keyed(registry: Registry) -> Iterator[str]:
    newest = [rows[-1] for rows in registry.devices.values() if not rows[-1].revoked]
    keyed: dict[str, list[tuple[float, float, str]]] = {}
    for device in newest:
        if device.key is not None:
            for tank, start, end in _periods(registry, device):
                keyed.setdefault(tank, []).append((start, end, device.id))
    for device in newest:
        if device.unsigned and (signed := _first_overlap(_periods(registry, device), keyed)):
            yield (
                f"[[device]] {device.id}: unsigned = true: {signed[0]} has {signed[1]}, "
                "which signs; an unsigned feed needs a tank of its own"
            )


def _periods(registry: Registry, device: Device) -> list[tuple[str, float, float]]:
    """The tanks of a device, past, present and planned: each with its start and end (Unix s)."""
    installs = registry.installs.get(device.id, ())
    if not installs:
        return [(device.tank, -inf, inf)]
    starts = [-inf, *(row.since for row in installs[1:])]  # the first also applies before it
    ends = [*starts[1:], inf]
    return [(row.tank, a, b) for row, a, b in zip(installs, starts, ends, strict=True)]


def _first_overlap(
    periods: list[tuple[str, float, float]], keyed: dict[str, list[tuple[float, float, str]]]
) -> tuple[str, str] | None:
    """The first tank where the periods overlap, and the keyed device in it."""
    for tank, start, end in periods:
        for keyed_start, keyed_end, device in keyed.get(tank, ()):
            if start < keyed_end and keyed_start < end:
                return tank, device
    return None


def merged(known: Registry, added: Registry) -> Registry:
    """The rows of both; those of ``added`` replace or follow those of ``known``."""
    return Registry(
        sites=_merge_rows(known.sites, added.sites),
        tanks=_merge_rows(known.tanks, added.tanks),
        devices=_merge_rows(known.devices, added.devices),
        installs=_merge_rows(known.installs, added.installs),
        plans=_merge_rows(known.plans, added.plans),
    )


def _merge_rows(
    known: Mapping[str, tuple[_Row, ...]], added: Mapping[str, tuple[_Row, ...]]
) -> dict[str, tuple[_Row, ...]]:
    """A row replaces the one with the same key; an undated row of a known id is its newest."""
    result = dict(known)
    for name, rows in added.items():
        old = result.get(name, ())
        if old and len(rows) == 1 and key_of(rows[0]) == 0.0:
            result[name] = (*old, rows[0])
        else:
            by_key = {key_of(row): row for row in (*old, *rows)}
            result[name] = tuple(sorted(by_key.values(), key=start_of))
    return result
