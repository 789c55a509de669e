"""Line numbers of a TOML file's fields: tomllib only has those of syntax errors."""

import re

Row = tuple[str, int]
"""Table, and index from 0."""

_HEADER = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")


class LineNumbers:
    """Line numbers, from 1, in ``text``."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def of(self, at: Row | None, field: str) -> int:
        """The line of ``field`` in the row ``at`` (table, index from 0), else the row's first."""
        if at is None:
            return self._first(re.compile(rf"\s*\[?\[?\s*{re.escape(field)}\b"), 0) or 1
        start = self._row(*at)
        key = re.compile(rf"\s*(\[\s*{at[0]}\.)?[\"']?{re.escape(field)}[\"']?\s*[\].=]")
        return self._first(key, start) or start

    def _row(self, table: str, place: int) -> int:
        found = 0
        for n, line in enumerate(self._lines, 1):
            row = _HEADER.match(line)
            if row and row.group(1) == table:
                if found == place:
                    return n
                found += 1
        return 1

    def _first(self, key: re.Pattern[str], after: int) -> int | None:
        for n, line in enumerate(self._lines[after:], after + 1):
            if key.match(line):
                return n
            if after and _HEADER.match(line):
                return None
        return None
