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
from gateway.text_file import read_text
from server.command.config import settings_of, with_config
from server.command.device import kept
from server.command.device.cable import Cable, CableError
from server.command.device.progress import Progress
from server.command.device.trial import lines

_LEAST_ROWS = 3
_LEAST_COUNTS = 1000  # a kilogram on the platform changes the bridge by more


# Feeds the board's watchdog while somebody fills the tank: at its own pace it would fall asleep.
_AWAKE = """
import machine, time
watchdog = machine.WDT(timeout=120000)
for _ in range(2880):
    watchdog.feed()
    time.sleep(5)
"""


@click.command()
@click.argument("name", metavar="DEVICE")
@click.option("--port", metavar="PORT", help="Read the levels from the board on this cable.")
@click.option("--dir", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="DIR", help="Keep what is learned in DIR/config.json as well.")  # fmt: skip
@click.option("--anew", is_flag=True, help="Forget the rows of a calibration that was broken off.")
@click.option("--dry-run", is_flag=True, help="Print what would run and be kept; keep nothing.")
@with_config
def calibrate(
    name: str, port: str | None, folder: Path | None, anew: bool, dry_run: bool, config: str | None
) -> None:
    """Calibrate what DEVICE measures: a tank with a bucket, a station with a known weight.

    Rows are kept as they are said: broken off, it continues where it was.
    """
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
        _scale(settings, name, cable, folder)
    else:
        progress = Progress(settings, tank.id, keep=not dry_run)
        if anew:
            progress.forget()
        _bucket(settings, tank, cable, progress)


# A tank: level and litres


def _bucket(settings: Settings, tank: Tank, cable: Cable | None, progress: Progress) -> None:
    click.echo(
        f"{tank.id}: begin empty to the tap. Pour in what you measured, let the water be still,\n"
        "then say how many litres are in by now. An empty line ends it.\n"
        "Small steps near the bottom, then every 100 L."
    )
    if progress.pairs:
        mm, litres = progress.pairs[-1]
        click.echo(
            f"It continues after {len(progress.pairs)} rows, the last {mm:g} mm, {litres:g} L; "
            "--anew begins again."
        )
    _pour(_measured(tank, cable), progress)
    pairs = progress.pairs
    if len(pairs) < _LEAST_ROWS:
        raise RegistryError(
            f"{len(pairs)} rows: a table needs {_LEAST_ROWS}; they are kept, run it again to go on"
        )
    row = replace(tank, shape="table", table=tuple(pairs), capacity_l=pairs[-1][1], since=0.0)
    click.echo("table = [" + ", ".join(f"[{mm:g}, {litres:g}]" for mm, litres in pairs) + "]")
    if not progress.keep:
        return
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with open_database(settings).begin() as connection:
        rows.put(connection, Registry(tanks={tank.id: (row,)}), now)
    progress.forget()
    click.echo(f"{tank.id} counts by this table from now on. Raw readings are kept as they were.")


def _measured(tank: Tank, cable: Cable | None) -> Callable[[], float | None]:
    """A function that returns the level above the floor in mm; None, with a word, where there is
    none."""

    def asked() -> float | None:
        level: float = click.prompt("Level above the floor, mm", type=click.FloatRange(0, 20000))
        return level

    if cable is None or cable.dry_run:
        return asked
    if tank.sensor_height_mm is None:
        raise RegistryError(f"tank {tank.id}: sensor_height_mm is missing: measure it first")
    height = tank.sensor_height_mm
    _stay_awake(cable)

    def read() -> float | None:
        script = "import selftest; selftest.level()"
        try:
            result = next(lines(cable.mpremote("exec", script, words="Reading the level.")))
            _stay_awake(cable)
        except CableError as error:
            click.echo(f"{error}. Then say the litres again; the rows before are kept.")
            return None
        if result.get("quantity") != "mm" or result["value"] is None or not result["ok"]:
            click.echo("The sensor saw no water: wait until it is still, then say it again.")
            return None
        return float(height - result["value"])

    return read


def _stay_awake(cable: Cable) -> None:
    cable.mpremote("exec", "--no-follow", _AWAKE, words="The board stays awake meanwhile.")


def _pour(level_mm: Callable[[], float | None], progress: Progress) -> None:
    while True:
        answer: str = click.prompt("Litres in the tank", default="", show_default=False)
        if not answer.strip():
            return
        try:
            litres = float(answer.replace(",", "."))
        except ValueError:
            click.echo(f"{answer!r} is no number of litres.")
            continue
        mm = level_mm()
        if mm is None:
            continue
        last = progress.pairs[-1] if progress.pairs else None
        if litres < 0 or (last and (mm <= last[0] or litres <= last[1])):
            click.echo(f"{mm:g} mm, {litres:g} L: both must rise from row to row. Say it again.")
        else:
            click.echo(f"  {mm:g} mm  {litres:g} L")
            progress.add((mm, litres))


# A station: the bridge's zero and its counts for a kilogram


def _scale(settings: Settings, name: str, cable: Cable | None, folder: Path | None) -> None:
    if cable is None:
        raise CableError("a station's scale is calibrated on a cable: name the board with --port")
    click.prompt("Leave the platform bare. Enter", default="", show_default=False)
    zero = _counts(cable)
    _stay_awake(cable)
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
    learned = {"zero": zero, "counts_per_kg": per_kg}
    _write(cable, learned)
    kept.keep(settings, name, {**kept.hardware(settings, name), **learned})
    if folder is not None:
        path = folder / "config.json"
        kept.write(path, {**json.loads(read_text(path)), **learned})
    click.echo(
        f"zero {zero}, {per_kg} counts a kilogram: both are in the board's config.json, and kept "
        f"here for whatever replaces {name}."
    )


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
