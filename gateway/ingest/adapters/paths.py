"""Paths to a figure in a JSON document: ``SR04.Distance``, ``rx_metadata[0].rssi``."""

import difflib
import re
from collections.abc import Mapping
from typing import cast

from gateway.ingest.adapters.formats import Unreadable

Path = tuple[str | int, ...]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,4})\]")
_WHOLE = re.compile(r"[^.\[\]]+(?:\[\d{1,4}\])*(?:\.[^.\[\]]+(?:\[\d{1,4}\])*)*")


def parsed(text: str) -> Path | None:
    """The steps of a path: names, and list indices from 0. None when it is not a path."""
    if not _WHOLE.fullmatch(text):
        return None
    return tuple(int(place) if place else name for name, place in _STEP.findall(text))


def shown(path: Path) -> str:
    """A path as people write it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _similar(found: Mapping[str, object], step: str | int) -> str:
    """What an update of the sensor may have renamed it to: ``; there is SR04-1``."""
    names = {name.lower(): name for name in found}
    close = difflib.get_close_matches(str(step).lower(), list(names), 1)
    return "".join(f"; there is {names[name][:40]}" for name in close)


def find(document: object, path: Path) -> object:
    """The value at ``path``. Raises Unreadable naming the first step that does not exist."""
    found = document
    for place, step in enumerate(path, 1):
        if isinstance(step, int) and isinstance(found, list):
            items = cast(list[object], found)
            if step < len(items):
                found = items[step]
                continue
        elif isinstance(step, str) and isinstance(found, dict):
            fields = cast(dict[str, object], found)
            if step in fields:
                found = fields[step]
                continue
        names = cast(dict[str, object], found) if isinstance(found, dict) else {}
        raise Unreadable(f"there is no {shown(path[:place])}{_similar(names, step)}")
    return found
