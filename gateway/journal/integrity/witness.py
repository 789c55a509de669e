"""Records the log's length outside the journal, to notice a journal restored from a backup.

Other people may keep a signed size of the log. A restored journal that continued would contradict
them. Every commit therefore writes size and frontier to small files, one of which should be where
no backup of the data folder reaches (setting ``witness``); a start compares them with the journal.
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
"""A file has two slots, written in turn: after a power cut at least one is intact."""


@dataclass(frozen=True, slots=True)
class LogMark:
    """The log ``origin`` at a commit."""

    origin: str
    frontier: Frontier


class Witness:
    """Writes to each of ``paths``; a file that cannot be written is logged and left out."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [file for path in paths if (file := _opened(path)) is not None]
        self._slot = 0

    def seen(self) -> list[LogMark]:
        """The longest mark in each file."""
        return [mark for file in self._files if (mark := _read(file)) is not None]

    def keep(self, mark: LogMark) -> None:
        """Write the mark of a commit, unsynced: after a power cut an older mark is left."""
        record = _record(mark)
        self._slot ^= 1
        for file in list(self._files):
            try:
                os.pwrite(file, record, self._slot * SLOT_BYTES)
            except OSError as error:
                _log.error("the log's length cannot be noted: %s", error)
                self._files.remove(file)
                os.close(file)

    def sync(self) -> None:
        """Sync the files: before others rely on a new log, and at the end."""
        for file in self._files:
            os.fsync(file)

    def close(self) -> None:
        """Sync and close the files."""
        self.sync()
        while self._files:
            os.close(self._files.pop())


def forget(paths: Sequence[Path]) -> None:
    """Delete the files; the next start treats the journal as restored. Raises OSError."""
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


def _record(mark: LogMark) -> bytes:
    text = f"{mark.origin} {mark.frontier.size} {mark.frontier.to_bytes().hex()}"
    return f"{_checksum(text)} {text}\n".encode("ascii")


def _read(file: int) -> LogMark | None:
    slots = (os.pread(file, SLOT_BYTES, at) for at in (0, SLOT_BYTES))
    found = [mark for slot in slots if (mark := _parsed(slot)) is not None]
    return max(found, key=lambda mark: mark.frontier.size, default=None)


def _parsed(slot: bytes) -> LogMark | None:
    """The mark in a slot; None where the slot is empty or half written."""
    checksum, _, text = slot.partition(b"\n")[0].decode("ascii", "replace").partition(" ")
    if checksum != _checksum(text):
        return None
    origin, size, nodes = text.split(" ")
    return LogMark(origin, Frontier.from_bytes(int(size), bytes.fromhex(nodes)))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
