"""A limit on lines of one kind in the log: whoever floods a server must not fill its disk."""

import logging

MOST = 10
WINDOW_S = 60.0
_KINDS = 500
_KIND_LENGTH = 40


class LineLimit(logging.Filter):
    """At most ``MOST`` lines of one kind a minute; the last says so, the next one how many."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written. Two lines are of one kind when they begin alike."""
        kind = (record.name, record.levelno, str(record.msg)[:_KIND_LENGTH])
        began, count = self._kinds.get(kind, (record.created, 0))
        if record.created - began >= WINDOW_S:
            if count > MOST:
                _add(record, f"{count - MOST} more of these were left out")
            began, count = record.created, 0
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        self._kinds[kind] = began, count + 1
        if count + 1 == MOST:
            _add(record, "more of these within a minute are left out")
        return count < MOST


def _add(record: logging.LogRecord, text: str) -> None:
    record.msg, record.args = f"{record.getMessage()} ({text})", ()
