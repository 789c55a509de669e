"""Paths to a figure in a JSON document: ``SR04.Distance``, ``rx_metadata[0].rssi``."""

import re
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
        raise Unreadable(f"there is no {shown(path[:place])}")
    return found
