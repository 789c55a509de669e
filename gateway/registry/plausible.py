"""Figures of a registry that contradict nothing and still make no sense: another unit, a slip.

Each sentence says what the figures mean together and what was probably meant. Sizes of real tanks:
an IBC holds 600 to 1,000 L and is 1 m high, the largest upright tanks are some 12 m high.
"""

from collections.abc import Iterator

from gateway.domain.geometry import Curve
from gateway.domain.registry import Device, Registry, Tank
from gateway.domain.volume import RANGE_MM

_TALLEST_MM, _LOWEST_MM = 20_000, 100
_IBC_L = {"ibc1000": (850.0, 1150.0), "ibc600": (500.0, 700.0)}
_LIGHTEST_TARE_G = 500  # a platform; less is written in kilograms
_LARGEST_CAN_L = 60.0
_FARTHER = 2.0  # a sensor this many times the full level's height above the floor


def doubts(added: Registry, merged: Registry) -> Iterator[str]:
    """A sentence for each doubtful figure among ``added``; ``merged`` has all rows.

    As ``[[table]] row: field = value: what follows: what was meant?``.
    """
    for rows in added.tanks.values():
        for tank in rows:
            yield from _tank(tank)
    for device in {rows[-1].id: rows[-1] for rows in merged.devices.values()}.values():
        for tank_id, height_mm, where in _heights(device, added, merged):
            tank = merged.tank(tank_id)
            if tank is not None and tank.kind == "tank" and height_mm is not None:
                yield from _height(tank, device, height_mm, where)


def _heights(
    device: Device, added: Registry, merged: Registry
) -> Iterator[tuple[str, int | None, str]]:
    """Tank, height of the sensor's face and row, of each pair with a new part."""
    if device.tank in added.tanks or device.id in added.devices:
        tank = merged.tank(device.tank)
        yield device.tank, tank.sensor_height_mm if tank else None, f"[[tank]] {device.tank}"
    for row in merged.installs.get(device.id, ()):
        if device.id in added.installs or row.tank in added.tanks:
            yield row.tank, row.sensor_height_mm, f"[[install]] {device.id}"


def _tank(tank: Tank) -> Iterator[str]:
    where = f"[[tank]] {tank.id}"
    for field, percent in (("low_pct", tank.low_pct), ("critical_pct", tank.critical_pct)):
        if 0 < percent < 1:
            yield (
                f"{where}: {field} = {percent:g}: an alert would come at "
                f"{tank.capacity_l * percent / 100:g} L; write percent: {percent * 100:g}?"
            )
    if tank.kind == "station":
        yield from _station(tank, where)
        return
    limits = _IBC_L.get(tank.shape or "")
    if limits and not limits[0] <= tank.capacity_l <= limits[1]:
        meant = f": write litres: {tank.capacity_l * 1000:g}?" if tank.capacity_l <= 1 else ""
        yield (
            f"{where}: capacity_l = {tank.capacity_l:g}: an {tank.shape} holds "
            f"{limits[0]:g} to {limits[1]:g} L{meant or ': another shape?'}"
        )
        return
    top_mm = Curve(tank).top_mm
    if not _LOWEST_MM <= top_mm <= _TALLEST_MM:
        shown = f"{top_mm / 1000:.1f} m" if top_mm > _TALLEST_MM else f"{top_mm:.1f} mm"
        yield (
            f"{where}: capacity_l = {tank.capacity_l:g} with these dimensions is {shown} high: "
            f"are they in millimetres, and inside?"
        )


def _station(tank: Tank, where: str) -> Iterator[str]:
    if tank.tare_g is not None and 0 < tank.tare_g < _LIGHTEST_TARE_G:
        yield (
            f"{where}: tare_g = {tank.tare_g}: a platform weighs more: "
            f"write grams: {tank.tare_g * 1000}?"
        )
    if tank.can_l is not None and tank.can_l > _LARGEST_CAN_L:
        yield f"{where}: can_l = {tank.can_l:g}: no can is so large: write litres of one can"


def _height(tank: Tank, device: Device, height_mm: int, where: str) -> Iterator[str]:
    """Whether the water can be seen from a sensor so high above the inside floor."""
    limits = RANGE_MM.get(device.sensor)
    top_mm = Curve(tank).top_mm
    if limits is None or not _LOWEST_MM <= top_mm <= _TALLEST_MM:
        return  # said of the tank
    field = f"{where}: sensor_height_mm = {height_mm}"
    if height_mm < top_mm:
        for factor, unit in ((10, "centimetres"), (1000, "metres")):
            if top_mm <= height_mm * factor <= top_mm * _FARTHER + limits[0]:
                meant = f"written in {unit}? then {height_mm * factor}"
                break
        else:
            meant = "measure from the sensor's face down to the inside floor"
        yield f"{field}: the full level ({top_mm:.0f} mm) is above the sensor's face: {meant}"
    elif height_mm > limits[1]:
        yield (
            f"{field}: {device.sensor} measures up to {limits[1]} mm, so an empty tank is not "
            "seen: is it in millimetres?"
        )
    elif height_mm > top_mm * _FARTHER + limits[0]:
        yield (
            f"{field}: {height_mm - top_mm:.0f} mm above the full level ({top_mm:.0f} mm): "
            "measure from the sensor's face down to the inside floor"
        )
