"""Lays out a board's file system: links to the firmware, and a configuration of its own."""

import json
from pathlib import Path
from typing import Any

from firmware.virtual.host.rom import Rom

DEVICE = Path(__file__).resolve().parents[2] / "device"


def lay_out(
    folder: Path, config: dict[str, Any], firmware: Path = DEVICE, rom: Rom | None = None
) -> Path:
    """Create or renew ``folder/root`` and return it; flash images beside it do not change.

    The firmware is linked, not copied: 200 boards share one copy, and edits show at the next wake.
    With ``rom`` all but ``boot.py`` and ``main.py`` is in the partition beside it.
    """
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    for entry in sorted(firmware.iterdir()):
        link = root / entry.name
        if entry.name.startswith((".", "__")) or link.exists():
            continue
        if rom is None or not rom.build or entry.name in ("boot.py", "main.py"):
            link.symlink_to(entry)
    if rom is not None:
        rom.lay(folder / "romfs.bin")
    (root / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return root
