"""What a board was set up with, without secrets and networks, in the data folder: ``replace`` and
``calibrate`` continue from it when the folder with the key is long deleted."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.settings import Settings

_SECRET = ("device", "key", "k", "wifi", "broker", "release_key", "release_floor")
"""Never kept here: identity, keys and passwords, networks, whose names tell the place, and what the
installation says anew."""


def _path(settings: Settings, device: str) -> Path:
    return Path(settings.data) / "boards" / f"{device}.json"


def hardware(settings: Settings, device: str) -> dict[str, Any]:
    """The fields of ``device``'s config.json that describe its hardware; empty when not known."""
    try:
        given = json.loads(_path(settings, device).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return given if isinstance(given, dict) else {}  # pyright: ignore[reportUnknownVariableType] - read from a file


def keep(settings: Settings, device: str, configuration: Mapping[str, Any]) -> None:
    """Replace what is kept of ``device`` by the hardware in ``configuration``."""
    path = _path(settings, device)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {name: value for name, value in configuration.items() if name not in _SECRET}
    if isinstance(fields.get("lte"), dict):
        fields["lte"] = {name: v for name, v in fields["lte"].items() if name != "password"}
    write(path, fields)


def forget(settings: Settings, device: str) -> None:
    """Remove what is kept of ``device``; nothing may be."""
    _path(settings, device).unlink(missing_ok=True)


def write(path: Path, fields: Mapping[str, Any]) -> None:
    """Replace the JSON file at ``path``, readable by its owner only, in one step."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(fields, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
