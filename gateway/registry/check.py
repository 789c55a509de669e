"""What must hold between the rows of a registry: references, keys, sensors that fit their tank."""

from collections.abc import Iterator
from math import inf

from gateway.domain.registry import Device, Registry, Tank

_ULTRASONIC = ("a02yyuw", "jsn-sr04t")


def problems(registry: Registry) -> Iterator[str]:
    """Every contradiction in it, as ``[[table]] row: field = value: remedy``."""
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
    elif device.sensor in _ULTRASONIC:
        yield from _height(registry, device, tank)


def _height(registry: Registry, device: Device, tank: Tank) -> Iterator[str]:
    has = tank.sensor_height_mm is not None
    if not has and not _installs_have(registry, device, "sensor_height_mm"):
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
            for tank, start, end in _stays(registry, device):
                keyed.setdefault(tank, []).append((start, end, device.id))
    for device in newest:
        if device.unsigned and (met := _met(_stays(registry, device), keyed)):
            yield (
                f"[[device]] {device.id}: unsigned = true: {met[0]} has {met[1]}, "
                "which signs; an unsigned feed needs a tank of its own"
            )


def _stays(registry: Registry, device: Device) -> list[tuple[str, float, float]]:
    """The tanks that a device hung in, hangs in and will: each with from and to (Unix s)."""
    installs = registry.installs.get(device.id, ())
    if not installs:
        return [(device.tank, -inf, inf)]
    starts = [-inf, *(row.since for row in installs[1:])]  # before the first, the first
    ends = [*starts[1:], inf]
    return [(row.tank, a, b) for row, a, b in zip(installs, starts, ends, strict=True)]


def _met(
    stays: list[tuple[str, float, float]], keyed: dict[str, list[tuple[float, float, str]]]
) -> tuple[str, str] | None:
    """The first tank where both hang at one time, and the device that signs there."""
    for tank, start, end in stays:
        for begun, over, device in keyed.get(tank, ()):
            if start < over and begun < end:
                return tank, device
    return None
