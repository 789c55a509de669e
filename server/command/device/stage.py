"""A board's file system, prepared in a folder of this machine."""

import importlib
import importlib.util
import shutil
from pathlib import Path
from typing import Any

from firmware import compilation
from server.command.device.cable import CableError

ROOM = Path(__file__).parents[3] / "firmware"
DEVICE = ROOM / "device"
CHIPS = {"xiao_esp32s3": "esp32s3", "firebeetle": "esp32", "t_sim7080g": "esp32s3"}
"""Board files of the firmware, and the chip of each."""

SOURCES = ("boot.py", "main.py")
"""The chip starts these by name, as source."""

SLOTS = 3
"""Of the partition ``romfs`` (device/slots.py): the cable's build, and two for updates."""


def lay_out(stage: Path, *, compiled: bool = True) -> None:
    """The board's file system in a folder: compiled but for what the chip starts by name.

    Raises CableError when a file does not compile or the compiler is not installed.
    """
    paths = sorted(DEVICE.rglob("*.py"))
    copied = [path for path in paths if path.name in SOURCES] if compiled else paths
    for path in copied:
        target = stage / path.relative_to(DEVICE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    if not compiled:
        return
    try:
        codes = compilation.compiled(DEVICE, [path for path in paths if path not in copied])
    except compilation.CompilationError as error:
        raise CableError(str(error)) from error
    for name, code in codes.items():
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code)


def image(stage: Path) -> bytes:
    """The compiled modules of a laid out folder, for the chip to run in place: a ROMFS image.

    Raises CableError when mpremote, which knows the format, is not installed.
    """
    if importlib.util.find_spec("mpremote") is None:
        raise CableError("mpremote is not installed: pip install 'noria[device]'")
    writer: Any = importlib.import_module("mpremote.romfs").VfsRomWriter()
    _add(writer, stage)
    return bytes(writer.finalise())


def _add(writer: Any, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            writer.opendir(path.name)
            _add(writer, path)
            writer.closedir()
        elif path.suffix == ".mpy":
            writer.mkfile(path.name, path.read_bytes())
