"""How long the log has been, noted outside the journal, so that a restored one is noticed.

Whoever has seen a log of some size may hold us to it: a journal that comes back from a backup and
goes on would contradict that. So every commit notes size and frontier in small files that no
backup of the journal holds; a start compares.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.merkle import Frontier

_log = logging.getLogger(__name__)

SLOT_BYTES = 8192
"""Two slots are written in turn: one torn by a power cut leaves the other."""


@dataclass(frozen=True, slots=True)
class LogMark:
    """A log by its origin, as it stood at some commit."""

    origin: str
    frontier: Frontier


class Witness:
    """Notes in each of ``paths``. A folder that cannot be written is told once, and left out."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._notes = [found for path in paths if (found := _opened(path)) is not None]
        self._slot = 0

    def seen(self) -> list[LogMark]:
        """What was noted, the longest in each file."""
        return [seen for note in self._notes if (seen := _read(note)) is not None]

    def keep(self, seen: LogMark) -> None:
        """Note a commit. Not synced: what a power cut takes back is shorter, never wrong."""
        record = _record(seen)
        self._slot ^= 1
        for note in list(self._notes):
            try:
                os.pwrite(note, record, self._slot * SLOT_BYTES)
            except OSError as error:
                _log.error("the log's length cannot be noted: %s", error)
                self._notes.remove(note)
                os.close(note)

    def sync(self) -> None:
        """Have what was noted on disk: before a new log is relied on, and at the end."""
        for note in self._notes:
            os.fsync(note)

    def close(self) -> None:
        """Sync and release the files."""
        self.sync()
        while self._notes:
            os.close(self._notes.pop())


def forget(paths: Sequence[Path]) -> None:
    """A journal without any note is taken for one that was set back. Raises OSError."""
    for path in paths:
        path.unlink(missing_ok=True)


def _opened(path: Path) -> int | None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        _log.warning(
            "%s cannot be written (%s): a restored journal may go unnoticed; set witness to a "
            "folder that can be written",
            path,
            error.strerror,
        )
        return None


def _record(seen: LogMark) -> bytes:
    frontier = seen.frontier
    said = f"{seen.origin} {frontier.size} {frontier.to_bytes().hex()}"
    return f"{_check(said)} {said}\n".encode("ascii")


def _read(note: int) -> LogMark | None:
    slots = (os.pread(note, SLOT_BYTES, at) for at in (0, SLOT_BYTES))
    found = [seen for slot in slots if (seen := _parsed(slot)) is not None]
    return max(found, key=lambda seen: seen.frontier.size, default=None)


def _parsed(slot: bytes) -> LogMark | None:
    """What one slot says; None where it is empty or torn."""
    check, _, said = slot.partition(b"\n")[0].decode("ascii", "replace").partition(" ")
    if check != _check(said):
        return None
    origin, size, nodes = said.split(" ")
    return LogMark(origin, Frontier.from_bytes(int(size), bytes.fromhex(nodes)))


def _check(said: str) -> str:
    return hashlib.sha256(said.encode("utf-8")).hexdigest()
