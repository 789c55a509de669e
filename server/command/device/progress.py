"""Rows of a calibration that is not finished, on disk from the moment that they are said."""

import json
from pathlib import Path

from gateway.settings import Settings
from server.command.device import kept

Pair = tuple[float, float]
"""Level in mm above the floor, litres."""


class Progress:
    """The rows of ``tank`` so far. With ``keep`` False nothing is read or written."""

    def __init__(self, settings: Settings, tank: str, *, keep: bool) -> None:
        self.keep = keep
        self._path = Path(settings.data) / "boards" / f"{tank}.rows.json"
        self.pairs: list[Pair] = self._read() if keep else []

    def _read(self) -> list[Pair]:
        try:
            found = json.loads(self._path.read_text("utf-8"))["rows"]
            return [(float(mm), float(litres)) for mm, litres in found]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # none, or a torn file: the person says them again

    def add(self, pair: Pair) -> None:
        """Add one row; it is on disk on return."""
        self.pairs.append(pair)
        if self.keep:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept.write(self._path, {"rows": self.pairs})

    def forget(self) -> None:
        """The table is in the registry, or the person begins again."""
        self.pairs = []
        if self.keep:
            self._path.unlink(missing_ok=True)
