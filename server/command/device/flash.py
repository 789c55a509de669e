"""``noria device flash``: interpreter, partition table, firmware and configuration onto a board."""

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import click

from gateway.text_file import read_text
from server.command.device import checked, partitions
from server.command.device.cable import Cable, CableError
from server.command.device.stage import CHIPS, ROOM, SLOTS, image, lay_out

_IMAGE_AT = {"esp32": "0x1000", "esp32s3": "0x0"}

_HEAP_KB = 192
"""What a build in files takes on a board: 96 of MicroPython's heap, about 41 of TLS while it shakes
hands (firmware/BOARD.md, *Builds*), the rest for Wi-Fi. An ESP32 without PSRAM has less."""

_HEAP = """
import gc, vfs
gc.collect()
in_place = hasattr(vfs, "rom_ioctl") and vfs.rom_ioctl(1)
print("in place" if in_place else "heap %d" % gc.mem_free())
"""

# Deletes an earlier firmware: MicroPython prefers an old .py to a new .mpy.
_CLEAR = """
import os, esp32
if not esp32.Partition.find(esp32.Partition.TYPE_DATA, label="ring"):
    print("no ring")
    raise SystemExit
try:
    os.umount("/rom")
except OSError:
    pass
def clear(path):
    for name, kind, *_ in os.ilistdir(path):
        if kind == 0x4000:
            clear(path + "/" + name)
            os.rmdir(path + "/" + name)
        else:
            os.remove(path + "/" + name)
for name, kind, *_ in os.ilistdir():
    if kind == 0x4000:
        clear(name)
        os.rmdir(name)
    elif name.endswith((".py", ".mpy")):
        os.remove(name)
"""

# Only MicroPython with ROMFS runs builds in place. Deletes updates of the earlier firmware.
_BLANK_ROM = """
import vfs
device = vfs.rom_ioctl(2, 0) if hasattr(vfs, "rom_ioctl") else None
if hasattr(device, "ioctl"):
    for block in range(device.ioctl(4, 0)):
        device.ioctl(6, block)
    print("runs in place")
"""

_ROM_HASH = """
import hashlib, vfs
found = hashlib.sha256(memoryview(vfs.rom_ioctl(2, 0))[:%d]).digest()
print("".join("%%02x" %% byte for byte in found))
"""


@click.command()
@click.argument("port", metavar="PORT")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--micropython", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              metavar="BIN", help="Erase the board, write this MicroPython first.")  # fmt: skip
@click.option("--table/--no-table", default=True, show_default=True,
              help="Write the partition table, with the ring's partition.")  # fmt: skip
@click.option("--source", is_flag=True, help="Copy .py files, uncompiled.")
@click.option("--dry-run", is_flag=True, help="Print what would run, and run nothing.")
def flash(
    port: str, folder: Path, micropython: Path | None, table: bool, source: bool, dry_run: bool
) -> None:
    """Put the firmware and DIR/config.json on the board at PORT, and compare their hashes.

    PORT is /dev/ttyUSB0, COM3 or the like; DIR is what 'noria device new' made.
    """
    configuration = _configuration(folder / "config.json")
    cable = Cable(port, dry_run)
    cable.check()
    chip = CHIPS[configuration.get("board", "firebeetle")]
    with tempfile.TemporaryDirectory(prefix="noria-flash-") as scratch:
        stage = Path(scratch) / "root"
        lay_out(stage, compiled=not source)
        shutil.copy(folder / "config.json", stage / "config.json")
        if micropython is not None:
            _write_image(cable, chip, micropython)
        if table:
            _write_table(cable, chip, Path(scratch), erased=micropython is not None)
        _check_heap(cable)
        _clear(cable)
        if _runs_in_place(cable) and not source:
            _write_rom(cable, stage, Path(scratch) / "build.romfs")
        _copy(cable, stage)
        _verify(cable, stage)
    cable.mpremote("reset", words="Starting it.")
    if not dry_run:
        click.echo(f"Done. {configuration['device']} is on the board at {port}.")
        click.echo(f"Next: noria device test {port}. Then delete {folder}: it holds the key.")


def _configuration(path: Path) -> dict[str, str]:
    try:
        given = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise CableError(f"{path}: {error}: 'noria device new' makes it") from error
    if not isinstance(given, dict):
        raise CableError(f"{path}: one JSON object is needed: 'noria device new' makes it")
    try:
        checked.check(given)  # pyright: ignore[reportUnknownArgumentType] - read from a file
    except checked.ConfigurationError as error:
        raise CableError(f"{path}: {error}") from error
    return given  # pyright: ignore[reportUnknownVariableType] - read from a file


def _write_image(cable: Cable, chip: str, image: Path) -> None:
    cable.esptool("--chip", chip, "erase-flash", words="Erasing the board.")
    at = _IMAGE_AT[chip]
    cable.esptool("--chip", chip, "write-flash", at, str(image), words=f"Writing {image.name}.")


def _write_table(cable: Cable, chip: str, scratch: Path, *, erased: bool) -> None:
    """Write the table where there is none. Another one describes what is on the flash: under ours
    its file system would lie elsewhere, so such a board is left as it is. Raises CableError."""
    binary, before = scratch / "partitions.bin", scratch / "before.bin"
    binary.write_bytes(partitions.packed(partitions.read((ROOM / "partitions.csv").read_text())))
    at = f"0x{partitions.OFFSET:x}"
    if not erased:
        words = "Reading the partition table that it has."
        size = f"0x{partitions.SIZE:x}"
        cable.esptool("--chip", chip, "read-flash", at, size, str(before), words=words)
        if not cable.dry_run:
            if before.read_bytes() == binary.read_bytes():
                return
            labels = ", ".join(partitions.labels(before.read_bytes())) or "none that can be read"
            raise CableError(
                f"the board has another partition table ({labels}): nothing was changed. Give "
                "--micropython BIN: it erases the whole board and writes all that is needed"
            )
    words = "Writing the partition table."
    cable.esptool("--chip", chip, "write-flash", at, str(binary), words=words)


def _check_heap(cable: Cable) -> None:
    """Raise CableError when the firmware would have too little heap beside TLS."""
    cable.hello()
    output = cable.mpremote("exec", _HEAP, words="Asking how much heap it has.")
    found = re.search(r"^heap (\d+)\s*$", output, re.MULTILINE)
    if found and int(found[1]) < _HEAP_KB * 1024:
        raise CableError(
            f"the board has {int(found[1]) // 1024} KB of heap, and a MicroPython without ROMFS: "
            f"from files the firmware needs {_HEAP_KB}. Nothing was deleted. Take a board with "
            "PSRAM and the image for it, or a MicroPython with ROMFS (firmware/BOARD.md)"
        )


def _clear(cable: Cable) -> None:
    output = cable.mpremote("exec", _CLEAR, words="Removing what an earlier firmware left.")
    if "no ring" in output:
        raise CableError(
            "the board has no partition 'ring', where readings are kept: nothing was changed. "
            "Leave out --no-table, and give --micropython BIN for a board in use"
        )


def _runs_in_place(cable: Cable) -> bool:
    words = "Erasing the flash that runs in place, where this MicroPython has ROMFS."
    return "runs in place" in cable.mpremote("exec", _BLANK_ROM, words=words) or cable.dry_run


def _write_rom(cable: Cable, stage: Path, file: Path) -> None:
    """Write the compiled modules where they run in place, and take them from what is copied."""
    built = image(stage)
    rows = partitions.read((ROOM / "partitions.csv").read_text())
    room = next(row.size for row in rows if row.label == "romfs") // SLOTS
    if len(built) > room:
        raise CableError(f"the firmware has {len(built)} bytes: a slot of romfs holds {room}")
    file.write_bytes(built)
    words = f"Writing {len(built)} bytes to the flash that runs in place."
    cable.mpremote("romfs", "deploy", str(file), words=words)
    output = cable.mpremote("exec", _ROM_HASH % len(built), words="Comparing their hash.")
    if not cable.dry_run and hashlib.sha256(built).hexdigest() not in output:
        raise CableError("the board holds another build than was sent: flash it again")
    for path in sorted(stage.iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix == ".mpy":
            path.unlink()


def _copy(cable: Cable, stage: Path) -> None:
    entries = [str(path) for path in sorted(stage.iterdir())]
    count = sum(path.is_file() for path in stage.rglob("*"))
    words = f"Copying {count} files."
    cable.mpremote("cp", "-r", *entries, ":", words=words)


def _verify(cable: Cable, stage: Path) -> None:
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    names = [str(path.relative_to(stage)) for path in files]
    output = cable.mpremote("fs", "sha256sum", *names, words="Comparing their hashes.")
    if cable.dry_run:
        return
    found = re.findall(r"^[0-9a-f]{64}$", output, re.MULTILINE)
    wanted = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    wrong = [n for n, a, b in zip(names, wanted, found, strict=False) if a != b]
    if wrong or len(found) != len(names):
        which = ", ".join(wrong) or f"{len(found)} of {len(names)} files"
        raise CableError(f"the board holds other bytes than were sent: {which}: flash it again")
