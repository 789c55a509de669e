"""``noria device calibrate``: with a bucket (level to litres), or with a weight (HX711)."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.database.engine import open_database
from gateway.domain.registry import Registry, Tank
from gateway.errors import RegistryError
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from server.command.config import settings_of, with_config
from server.command.device.cable import Cable, CableError
from server.command.device.trial import lines

_LEAST_ROWS = 3
_LEAST_COUNTS = 1000  # a kilogram on the platform changes the bridge by more


@click.command()
@click.argument("name", metavar="DEVICE")
@click.option("--port", metavar="PORT", help="Read the levels from the board on this cable.")
@click.option("--dry-run", is_flag=True, help="Print what would run and be kept; keep nothing.")
@with_config
def calibrate(name: str, port: str | None, dry_run: bool, config: str | None) -> None:
    """Calibrate what DEVICE measures: a tank with a bucket, a station with a known weight."""
    settings = settings_of(config)
    registry = rows.load(open_database(settings))
    device = registry.device(name)
    tank = registry.tank(device.tank) if device else None
    if device is None or tank is None:
        raise RegistryError(f"device = {name!r}: no device has this id: see 'noria device list'")
    cable = Cable(port, dry_run) if port else None
    if cable is not None:
        cable.check()
        cable.hello()
    if device.sensor == "hx711":
        _scale(cable)
    else:
        _bucket(settings, tank, cable, keep=not dry_run)


# A tank: level and litres


def _bucket(settings: Settings, tank: Tank, cable: Cable | None, *, keep: bool) -> None:
    click.echo(
        f"{tank.id}: begin empty to the tap. Pour in what you measured, let the water be still,\n"
        "then say how many litres are in by now. An empty line ends it.\n"
        "Small steps near the bottom, then every 100 L."
    )
    pairs = _poured(_measured(tank, cable))
    if len(pairs) < _LEAST_ROWS:
        raise RegistryError(f"{len(pairs)} rows: a table needs {_LEAST_ROWS}; nothing was kept")
    row = replace(tank, shape="table", table=tuple(pairs), capacity_l=pairs[-1][1], since=0.0)
    click.echo("table = [" + ", ".join(f"[{mm:g}, {litres:g}]" for mm, litres in pairs) + "]")
    if not keep:
        return
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with open_database(settings).begin() as connection:
        rows.put(connection, Registry(tanks={tank.id: (row,)}), now)
    click.echo(f"{tank.id} counts by this table from now on. Raw readings are kept as they were.")


def _measured(tank: Tank, cable: Cable | None) -> Callable[[], float | None]:
    """A function that returns the level above the floor in mm, None where the sensor sees none."""

    def asked() -> float | None:
        level: float = click.prompt("Level above the floor, mm", type=click.FloatRange(0, 20000))
        return level

    if cable is None or cable.dry_run:
        return asked
    if tank.sensor_height_mm is None:
        raise RegistryError(f"tank {tank.id}: sensor_height_mm is missing: measure it first")
    height = tank.sensor_height_mm

    def read() -> float | None:
        script = "import selftest; selftest.level()"
        result = next(lines(cable.mpremote("exec", script, words="Reading the level.")))
        if result.get("quantity") != "mm" or result["value"] is None or not result["ok"]:
            return None
        return float(height - result["value"])

    return read


def _poured(level_mm: Callable[[], float | None]) -> list[tuple[float, float]]:
    pairs: list[tuple[float, float]] = []
    while True:
        answer: str = click.prompt("Litres in the tank", default="", show_default=False)
        if not answer.strip():
            return pairs
        try:
            litres = float(answer.replace(",", "."))
        except ValueError:
            click.echo(f"{answer!r} is no number of litres.")
            continue
        mm = level_mm()
        if mm is None:
            click.echo("The sensor saw no water: wait until it is still, then say it again.")
        elif litres < 0 or (pairs and (mm <= pairs[-1][0] or litres <= pairs[-1][1])):
            click.echo(f"{mm:g} mm, {litres:g} L: both must rise from row to row. Say it again.")
        else:
            click.echo(f"  {mm:g} mm  {litres:g} L")
            pairs.append((mm, litres))


# A station: the bridge's zero and its counts for a kilogram


def _scale(cable: Cable | None) -> None:
    if cable is None:
        raise CableError("a station's scale is calibrated on a cable: name the board with --port")
    click.prompt("Leave the platform bare. Enter", default="", show_default=False)
    zero = _counts(cable)
    kilograms: float = click.prompt("Put a known weight on it. Kilograms", type=float)
    if kilograms <= 0:
        raise CableError(f"{kilograms:g} kg: a weight above zero, the heavier the better")
    loaded = _counts(cable)
    if cable.dry_run:
        return
    per_kg = round((loaded - zero) / kilograms)
    if abs(per_kg) < _LEAST_COUNTS:
        raise CableError(
            f"{kilograms:g} kg moved it by {loaded - zero} counts: is it on the cells?"
        )
    if per_kg < 0:
        raise CableError("the counts fell under the weight: swap A+ and A-, then begin again")
    _write(cable, {"zero": zero, "counts_per_kg": per_kg})
    click.echo(f"zero {zero}, {per_kg} counts a kilogram: both are in the board's config.json.")


def _counts(cable: Cable) -> int:
    script = "import selftest; selftest.counts()"
    output = cable.mpremote("exec", script, words="Reading the cells.")
    if cable.dry_run:
        return 0
    result = next(lines(output))
    if result["counts"] is None:
        raise CableError("the HX711 gives nothing: check its supply, DOUT and SCK")
    return int(result["counts"])


def _write(cable: Cable, values: dict[str, Any]) -> None:
    output = cable.mpremote("fs", "cat", "config.json", words="Reading its configuration.")
    configuration: dict[str, Any] = json.loads(output)
    with tempfile.TemporaryDirectory(prefix="noria-") as folder:
        path = Path(folder) / "config.json"
        path.touch(mode=0o600)
        text = json.dumps({**configuration, **values}, indent=2, ensure_ascii=False)
        path.write_text(text + "\n", "utf-8")
        cable.mpremote("cp", str(path), ":config.json", words="Writing it back.")
